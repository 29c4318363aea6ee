//! How a field merges: for server-side apply and for strategic merge patches.

use serde_json::Value;

use super::node::{Additional, ListType, Node, Type};

/// How server-side apply treats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeKind<'a> {
    /// A map whose fields are owned one by one.
    Granular,
    /// A scalar, or a map or list that is owned and replaced as a whole.
    Atomic,
    /// A list of scalars, each owned by itself.
    Set,
    /// A list of objects told apart by these keys.
    Map(&'a [String]),
}

/// How a strategic merge patch treats a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchStrategy<'a> {
    /// The patch's list replaces the list.
    Replace,
    /// Scalars are added to the list.
    Merge,
    /// Objects are merged by this key.
    MergeBy(&'a str),
}

/// A position in a schema. Below fields that the schema does not know it goes on, treating maps as granular
/// and lists as atomic.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    node: Option<&'a Node>,
}

impl<'a> Field<'a> {
    pub(crate) fn of(node: &'a Node) -> Self {
        Self { node: Some(node) }
    }

    /// A position without a schema: what kinds without one have.
    pub fn unknown() -> Self {
        Self { node: None }
    }

    /// The field or map entry of that name.
    #[must_use]
    pub fn property(self, name: &str) -> Self {
        Self { node: self.node.and_then(|node| node.property(name)) }
    }

    /// The items of a list.
    #[must_use]
    pub fn item(self) -> Self {
        Self { node: self.node.and_then(Node::item) }
    }

    /// Whether the schema says anything here.
    pub fn is_known(self) -> bool {
        self.node.is_some()
    }

    /// Whether the schema has a field of that name here, or takes any.
    pub fn allows(self, name: &str) -> bool {
        self.node.is_none_or(|node| {
            node.preserve_unknown || node.additional.is_some() || node.properties.contains_key(name)
        })
    }

    /// What should be here in place of `value`, in the words of server-side apply; `None` where it fits.
    pub(crate) fn mismatch(self, value: &Value) -> Option<&'static str> {
        let kind = self.node.filter(|node| !node.int_or_string).and_then(|node| node.kind)?;
        let (fits, expected) = match kind {
            Type::Object => (value.is_object(), "map"),
            Type::Array => (value.is_array(), "list"),
            Type::String => (value.is_string(), "string"),
            Type::Boolean => (value.is_boolean(), "boolean"),
            Type::Integer | Type::Number => (value.is_number(), "numeric (int or float)"),
        };
        (!fits && !value.is_null()).then_some(expected)
    }

    /// How server-side apply treats `value` here.
    pub fn merge(self, value: &Value) -> MergeKind<'a> {
        match (value, self.node) {
            (Value::Object(_), None) => MergeKind::Granular,
            (Value::Object(_), Some(node)) if node.atomic_map => MergeKind::Atomic,
            (Value::Object(_), Some(_)) => MergeKind::Granular,
            (Value::Array(_), Some(node)) => match &node.list_type {
                Some(ListType::Set) => MergeKind::Set,
                Some(ListType::Map(keys)) => MergeKind::Map(keys),
                Some(ListType::Atomic) | None => MergeKind::Atomic,
            },
            _ => MergeKind::Atomic,
        }
    }

    /// The default of the field, which fills in missing keys of list items.
    pub fn default(self) -> Option<&'a Value> {
        self.node.and_then(|node| node.default.as_ref())
    }

    /// How a strategic merge patch treats a list here.
    pub fn patch_strategy(self) -> PatchStrategy<'a> {
        match self.node {
            Some(node) if node.patch_merge => match &node.patch_merge_key {
                Some(key) => PatchStrategy::MergeBy(key),
                None => PatchStrategy::Merge,
            },
            _ => PatchStrategy::Replace,
        }
    }

    /// Whether this is a map with free keys, as labels are.
    pub fn is_map(self) -> bool {
        self.node.is_some_and(|node| matches!(node.additional, Some(Additional::Any | Additional::Of(_))))
    }
}
