//! Pruning: removing what the schema does not know.

use serde_json::Value;

use super::node::{Additional, Node};

/// Removes unknown fields; their paths, sorted, as `spec.items[0].name`.
pub(super) fn prune(value: &mut Value, node: &Node) -> Vec<String> {
    let mut pruned = Vec::new();
    prune_at(value, Some(node), false, "", &mut pruned);
    pruned.sort();
    pruned
}

/// Without a node everything goes. A node that preserves unknown fields (or a list of them, hence `keep`)
/// still prunes inside those it knows.
fn prune_at(value: &mut Value, node: Option<&Node>, keep: bool, path: &str, pruned: &mut Vec<String>) {
    let keep = keep || node.is_some_and(|node| node.preserve_unknown);
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(schema) = descend(node, name) {
                prune_at(field, schema, false, &at, pruned);
                return true;
            }
            if !keep {
                pruned.push(at);
            }
            keep
        }),
        Value::Array(items) => {
            let schema = node.and_then(Node::item);
            if keep && schema.is_none() {
                return;
            }
            for (index, item) in items.iter_mut().enumerate() {
                prune_at(item, schema, keep, &format!("{path}[{index}]"), pruned);
            }
        }
        _ => {}
    }
}

/// The schema of a field that stays; the inner `None` for `additionalProperties: true`, which says nothing
/// about what is inside.
fn descend<'a>(node: Option<&'a Node>, name: &str) -> Option<Option<&'a Node>> {
    let node = node?;
    match (node.properties.get(name), &node.additional) {
        (Some(schema), _) => Some(Some(schema)),
        (None, Some(Additional::Of(schema))) => Some(Some(schema)),
        (None, Some(Additional::Any)) => Some(None),
        (None, None) => None,
    }
}
