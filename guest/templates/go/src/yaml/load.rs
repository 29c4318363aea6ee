//! The first document of a text as a tree.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Tag as EventTag};

use super::Node;
use super::resolve::{Tag, resolve};
use crate::limits::{Budget, VALUE_DEPTH};
use crate::rule::Rule;

/// Reads the first document; an empty one is null.
pub(super) fn load(text: &[u8], budget: &mut Budget) -> Result<Node, Rule> {
    budget.bytes(text.len())?;
    let text = std::str::from_utf8(text).map_err(|_| Rule::NotYaml)?;
    if !text.chars().all(is_allowed) {
        return Err(Rule::NotYaml);
    }
    let mut options = Options::default();
    // Another crate in the tree may have switched comments on.
    options.emit_comments = false;
    let events = Parser::new_from_str_with_options(text, options);
    let mut loader = Loader { events, anchors: BTreeMap::new(), budget, unended: unended(text) };
    loop {
        match loader.event()? {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Node::Null),
            first => return loader.node(first, 0),
        }
    }
}

fn unended(text: &str) -> Option<usize> {
    let start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default();
    let content = line.contains(|c: char| c != ' ');
    content.then(|| text.get(..start).unwrap_or_default().chars().count())
}

/// go-yaml refuses control characters anywhere.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

struct Loader<'i, 'b, E: Iterator<Item = Result<(Event<'i>, granit_parser::Span), granit_parser::ScanError>>>
{
    events: E,
    anchors: BTreeMap<usize, Node>,
    budget: &'b mut Budget,
    /// Where the last line starts, in characters, if it has content and no newline.
    unended: Option<usize>,
}

impl<'i, E: Iterator<Item = Result<(Event<'i>, granit_parser::Span), granit_parser::ScanError>>>
    Loader<'i, '_, E>
{
    fn event(&mut self) -> Result<Event<'i>, Rule> {
        self.budget.step()?;
        match self.events.next() {
            Some(Ok((event, span))) => Ok(self.without_newline(event, span.end.index())),
            Some(Err(_)) => Err(Rule::NotYaml),
            None => Ok(Event::StreamEnd),
        }
    }

    /// A block that the text's end ends in the middle of a line has no newline there to keep.
    fn without_newline(&self, event: Event<'i>, end: usize) -> Event<'i> {
        match (event, self.unended) {
            (
                Event::Scalar(text, style @ (ScalarStyle::Literal | ScalarStyle::Folded), anchor, tag),
                Some(start),
            ) if end > start => {
                let text = text.strip_suffix('\n').map(str::to_owned).map_or(text, Into::into);
                Event::Scalar(text, style, anchor, tag)
            }
            (event, _) => event,
        }
    }

    fn node(&mut self, event: Event<'i>, depth: usize) -> Result<Node, Rule> {
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (resolve(scalar_tag(style, tag.as_deref()), &text)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, depth),
            _ => return Err(Rule::NotYaml),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// A copy of what an anchor names, charged in full, so that aliases of aliases end.
    fn alias(&mut self, anchor: usize, depth: usize) -> Result<Node, Rule> {
        let node = self.anchors.get(&anchor).ok_or(Rule::NotYaml)?;
        let extent = extent(node);
        if depth + extent.depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        self.budget.steps(extent.size)?;
        Ok(node.clone())
    }

    fn list(&mut self, depth: usize) -> Result<Node, Rule> {
        let mut items = Vec::new();
        loop {
            match self.event()? {
                Event::SequenceEnd => return Ok(Node::List(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, Rule> {
        let mut entries = Vec::new();
        loop {
            let event = match self.event()? {
                Event::MappingEnd => return Ok(Node::Map(entries)),
                event => event,
            };
            let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, depth + 1)?;
            let event = self.event()?;
            let value = self.node(event, depth + 1)?;
            if merges {
                merge(&mut entries, value)?;
            } else {
                entries.push((key, value));
            }
        }
    }
}

/// `<<`: the entries of a map, or of each map of a list.
fn merge(entries: &mut Vec<(Node, Node)>, value: Node) -> Result<(), Rule> {
    match value {
        Node::Map(more) => entries.extend(more),
        Node::List(maps) => {
            // The first map of the list counts most.
            for map in maps.into_iter().rev() {
                match map {
                    Node::Map(more) => entries.extend(more),
                    _ => return Err(Rule::NotYaml),
                }
            }
        }
        _ => return Err(Rule::NotYaml),
    }
    Ok(())
}

/// How much a copy costs and how deep it nests.
struct Extent {
    size: usize,
    depth: usize,
}

fn extent(node: &Node) -> Extent {
    let of = |children: &mut dyn Iterator<Item = &Node>| {
        let start = Extent { size: 1, depth: 1 };
        children.map(extent).fold(start, |sum, child| Extent {
            size: sum.size + child.size,
            depth: sum.depth.max(child.depth + 1),
        })
    };
    match node {
        Node::List(items) => of(&mut items.iter()),
        Node::Map(entries) => of(&mut entries.iter().flat_map(|(key, value)| [key, value])),
        Node::Text(text) => Extent { size: 1 + text.len() / 32, depth: 0 },
        Node::Null | Node::Bool(_) | Node::Int(_) | Node::Uint(_) | Node::Float(_) | Node::Plain(_) => {
            Extent { size: 1, depth: 0 }
        }
    }
}

fn scalar_tag(style: ScalarStyle, tag: Option<&EventTag>) -> Tag {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { Tag::Plain } else { Tag::Text };
    };
    if tag.handle() != "tag:yaml.org,2002:" {
        return Tag::Other;
    }
    match tag.suffix() {
        "str" => Tag::Text,
        "binary" => Tag::Binary,
        "bool" => Tag::Bool,
        "int" => Tag::Int,
        "float" => Tag::Float,
        "null" => Tag::Null,
        "timestamp" => Tag::Timestamp,
        _ => Tag::Other,
    }
}
