//! How a text may be written as a YAML scalar, by libyaml's analysis of its characters.

/// The four ways.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// A text and the way that is wanted for it.
pub(super) struct Scalar<'t> {
    pub(super) text: &'t str,
    pub(super) wanted: Style,
}

impl Scalar<'_> {
    /// The way that is wanted, or the next that the text allows. A key stays on one line.
    pub(super) fn style(&self, key: bool) -> Style {
        let allowed = Allowed::of(self.text);
        let mut style = self.wanted;
        if key && style == Style::Literal {
            style = Style::Double;
        }
        if style == Style::Plain && (!allowed.plain || (self.text.is_empty() && key)) {
            style = Style::Single;
        }
        match style {
            Style::Single if !allowed.single => Style::Double,
            Style::Literal if !allowed.block => Style::Double,
            style => style,
        }
    }
}

/// What characters stand where in a text.
#[derive(Default)]
struct Seen {
    indicators: bool,
    breaks: bool,
    special: bool,
    blank_at_start: bool,
    blank_at_end: bool,
    break_at_edge: bool,
    break_then_blank: bool,
    blank_then_break: bool,
}

struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain: true, single: true, block: false };
        }
        let seen = Seen::in_text(text);
        let broken = seen.blank_then_break || seen.special;
        let edges = seen.blank_at_start || seen.blank_at_end || seen.break_at_edge;
        Self {
            plain: !(edges || seen.break_then_blank || broken || seen.breaks || seen.indicators),
            single: !(seen.break_then_blank || broken),
            block: !(seen.blank_at_end || broken),
        }
    }
}

impl Seen {
    fn in_text(text: &str) -> Self {
        let mut seen =
            Self { indicators: text.starts_with("---") || text.starts_with("..."), ..Self::default() };
        let (mut after_blank, mut after_break, mut after_white) = (false, false, true);
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            let next = rest.clone().next();
            let last = next.is_none();
            seen.indicators |= is_indicator(c, first, after_white, next.is_none_or(is_white));
            seen.special |= !is_printable(c);
            if c == ' ' {
                seen.blank_at_start |= first;
                seen.blank_at_end |= last;
                seen.break_then_blank |= after_break;
            } else if is_break(c) {
                seen.breaks = true;
                seen.break_at_edge |= first || last;
                seen.blank_then_break |= after_blank;
            }
            (after_blank, after_break, after_white) = (c == ' ', is_break(c), is_white(c));
            first = false;
        }
        seen
    }
}

/// Whether the character would mean something here in a plain text outside of brackets.
fn is_indicator(c: char, first: bool, after_white: bool, before_white: bool) -> bool {
    match c {
        '#' if first || after_white => true,
        ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
        '?' | '-' => first && before_white,
        ':' => before_white,
        _ => false,
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_break(c)
}

/// What libyaml writes as it is: nothing beyond the basic plane, and no tab.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}
