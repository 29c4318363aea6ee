//! Templates from a seed. Functions come from the engine's own table, with arguments that mostly have the types it names, so a new row is
//! tried without a word here.

use template_go::functions::{self, Effect, Family, Function};

use crate::tree::{Expression, Part, Template};

/// What every template sees.
pub(crate) const DATA: &[(&str, &str)] = &[
    ("a", "alpha"),
    ("b", ""),
    ("c", " Two words\n"),
    ("csv", "x,y,,z"),
    ("json", "{\"k\":[1,2.5,\"s\",null,true],\"n\":{\"m\":\"v\"}}"),
    ("n", "42"),
    ("pw", "p@ss:w/rd %2F+&\"'<ü>"),
    ("url", "https://u:p%40@h.example:8443/a/b?q=1&r=a%20b#f"),
    ("u", "naïve 日本 ß"),
];

const TEXTS: &[&str] = &[
    ".a",
    ".b",
    ".c",
    ".csv",
    ".json",
    ".n",
    ".pw",
    ".url",
    ".u",
    "\"\"",
    "\"abc\"",
    "\" x \"",
    "\"a,b,c\"",
    "`r\\aw`",
    "\",\"",
    "\"10\"",
    "\"-3\"",
    "\"0x1f\"",
    "\"1e3\"",
    "\"1.50\"",
    "\"true\"",
    "\"k\"",
    "\"a\"",
    "\"FooBar baz_qux-1\"",
    "\"a/b/../c.txt\"",
    "\"^a+.\"",
    "\"(\\\\w)(\\\\d*)\"",
    "\"1h30m\"",
    "\"1.2.3\"",
    "\">=1.1, <2\"",
    "\"MFRGG===\"",
    "\"YWJj\"",
    "\"${1}-$2\"",
    "\"é\"",
    "\"int\"",
    "\"string\"",
    "\"%s %v\"",
    "\"%05.1f|%-6d|%x\"",
    "\"%q %T\"",
    "\"%+v %#v\"",
    "\"%U %c %t %e\"",
    "\"%[2]v %[1]d %!\"",
];
const INTEGERS: &[&str] = &["0", "1", "2", "3", "-1", "7", "12", "0x10", "'a'", "0b11", "1_0"];
const FLOATS: &[&str] = &["0.5", "1.0", "-2.25", "1e3", "3.999"];
const LISTS: &[&str] = &[
    "(list)",
    "(list 1 2 3)",
    "(list \"b\" \"a\" \"c\" \"a\")",
    "(list 1 \"x\" nil true 2.5)",
    "(splitList \",\" .csv)",
    "(until 4)",
    "(list (list 1) (list))",
];
const DICTS: &[&str] = &[
    "(dict)",
    "(dict \"a\" 1 \"b\" \"x\")",
    "(dict \"k\" (dict \"a\" nil))",
    "(fromJson .json)",
    "(splitn \",\" 2 .csv)",
];
const LITERALS: &[&str] =
    &[" ", "\n", "text", "  \n\t ", "{ }", "\"quoted\"", "{{/* a comment */}}", "{{- /* trims */ -}}"];

/// They tell the present, are in no order, or have other meanings beside sprig's.
const LEFT_OUT: &[&str] = &[
    "keys",
    "values",
    "now",
    "ago",
    "date",
    "dateInZone",
    "date_in_zone",
    "dateModify",
    "date_modify",
    "mustDateModify",
    "must_date_modify",
    "htmlDate",
    "htmlDateInZone",
    "unixEpoch",
    "hexdec",
];
const FAMILIES_LEFT_OUT: &[Family] = &[
    Family::Yaml,
    Family::Pem,
    Family::Pkcs12,
    Family::Encryption,
    Family::Passwords,
    Family::Certificates,
    Family::Escape,
];
const DEPTH: u32 = 3;

/// The functions that are tried.
pub(crate) struct Grammar(Vec<Row>);

struct Row {
    name: &'static str,
    parameters: Vec<String>,
    rest: Option<String>,
    returns: &'static str,
}

impl Grammar {
    pub(crate) fn new() -> Self {
        let tried = |function: &&&Function| {
            function.effect == Effect::Pure
                && !FAMILIES_LEFT_OUT.contains(&function.family)
                && !LEFT_OUT.contains(&function.name)
        };
        Self(functions::all().iter().filter(tried).map(|function| row(function)).collect())
    }

    /// The same seed, the same template.
    pub(crate) fn template(&self, seed: u64) -> Template {
        let mut making = Making { grammar: self, next: Box::new(support::numbers(seed)), variables: 0 };
        let count = 1 + making.below(3);
        Template((0..count).map(|_| making.part(DEPTH, false)).collect())
    }
}

/// From the usage `name A:int B:string [MORE:any ...]`.
fn row(function: &Function) -> Row {
    let usage = function.usage();
    let kind = |word: &str| word.split_once(':').map(|(_, kind)| kind.to_owned());
    let (fixed, rest) = usage.split_once(" [").unwrap_or((&usage, ""));
    Row {
        name: function.name,
        parameters: fixed.split(' ').skip(1).filter_map(kind).collect(),
        rest: kind(rest.trim_end_matches(" ...]")),
        returns: function.returns,
    }
}

const NAMES: [&str; 3] = ["$x", "$y", "$z"];

struct Making<'g> {
    grammar: &'g Grammar,
    next: Box<dyn FnMut() -> u64>,
    variables: usize,
}

