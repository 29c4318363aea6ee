//! The live table: one line per object.
//!
//! On a terminal it is redrawn in place; elsewhere only the lines that changed are printed. `render` is pure.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) reason: String,
    /// The condition's message, shown below a row that is not ready.
    pub(crate) message: String,
    pub(crate) last: Option<Timestamp>,
    pub(crate) next: Option<Timestamp>,
    /// Which version of the spec.
    pub(crate) generation: i64,
}

/// The Ready condition in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ready,
    NotReady,
    Waiting,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Status::Ready => "Ready",
            Status::NotReady => "NotReady",
            Status::Waiting => "Waiting",
        }
    }
}

/// Rows by kind, namespace and name.
pub(crate) type Rows = BTreeMap<(&'static str, String, String), Row>;

/// The table's lines, none longer than `width`.
pub(crate) fn render(rows: &Rows, now: Timestamp, width: usize) -> Vec<String> {
    let several = rows.values().any(|row| row.namespace != "default" && !row.namespace.is_empty());
    let name = |row: &Row| match several && !row.namespace.is_empty() {
        true => format!("{}/{}", row.namespace, row.name),
        false => row.name.clone(),
    };
    let mut cells = vec![["KIND", "NAME", "STATUS", "REASON", "LAST", "NEXT"].map(str::to_owned)];
    for row in rows.values() {
        let last = row.last.map_or_else(|| "-".to_owned(), |last| span(now.as_second() - last.as_second()));
        let next = row.next.map_or_else(|| "-".to_owned(), |next| span(next.as_second() - now.as_second()));
        let reason = if row.reason.is_empty() { "-" } else { &row.reason };
        cells.push([
            row.kind.to_owned(),
            name(row),
            row.status.as_str().to_owned(),
            reason.to_owned(),
            last,
            next,
        ]);
    }
    let widths = widths(&cells, width);
    let mut lines = Vec::new();
    let messages = std::iter::once("").chain(rows.values().map(|row| match row.status {
        Status::NotReady => row.message.as_str(),
        Status::Ready | Status::Waiting => "",
    }));
    for (row, message) in cells.iter().zip(messages) {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", cut(cell, *width))).collect();
        lines.push(padded.join("  ").trim_end().to_owned());
        if !message.is_empty() {
            lines.extend(wrapped(&format!("            {message}"), width));
        }
    }
    lines
}

/// Natural widths; names give way first when the line is too long.
fn widths(cells: &[[String; 6]], width: usize) -> [usize; 6] {
    let mut widths = [0; 6];
    for row in cells {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.chars().count());
        }
    }
    let mut over = (widths.iter().sum::<usize>() + 10).saturating_sub(width);
    for (column, least) in [(1, 12), (3, 8), (0, 8)] {
        if let Some(natural) = widths.get_mut(column) {
            let given = over.min(natural.saturating_sub(least));
            *natural -= given;
            over -= given;
        }
    }
    widths
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Seconds as kubectl says ages.
fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Where the table goes.
pub(crate) struct Screen {
    terminal: bool,
    drawn: usize,
    before: BTreeMap<(&'static str, String, String), String>,
}

impl Screen {
    pub(crate) fn new(terminal: bool) -> Self {
        Self { terminal, drawn: 0, before: BTreeMap::new() }
    }

    /// Shows the rows as they are now.
    pub(crate) fn show(&mut self, rows: &Rows, now: Timestamp, out: &mut dyn Write) -> std::io::Result<()> {
        if self.terminal { self.redraw(rows, now, out) } else { self.print_changes(rows, out) }
    }

