//! The functions that a template may call: one table per family, one row per function.
//!
//! A row is all there is to a function: its name, its parameters with their Go types (arguments are checked against them
//! before it runs), what it returns, one line for a reader, whether it draws, and what it does. A function that is not in
//! a table does not exist, and a template that names it does not parse; nothing here reaches outside the engine.

mod arguments;
mod builtin;
mod certificates;
mod dates;
mod decimals;
mod defaults;
mod dicts;
mod encoding;
mod encryption;
mod escape;
mod hash;
mod json;
mod lists;
mod numbers;
mod passwords;
mod paths;
mod pem;
mod pkcs12;
mod random;
mod reflection;
mod regexes;
mod strings;
mod urls;
mod versions;
mod words;
mod yaml;

pub(crate) use encoding::decode_base64;

use crate::draw::Draw;
use crate::limits::Budget;
use crate::pattern::Patterns;
use crate::rule::Rule;
use crate::value::Value;

/// The families, in the order of the documentation.
const FAMILIES: &[&[Function]] = &[
    builtin::ROWS,
    strings::ROWS,
    words::ROWS,
    defaults::ROWS,
    encoding::ROWS,
    lists::ROWS,
    dicts::ROWS,
    numbers::ROWS,
    decimals::ROWS,
    json::ROWS,
    yaml::ROWS,
    regexes::ROWS,
    dates::ROWS,
    versions::ROWS,
    urls::ROWS,
    paths::ROWS,
    reflection::ROWS,
    hash::ROWS,
    random::ROWS,
    pem::ROWS,
    pkcs12::ROWS,
    encryption::ROWS,
    passwords::ROWS,
    certificates::ROWS,
    escape::ROWS,
];

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Function {
    /// As a template writes it.
    pub name: &'static str,
    /// Which table it stands in.
    pub family: Family,
    /// What it returns, in Go's words or sprig's.
    pub returns: &'static str,
    /// One line for a reader.
    pub about: &'static str,
    /// Whether equal arguments give equal results.
    pub effect: Effect,
    pub(crate) signature: Signature,
    pub(crate) run: Run,
}

/// What a function may depend on besides its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Pure,
    /// The randomness or the time of the rotation: the same in every rendering of one rotation.
    Drawing,
}

/// Groups of functions; each is one section of the documentation, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Go's own.
    Builtin,
    /// Texts and words.
    Strings,
    /// Empty values.
    Defaults,
    /// Base64, base32, hexadecimal.
    Encoding,
    /// Lists.
    Lists,
    /// Dicts.
    Dicts,
    /// Integers and floats.
    Numbers,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Regular expressions.
    Regexes,
    /// Dates and durations.
    Dates,
    /// Semantic versions.
    Versions,
    /// URLs.
    Urls,
    /// Paths.
    Paths,
    /// Types and kinds.
    Reflection,
    /// Digests.
    Hash,
    /// Random texts and numbers.
    Random,
    /// PEM, certificates, JSON Web Keys.
    Pem,
    /// PKCS#12 files.
    Pkcs12,
    /// Encrypted texts.
    Encryption,
    /// Hashes of passwords, derived passwords.
    Passwords,
    /// New keys and certificates.
    Certificates,
    /// Connection strings.
    Escape,
}

impl Family {
    /// What a reader sees above its functions.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Builtin => "Go's own",
            Self::Strings => "Texts",
            Self::Defaults => "Defaults and choices",
            Self::Encoding => "Encodings",
            Self::Lists => "Lists",
            Self::Dicts => "Dicts",
            Self::Numbers => "Numbers",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Regexes => "Regular expressions",
            Self::Dates => "Dates and durations",
            Self::Versions => "Semantic versions",
            Self::Urls => "URLs",
            Self::Paths => "Paths",
            Self::Reflection => "Types",
            Self::Hash => "Digests",
            Self::Random => "Random texts and numbers",
            Self::Pem => "PEM, certificates and JSON Web Keys",
            Self::Pkcs12 => "PKCS#12 files",
            Self::Encryption => "Encryption",
            Self::Passwords => "Hashes of passwords",
            Self::Certificates => "New keys and certificates",
            Self::Escape => "keymill's own, for connection strings",
        }
    }

    const fn pure(
        self,
        name: &'static str,
        parameters: &'static [Parameter],
        returns: &'static str,
        about: &'static str,
        run: Implementation,
    ) -> Function {
        let signature = Signature { parameters, rest: None };
        Function { name, family: self, returns, about, effect: Effect::Pure, signature, run: Run::Call(run) }
    }
}