impl Making<'_> {
    fn below(&mut self, bound: usize) -> usize {
        ((self.next)() >> 16) as usize % bound
    }

    #[expect(clippy::indexing_slicing, reason = "the index is below the length, and no list here is empty")]
    fn pick<'l, T>(&mut self, all: &'l [T]) -> &'l T {
        &all[self.below(all.len())]
    }

    fn one(&mut self, texts: &[&str]) -> String {
        (*self.pick(texts)).to_owned()
    }

    /// A variable that is declared, or the first.
    fn declared(&mut self) -> &'static str {
        let at = self.below(self.variables.max(1));
        NAMES.get(at).copied().unwrap_or(NAMES[0])
    }

    fn parts(&mut self, depth: u32, loops: bool) -> Vec<Part> {
        let count = 1 + self.below(2);
        (0..count).map(|_| self.part(depth, loops)).collect()
    }

    fn part(&mut self, depth: u32, loops: bool) -> Part {
        let deeper = depth.saturating_sub(1);
        let choice = if depth == 0 { self.below(8) } else { self.below(20) };
        match choice {
            0 | 1 => Part::Text(self.pick::<&'static str>(LITERALS)),
            8 | 9 => {
                let value = self.expression("any", deeper);
                let name = NAMES.get(self.variables).filter(|_| self.variables == 0 || self.below(2) == 0);
                let Some(name) = name else { return Part::Let(self.declared(), value, false) };
                self.variables += 1;
                Part::Let(name, value, true)
            }
            10 | 11 => {
                Part::If(self.condition(deeper), self.inner(deeper, loops), self.otherwise(deeper, loops))
            }
            12 | 13 => {
                Part::With(self.condition(deeper), self.inner(deeper, loops), self.otherwise(deeper, loops))
            }
            14 | 15 => {
                let over = if self.below(4) == 0 { "any" } else { *self.pick(&["list", "dict"]) };
                let over = self.expression(over, deeper);
                let named = self.below(2) == 0;
                Part::Range(over, named, self.inner(deeper, true), self.otherwise(deeper, loops))
            }
            16 => Part::Define(self.inner(0, false), self.expression("any", 0)),
            17 if loops => self.pick(&[Part::Break, Part::Continue]).clone(),
            _ => {
                let value = self.printed(depth);
                Part::Print(value, self.below(6) == 0, self.below(6) == 0)
            }
        }
    }

    /// What is declared inside is unknown outside.
    fn inner(&mut self, depth: u32, loops: bool) -> Vec<Part> {
        let outside = self.variables;
        let parts = self.parts(depth, loops);
        self.variables = outside;
        parts
    }

    fn otherwise(&mut self, depth: u32, loops: bool) -> Vec<Part> {
        if self.below(2) == 0 { Vec::new() } else { self.inner(depth, loops) }
    }

    fn condition(&mut self, depth: u32) -> Expression {
        let kind = *self.pick(&["any", "bool", "string", "list"]);
        self.expression(kind, depth)
    }

    /// What stands alone in an action may be a pipe.
    fn printed(&mut self, depth: u32) -> Expression {
        let mut value = self.expression("any", depth);
        for _ in 0..self.below(3) {
            let grammar = self.grammar;
            let row = self.pick(&grammar.0);
            let (name, mut arguments) = self.call(row, depth.saturating_sub(1));
            if arguments.pop().is_some() {
                value = Expression::Pipe(Box::new(value), name, arguments);
            }
        }
        value
    }

    fn expression(&mut self, kind: &str, depth: u32) -> Expression {
        let kind = if self.below(24) == 0 { "any" } else { kind };
        let grammar = self.grammar;
        let fits = |row: &&Row| kind == "any" || row.returns == kind;
        let fitting: Vec<&Row> = grammar.0.iter().filter(fits).collect();
        // A computed number may be a size, and a large one ends Go's side.
        if depth > 0 && self.below(3) > 0 && kind != "int" && !fitting.is_empty() {
            let row = *self.pick(&fitting);
            let (name, arguments) = self.call(row, depth - 1);
            return Expression::Call(name, arguments);
        }
        Expression::Leaf(self.leaf(kind))
    }

    fn call(&mut self, row: &Row, depth: u32) -> (String, Vec<Expression>) {
        let mut arguments: Vec<Expression> =
            row.parameters.iter().map(|kind| self.expression(kind, depth)).collect();
        if let Some(kind) = &row.rest {
            for _ in 0..self.below(4) {
                arguments.push(self.expression(kind, depth));
            }
        }
        (row.name.to_owned(), arguments)
    }

    fn leaf(&mut self, kind: &str) -> String {
        match kind {
            "string" => self.one(TEXTS),
            "int" => self.one(INTEGERS),
            "float64" => self.one(FLOATS),
            "bool" => self.one(&["true", "false"]),
            "list" => self.one(LISTS),
            "dict" => self.one(DICTS),
            "time" => "(toDate \"2006-01-02\" \"2024-02-29\")".to_owned(),
            "duration" => "(duration \"95\")".to_owned(),
            "version" => "(semver \"1.2.3-rc.1+b\")".to_owned(),
            _ => match self.below(9) {
                0 if self.variables > 0 => self.declared().to_owned(),
                0 | 1 => self.one(&["nil", "$", "$.a", "$.json", "$.n"]),
                2 => self.leaf("int"),
                3 => self.leaf("float64"),
                4 => self.leaf("list"),
                5 => self.leaf("dict"),
                6 => self.leaf("bool"),
                _ => self.leaf("string"),
            },
        }
    }
}
