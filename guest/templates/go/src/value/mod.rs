//! What a template computes with: Go's values, as far as a template can get hold of one.
//!
//! Go's type of a value is visible in a template (`%T`, `eq`, whether an argument fits), so the model keeps it: `int` is
//! not `int64`, a list of strings is not a list of anything, a nil list is not an empty one. Values are cheap to clone;
//! only dicts can be changed in place, and all clones of a dict see it, as in Go. No Debug shows content.

pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod kind;
pub(crate) mod truth;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::limits::{self, VALUE_DEPTH};
use crate::object::Object;
use crate::rule::Rule;
use crate::text::Text;

/// One Go value.
#[derive(Clone)]
pub(crate) enum Value {
    /// No value, or a nil interface: a template cannot tell them apart where it matters.
    Nil,
    Bool(bool),
    Int(i64, IntType),
    Uint(u64, UintType),
    Float(f64),
    Complex(f64, f64),
    Text(Text),
    List(List),
    /// `map[string]interface {}`
    Dict(Dict),
    /// `map[string]string`: the data, and what `split` returns.
    Texts(Rc<BTreeMap<Text, Text>>),
    Object(Rc<Object>),
}

/// Go's integer types that functions return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntType {
    Int,
    Int64,
    Duration,
    Month,
    Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UintType {
    Byte,
    Uint64,
}

/// The element type of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elements {
    Any,
    Texts,
    Ints,
    Lists,
}

/// An immutable list with its element type.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) elements: Elements,
    /// None is Go's nil slice, which prints like an empty one but is `null` in JSON.
    items: Option<Rc<[Value]>>,
    depth: usize,
}

impl List {
    /// Refuses what nests too deeply to be printed or dropped.
    pub(crate) fn new(elements: Elements, items: Vec<Value>) -> Result<Self, Rule> {
        limits::check_list(items.len())?;
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or_default();
        if depth > VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        Ok(Self { elements, items: Some(Rc::from(items)), depth })
    }

    /// Go's nil slice.
    pub(crate) const fn nil(elements: Elements) -> Self {
        Self { elements, items: None, depth: 1 }
    }

    pub(crate) fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    pub(crate) fn items(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}

/// A dict. Clones share its content.
#[derive(Clone, Default)]
pub(crate) struct Dict {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    entries: RefCell<BTreeMap<Text, Value>>,
    /// The deepest that an entry has nested when it was set.
    depth: Cell<usize>,
}

impl Dict {
    pub(crate) fn get(&self, key: &[u8]) -> Option<Value> {
        self.shared.entries.borrow().get(key).cloned()
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.shared.entries.borrow().contains_key(key)
    }

    /// Refuses a value that nests too deeply. A dict that is made to contain itself is found only where it is walked.
    pub(crate) fn insert(&self, key: Text, value: Value) -> Result<(), Rule> {
        let depth = value.depth();
        if depth >= VALUE_DEPTH {
            return Err(Rule::Nesting);
        }
        limits::check_list(self.len() + 1)?;
        self.shared.depth.set(self.shared.depth.get().max(depth));
        self.shared.entries.borrow_mut().insert(key, value);
        Ok(())
    }

    pub(crate) fn remove(&self, key: &[u8]) {
        self.shared.entries.borrow_mut().remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.shared.entries.borrow().len()
    }

    /// The entries in the order of their keys, as they are now: the caller may change the dict meanwhile.
    pub(crate) fn entries(&self) -> Vec<(Text, Value)> {
        self.shared.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Value {
    pub(crate) const fn int(value: i64) -> Self {
        Self::Int(value, IntType::Int)
    }

    pub(crate) const fn int64(value: i64) -> Self {
        Self::Int(value, IntType::Int64)
    }

    /// A length or a position, which always fits.
    pub(crate) fn count(value: usize) -> Self {
        Self::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(crate) fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// `[]interface {}`
    pub(crate) fn list(items: Vec<Self>) -> Result<Self, Rule> {
        Ok(Self::List(List::new(Elements::Any, items)?))
    }

    /// `[]string`
    pub(crate) fn texts(items: Vec<Text>) -> Result<Self, Rule> {
        let items = items.into_iter().map(Self::Text).collect();
        Ok(Self::List(List::new(Elements::Texts, items)?))
    }

    /// How deep lists and dicts nest here.
    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Dict(dict) => 1 + dict.shared.depth.get(),
            _ => 0,
        }
    }
}

impl fmt::Debug for Value {
    /// A value may be a secret: only its type is shown.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&kind::type_name(self))
    }
}
