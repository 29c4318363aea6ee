//! The names that a CEL expression uses: variables that nobody declares, and fields that the schema does not
//! have.

use std::sync::{Arc, LazyLock};

use kube_cel::cel::IdedExpr;
use kube_cel::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr};

use super::cel_value::escape;
use super::node::{Node, Type};

/// What a rule may read of an object's metadata.
static METADATA: LazyLock<Node> = LazyLock::new(|| {
    let text = Arc::new(Node { kind: Some(Type::String), ..Node::default() });
    let properties = ["name", "generateName"].map(|name| (name.to_owned(), text.clone()));
    Node { kind: Some(Type::Object), properties: properties.into(), ..Node::default() }
});

/// Variables that are neither declared nor bound by a macro such as `all(x, ...)`.
pub(super) fn undeclared(expression: &IdedExpr, declared: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    walk(expression, &mut Vec::new(), &mut |expression, bound| {
        if let Expr::Ident(name) = expression
            && !declared(name)
            && !bound.contains(&name.as_str())
            && !found.contains(name)
        {
            found.push(name.clone());
        }
    });
    found
}

/// Fields of `self` and `oldSelf` that the schema does not have.
pub(super) fn undefined_fields(expression: &IdedExpr, schema: &Node) -> Vec<String> {
    let mut found = Vec::new();
    walk(expression, &mut Vec::new(), &mut |expression, bound| {
        if let Expr::Select(select) = expression
            && let Some(node) = node_of(&select.operand.expr, schema, bound)
            && is_closed(node)
            && field(node, &select.field).is_none()
            && !found.contains(&select.field)
        {
            found.push(select.field.clone());
        }
    });
    found
}

/// The schema of the value that a chain of fields leads to.
fn node_of<'a>(expression: &Expr, schema: &'a Node, bound: &[&str]) -> Option<&'a Node> {
    match expression {
        Expr::Ident(name) if (name == "self" || name == "oldSelf") && !bound.contains(&name.as_str()) => {
            Some(schema)
        }
        Expr::Select(select) => field(node_of(&select.operand.expr, schema, bound)?, &select.field),
        _ => None,
    }
}

/// Whether an object has the fields of its schema and no other.
fn is_closed(node: &Node) -> bool {
    node.kind == Some(Type::Object) && node.additional.is_none() && !node.preserve_unknown
}

fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    if node.embedded && name == "metadata" {
        return Some(&METADATA);
    }
    node.properties.iter().find(|(property, _)| escape(property) == name).map(|(_, schema)| &**schema)
}

/// Visits every part of an expression, with the variables that macros around it bind.
fn walk<'a>(expression: &'a IdedExpr, bound: &mut Vec<&'a str>, visit: &mut dyn FnMut(&'a Expr, &[&str])) {
    visit(&expression.expr, bound);
    match &expression.expr {
        Expr::Call(call) => call
            .target
            .iter()
            .map(|target| &**target)
            .chain(&call.args)
            .for_each(|part| walk(part, bound, visit)),
        Expr::Comprehension(comprehension) => walk_comprehension(comprehension, bound, visit),
        Expr::List(list) => list.elements.iter().for_each(|part| walk(part, bound, visit)),
        Expr::Select(select) => walk(&select.operand, bound, visit),
        Expr::Map(map) => map.entries.iter().for_each(|entry| walk_entry(&entry.expr, bound, visit)),
        Expr::Struct(literal) => {
            literal.entries.iter().for_each(|entry| walk_entry(&entry.expr, bound, visit))
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn walk_entry<'a>(entry: &'a EntryExpr, bound: &mut Vec<&'a str>, visit: &mut dyn FnMut(&'a Expr, &[&str])) {
    match entry {
        EntryExpr::StructField(field) => walk(&field.value, bound, visit),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, bound, visit);
            walk(&entry.value, bound, visit);
        }
    }
}

fn walk_comprehension<'a>(
    comprehension: &'a ComprehensionExpr,
    bound: &mut Vec<&'a str>,
    visit: &mut dyn FnMut(&'a Expr, &[&str]),
) {
    walk(&comprehension.iter_range, bound, visit);
    walk(&comprehension.accu_init, bound, visit);
    let outside = bound.len();
    bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
    bound.extend(comprehension.iter_var2.as_deref());
    for part in [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result] {
        walk(part, bound, visit);
    }
    bound.truncate(outside);
}
