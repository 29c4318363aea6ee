//! A component's facts as text for a person: 80 columns where the words allow it.
//!
//! Everything here was said by the component before it had seen anything, and the runtime has bounded it to lines without control
//! characters.

use runtime::{Capability, Component, Description, Sensitivity};

const WIDTH: usize = 80;
const LABEL: usize = 9;
const INDENT: usize = 2;

/// The whole report.
pub(super) fn text(component: &Component) -> String {
    let description = component.description();
    let mut text = String::new();
    for (label, fact) in facts(component, description) {
        text.push_str(&labelled(label, &fact));
    }
    let wants = description
        .wants
        .iter()
        .map(|want| (want.label.clone(), format!("({}) {}", capability(want.capability), want.about)));
    section(&mut text, "wants", wants.collect());
    let fields = description
        .fields
        .iter()
        .map(|field| (field.name.clone(), format!("({}) {}", sensitivity(field.sensitivity), field.about)));
    section(&mut text, "fields", fields.collect());
    section(
        &mut text,
        "rules",
        description.rules.iter().map(|rule| (rule.name.clone(), rule.about.clone())).collect(),
    );
    text.push_str("\nconfig schema\n");
    for line in format!("{:#}", description.config_schema).lines() {
        text.push_str(&format!("{:INDENT$}{line}\n", ""));
    }
    text
}

fn facts(component: &Component, description: &Description) -> Vec<(&'static str, String)> {
    let imports = component.imports();
    let imports = if imports.is_empty() { "none".to_owned() } else { imports.join(" ") };
    vec![
        ("name", description.name.clone()),
        ("world", component.world().to_string()),
        ("version", description.version.clone()),
        ("summary", description.summary.clone()),
        ("digest", component.digest().to_string()),
        ("size", exact_size(component)),
        ("imports", imports),
    ]
}

pub(super) fn exact_size(component: &Component) -> String {
    format!("{} ({} bytes)", size(component.size()), component.size())
}

/// A label and what is said of it.
pub(super) fn labelled(label: &str, fact: &str) -> String {
    let mut text = String::new();
    for (index, line) in wrap(fact, WIDTH - LABEL).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        text.push_str(&format!("{label:<LABEL$}{line}\n"));
    }
    text
}

/// Names, each with its text wrapped below it; nothing when there are none.
fn section(text: &mut String, title: &str, items: Vec<(String, String)>) {
    if items.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}\n"));
    for (name, about) in items {
        text.push_str(&format!("{:INDENT$}{name}\n", ""));
        for line in wrap(&about, WIDTH - 2 * INDENT) {
            text.push_str(&format!("{:1$}{line}\n", "", 2 * INDENT));
        }
    }
}

/// Words in lines of at most `width` characters; a longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Rows under their titles, each column as wide as its widest cell; the last one is cut where the line would be too long.
pub(super) fn table(rows: &[Vec<String>], width: Option<usize>) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let length = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| length(row, column)).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(&cut(line.trim_end(), width));
        text.push('\n');
    }
    text
}

fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => {
            line.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect()
        }
        _ => line.to_owned(),
    }
}

/// Rounded to whole KiB, and never to none.
pub(super) fn size(bytes: usize) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

pub(super) const fn capability(capability: Capability) -> &'static str {
    match capability {
        Capability::Kube => "kube",
        Capability::Vault => "vault",
        Capability::Http => "http",
        Capability::Previous => "previous",
    }
}

pub(super) const fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Secret => "secret",
        Sensitivity::Derived => "derived",
        Sensitivity::Public => "public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_never_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a sha256:0123456789 b", 8), ["a", "sha256:0123456789", "b"]);
        assert_eq!(labelled("imports", &"keymill:guest/clock@0.1.0 ".repeat(3)).lines().count(), 2);
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let rows = [
            vec!["NAME".to_owned(), "SUMMARY".to_owned()],
            vec!["uuid".to_owned(), "Random UUIDs".to_owned()],
        ];
        assert_eq!(table(&rows, None), "NAME  SUMMARY\nuuid  Random UUIDs\n");
        assert_eq!(table(&rows, Some(13)), "NAME  SUMMARY\nuuid  Random…\n");
    }

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!([size(1), size(1024), size(1025)], ["1 KiB", "1 KiB", "2 KiB"]);
    }
}
