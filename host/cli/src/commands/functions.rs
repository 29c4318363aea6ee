//! `keymill functions`: what a template may call. The table is the engine's own; here it is only laid out, for 80 columns.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;

use crate::args::Functions;
use crate::ending::{self, Ending};
use crate::output::Output;

const WIDTH: usize = 80;
/// Names that a mistyped one is compared with, at most so many are offered.
const SIMILAR: usize = 8;

/// A row of the engine's table.
struct Row<'t> {
    family: &'t str,
    name: &'t str,
    usage: &'t str,
    returns: &'t str,
    draws: bool,
    about: &'t str,
}

pub(crate) fn run(args: &Functions) -> Result<ExitCode> {
    Ok(ending::code(functions(args)))
}

fn functions(args: &Functions) -> Result<(), Ending> {
    let table = bundle::builtin("template", "go").map_or("", |built_in| built_in.functions);
    let rows: Vec<Row<'_>> = table.lines().filter_map(row).collect();
    let text = match &args.name {
        None => list(&rows),
        Some(name) => match rows.iter().find(|row| row.name == name) {
            Some(row) => explanation(row),
            None => return Err(unknown(&rows, name)),
        },
    };
    let mut output = Output::open();
    output.write(text.as_bytes())?;
    output.finish()
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    let (family, name, usage, returns, effect, about) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    Some(Row { family, name, usage, returns, draws: effect == "draws", about })
}

/// Family by family; what draws is marked.
fn list(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    for family in rows.chunk_by(|one, other| one.family == other.family) {
        let title = family.first().map_or("", |row| row.family);
        let width = family.iter().map(|row| row.name.len()).max().unwrap_or_default();
        let gap = if text.is_empty() { "" } else { "\n" };
        let _infallible = writeln!(text, "{gap}{title}");
        for row in family {
            let mark = if row.draws { '*' } else { ' ' };
            let first = format!(" {mark}{:width$}  ", row.name);
            text.push_str(&wrapped(&first, row.about));
        }
    }
    text.push_str("\n*draws: the same in every rendering of a rotation\n");
    text
}

fn explanation(row: &Row<'_>) -> String {
    let effect =
        if row.draws { "It draws: the same in every rendering of a rotation." } else { "It draws nothing." };
    let usage = wrapped("", &format!("{} -> {}", row.usage, row.returns));
    let last = wrapped("", &format!("{}. {effect}", row.family));
    [usage, wrapped("", row.about), last].join("\n")
}

/// The text behind `first`, with lines of at most [`WIDTH`] columns that begin where the first one does.
fn wrapped(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut lines = first.to_owned();
    let mut column = indent;
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > WIDTH {
            let _infallible = write!(lines, "\n{:indent$}", "");
            column = indent;
        } else if at > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.push('\n');
    lines
}

fn unknown(rows: &[Row<'_>], name: &str) -> Ending {
    let wanted = name.to_lowercase();
    let begin: String = wanted.chars().take(3).collect();
    let is_similar = |row: &&Row<'_>| {
        let other = row.name.to_lowercase();
        other.contains(&wanted) || wanted.contains(&other) || other.starts_with(&begin)
    };
    let similar: Vec<&str> = rows.iter().filter(is_similar).map(|row| row.name).take(SIMILAR).collect();
    let hint = match similar.as_slice() {
        [] => "`keymill functions` lists all".to_owned(),
        names => format!("similar are {}", names.join(", ")),
    };
    Ending::usage(format!("find the function {name:?}: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Row<'static>> {
        bundle::builtin("template", "go").unwrap().functions.lines().map(|line| row(line).unwrap()).collect()
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let rows = all();
        let text = rows.iter().map(explanation).chain([list(&rows)]).collect::<String>();
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn every_row_is_in_the_list_once() {
        let rows = all();
        let text = list(&rows);
        let lines = text.lines().filter(|line| line.starts_with([' ']) && !line.starts_with("   "));
        assert_eq!(lines.count(), rows.len());
    }

    #[test]
    fn a_mistyped_name_is_answered() {
        let similar = |name: &str| format!("{:?}", unknown(&all(), name));
        assert!(similar("randalphanum").contains("randAlphaNum"));
        assert!(similar("base64").contains("similar are"), "{}", similar("base64"));
        assert!(similar("zzz").contains("lists all"));
    }
}