impl Function {
    /// Takes any number of further arguments.
    const fn rest(mut self, name: &'static str, kind: Type) -> Self {
        self.signature.rest = Some(Parameter { name, kind });
        self
    }

    const fn drawing(mut self) -> Self {
        self.effect = Effect::Drawing;
        self
    }

    const fn short_circuit(mut self, run: Run) -> Self {
        self.run = run;
        self
    }

    /// The name with its parameters, as a reader writes them: `repeat COUNT:int TEXT:string`.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_owned();
        for parameter in self.signature.parameters {
            usage.push_str(&format!(" {}:{}", parameter.name.to_uppercase(), parameter.kind.name()));
        }
        if let Some(rest) = &self.signature.rest {
            usage.push_str(&format!(" [{}:{} ...]", rest.name.to_uppercase(), rest.kind.name()));
        }
        usage
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// What arguments a function or method takes.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) parameters: &'static [Parameter],
    /// The type of any further arguments.
    pub(crate) rest: Option<Parameter>,
}

#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
}

pub(crate) const fn p(name: &'static str, kind: Type) -> Parameter {
    Parameter { name, kind }
}

/// The Go type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Any,
    Bool,
    Int,
    Uint32,
    Float,
    Text,
    List,
    Dict,
    Time,
    Duration,
    Version,
    Certificate,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::Text => "string",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Version => "version",
            Self::Certificate => "certificate",
        }
    }
}

/// How a function runs.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Call(Implementation),
    /// Evaluates its arguments one by one, up to the first that is false.
    And,
    /// Evaluates its arguments one by one, up to the first that is true.
    Or,
}

/// The arguments are as many as the signature allows and have its types.
pub(crate) type Implementation = fn(&[Value], &mut Context<'_>) -> Result<Value, Rule>;

/// What a function may use besides its arguments.
pub(crate) struct Context<'c> {
    pub(crate) budget: Budget,
    pub(crate) draw: &'c mut dyn Draw,
    /// The stream that is drawn from: the key of the template.
    pub(crate) stream: &'c str,
    /// The patterns compiled so far.
    pub(crate) patterns: Patterns,
}

impl Context<'_> {
    /// The time of the rotation in seconds since 1970.
    pub(crate) fn now(&mut self) -> u64 {
        self.draw.now()
    }
}

/// All rows, by name.
#[must_use]
pub fn all() -> &'static [&'static Function] {
    &TABLE
}

/// All rows as text, for whoever has only the component: the file `functions.tsv`.
#[must_use]
pub fn table() -> String {
    let mut rows = all().to_vec();
    rows.sort_by_key(|function| (function.family, function.name));
    let line = |function: &Function| {
        let effect = match function.effect {
            Effect::Pure => "pure",
            Effect::Drawing => "draws",
        };
        let Function { name, returns, about, .. } = function;
        format!("{}\t{name}\t{}\t{returns}\t{effect}\t{about}\n", function.family.title(), function.usage())
    };
    rows.into_iter().map(line).collect()
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let at = TABLE.binary_search_by(|function| function.name.cmp(name)).ok()?;
    TABLE.get(at).copied()
}

const COUNT: usize = {
    let (mut count, mut family) = (0, FAMILIES);
    while let [first, rest @ ..] = family {
        count += first.len();
        family = rest;
    }
    count
};

/// Sorted at compile time, so that a call starts with nothing to build.
static TABLE: [&Function; COUNT] = sorted();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index out of bounds"
)]
const fn sorted() -> [&'static Function; COUNT] {
    let mut table = [&FAMILIES[0][0]; COUNT];
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut row = 0;
        while row < FAMILIES[family].len() {
            let mut at = count;
            while at > 0 && is_before(FAMILIES[family][row].name.as_bytes(), table[at - 1].name.as_bytes()) {
                table[at] = table[at - 1];
                at -= 1;
            }
            table[at] = &FAMILIES[family][row];
            count += 1;
            row += 1;
        }
        family += 1;
    }
    table
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index out of bounds"
)]
const fn is_before(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}

#[cfg(test)]
mod tests;