    fn redraw(&mut self, rows: &Rows, now: Timestamp, out: &mut dyn Write) -> std::io::Result<()> {
        let lines = clipped(render(rows, now, columns()), height());
        let mut text = String::new();
        if self.drawn > 0 {
            // Up to the first line of the last drawing, and clear from there.
            text.push_str(&format!("\x1b[{}A\x1b[J", self.drawn));
        }
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines.len();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn print_changes(&mut self, rows: &Rows, out: &mut dyn Write) -> std::io::Result<()> {
        for (key, row) in rows {
            let text = plain(row);
            if self.before.get(key) != Some(&text) {
                writeln!(out, "{text}")?;
                self.before.insert(key.clone(), text);
            }
        }
        out.flush()
    }

    /// Prints a line above the table.
    pub(crate) fn say(&mut self, line: &str, out: &mut dyn Write) -> std::io::Result<()> {
        if self.terminal && self.drawn > 0 {
            write!(out, "\x1b[{}A\x1b[J", self.drawn)?;
            self.drawn = 0;
        }
        if self.terminal {
            for line in wrapped(line, columns()) {
                writeln!(out, "{line}")?;
            }
        } else {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }
}

/// A table that is higher than the terminal would scroll away at each drawing.
fn clipped(mut lines: Vec<String>, height: usize) -> Vec<String> {
    let room = height.saturating_sub(1).max(2);
    if lines.len() > room {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("and {more} more lines; make the terminal higher, or use kubectl"));
    }
    lines
}

fn height() -> usize {
    terminal_size::terminal_size().map_or(24, |(_, height)| usize::from(height.0))
}

fn columns() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// A long line in lines of at most `width`, broken between words; those after the first stand under its text.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    const INDENT: usize = 12;
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split_inclusive(' ') {
        let fits = current.chars().count() + word.trim_end().chars().count() <= width;
        if !fits && !current.trim().is_empty() {
            lines.push(current.trim_end().to_owned());
            current = " ".repeat(INDENT);
        }
        current.push_str(word);
    }
    lines.push(current.trim_end().to_owned());
    lines
}

/// One object in one line, for logs and files.
pub(crate) fn plain(row: &Row) -> String {
    let last = row.last.map_or_else(|| "-".to_owned(), |last| last.to_string());
    let next = row.next.map_or_else(|| "-".to_owned(), |next| next.to_string());
    let reason = if row.reason.is_empty() { "-" } else { &row.reason };
    let name =
        if row.namespace.is_empty() { row.name.clone() } else { format!("{}/{}", row.namespace, row.name) };
    let mut text = format!("{} {name} {} {reason} last={last} next={next}", row.kind, row.status.as_str());
    if row.status == Status::NotReady && !row.message.is_empty() {
        text.push_str(": ");
        text.push_str(&row.message);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(
        kind: &'static str,
        name: &str,
        status: Status,
        message: &str,
    ) -> ((&'static str, String, String), Row) {
        let row = Row {
            kind,
            namespace: "default".to_owned(),
            name: name.to_owned(),
            status,
            reason: "SecretSynced".to_owned(),
            message: message.to_owned(),
            last: Some(Timestamp::from_second(1_000).unwrap()),
            next: Some(Timestamp::from_second(87_400).unwrap()),
            generation: 1,
        };
        ((kind, row.namespace.clone(), row.name.clone()), row)
    }

    #[test]
    fn fits_eighty_columns() {
        let rows: Rows = [
            row("ExternalSecret", "cluster-example-app-secret", Status::Ready, ""),
            row("PushSecret", &"long-name-".repeat(12), Status::NotReady, &"a long message ".repeat(12)),
        ]
        .into();
        let lines = render(&rows, Timestamp::from_second(1_003).unwrap(), 80);
        assert_eq!(lines.len(), 6, "{lines:#?}");
        assert_eq!(lines.concat().matches("message").count(), 12, "a message was cut");
        for line in &lines {
            assert!(line.chars().count() <= 80, "{} {line}", line.chars().count());
        }
        let first = lines.get(1).unwrap();
        assert!(first.starts_with("ExternalSecret  cluster-example-app-secret"), "{first}");
        assert!(first.ends_with("Ready     SecretSynced  3s    23h"), "{first}");
    }

    #[test]
    fn a_table_is_never_higher_than_the_terminal() {
        let lines: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let shown = clipped(lines.clone(), 10);
        assert_eq!(shown.len(), 9);
        assert!(shown.last().unwrap().starts_with("and 22 more lines"), "{shown:?}");
        assert_eq!(clipped(lines.clone(), 40), lines);
    }

    #[test]
    fn a_long_line_is_broken_between_words() {
        let lines = wrapped(&format!("lint        {}", "some words ".repeat(20)), 40);
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:#?}");
        assert!(
            lines
                .iter()
                .skip(1)
                .all(|line| line.starts_with("            some") || line.starts_with("            words"))
        );
        assert_eq!(lines.concat().matches("words").count(), 20);
        assert_eq!(wrapped("short", 40), ["short"]);
    }

    #[test]
    fn ages_read_like_kubectl() {
        for (seconds, text) in
            [(-5, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (200_000, "2d")]
        {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn a_file_gets_only_what_changed() {
        let mut screen = Screen::new(false);
        let mut rows: Rows =
            [row("ExternalSecret", "a", Status::Ready, ""), row("PushSecret", "b", Status::Ready, "")].into();
        let mut out = Vec::new();
        let now = Timestamp::from_second(1_003).unwrap();
        screen.show(&rows, now, &mut out).unwrap();
        screen.show(&rows, now, &mut out).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
        rows.values_mut().next().unwrap().status = Status::NotReady;
        screen.show(&rows, now, &mut out).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 3);
    }
}
