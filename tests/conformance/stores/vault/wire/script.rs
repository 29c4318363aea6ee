//! Case files: read, and written again in the same form, so that recording changes nothing but the answers.

use std::fmt;

/// One file.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: String,
    /// The lines before the first case.
    head: Vec<String>,
    pub(super) cases: Vec<Case>,
}

/// A sequence of requests on mounts of its own.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    /// Why the embedded KV answers otherwise, in the words of its README.
    pub(super) left_out: Option<String>,
    /// Lines of comment.
    notes: Vec<String>,
    pub(super) steps: Vec<Step>,
}

/// A request and its answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: String,
    pub(super) headers: Vec<(String, String)>,
    /// Whether it is sent again until the status is the recorded one.
    pub(super) waits: bool,
    /// The part of the answer that is looked at, as a JSON pointer.
    pub(super) part: Option<String>,
    /// The answer of Vault, as lines.
    pub(super) answer: Vec<String>,
    /// That of the embedded KV, where it is another one.
    pub(super) other: Vec<String>,
}

impl Script {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut script = Self { name: name.to_owned(), head: Vec::new(), cases: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            script.take(line).map_err(|problem| format!("line {}: {problem}", index + 1))?;
        }
        if script.cases.iter().all(|case| case.steps.is_empty()) {
            return Err("there is no case".to_owned());
        }
        Ok(script)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        if let Some(name) = line.strip_prefix("== ") {
            let case = Case { name: name.to_owned(), left_out: None, notes: Vec::new(), steps: Vec::new() };
            self.cases.push(case);
            return Ok(());
        }
        let Some(case) = self.cases.last_mut() else {
            self.head.push(line.to_owned());
            return Ok(());
        };
        if line.is_empty() {
            return Ok(());
        }
        let (mark, rest) = line.split_once(' ').ok_or("a line needs a mark and a text")?;
        let rest = rest.to_owned();
        match (mark, case.steps.last_mut()) {
            ("#", None) => case.notes.push(rest),
            ("!", None) => case.left_out = Some(rest),
            (">", _) => case.steps.push(Step::request(&rest, false)?),
            (">~", _) => case.steps.push(Step::request(&rest, true)?),
            (">>", Some(step)) => step.headers.push(pair(&rest, ": ")?),
            (">?", Some(step)) => step.part = Some(rest),
            ("<" | "<<", Some(step)) => step.answer.push(line.to_owned()),
            ("!<" | "!<<", Some(step)) => step.other.push(line.trim_start_matches('!').to_owned()),
            _ => return Err(format!("{mark:?} does not belong there")),
        }
        Ok(())
    }
}

impl Step {
    fn request(text: &str, waits: bool) -> Result<Self, String> {
        let (method, rest) = pair(text, " ")?;
        let (path, body) = rest.split_once(' ').unwrap_or((&rest, ""));
        Ok(Self { method, path: path.to_owned(), body: body.to_owned(), waits, ..Self::default() })
    }
}

fn pair(text: &str, between: &str) -> Result<(String, String), String> {
    let (first, second) = text.split_once(between).ok_or_else(|| format!("there is no {between:?}"))?;
    Ok((first.to_owned(), second.to_owned()))
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        for (index, case) in self.cases.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{case}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "== {}", self.name)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "# {note}"))?;
        self.left_out.iter().try_for_each(|reason| writeln!(f, "! {reason}"))?;
        for step in &self.steps {
            let mark = if step.waits { ">~" } else { ">" };
            let body = if step.body.is_empty() { String::new() } else { format!(" {}", step.body) };
            writeln!(f, "{mark} {} {}{body}", step.method, step.path)?;
            step.headers.iter().try_for_each(|(name, value)| writeln!(f, ">> {name}: {value}"))?;
            step.part.iter().try_for_each(|part| writeln!(f, ">? {part}"))?;
            step.answer.iter().try_for_each(|line| writeln!(f, "{line}"))?;
            step.other.iter().try_for_each(|line| writeln!(f, "!{line}"))?;
        }
        Ok(())
    }
}
