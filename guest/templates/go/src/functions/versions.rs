//! Semantic versions.

use std::rc::Rc;

use super::arguments::text;
use super::{Context, Family, Function, Type, p};
use crate::object::Object;
use crate::object::version::{Version, satisfies};
use crate::rule::Rule;
use crate::value::Value;

const F: Family = Family::Versions;

pub(super) const ROWS: &[Function] = &[
    F.pure(
        "semver",
        &[p("version", Type::Text)],
        "version",
        "The parts of a version: `.Major`, `.Minor`, ...",
        semver,
    ),
    F.pure(
        "semverCompare",
        &[p("constraint", Type::Text), p("version", Type::Text)],
        "bool",
        "Whether the version satisfies the constraint.",
        semver_compare,
    ),
];

fn utf8(a: &[Value], at: usize) -> Result<&str, Rule> {
    std::str::from_utf8(text(a, at)?).map_err(|_| Rule::BadArgument)
}

fn semver(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    Ok(Value::Object(Rc::new(Object::Version(Version::parse(utf8(a, 0)?)?))))
}

fn semver_compare(a: &[Value], _: &mut Context<'_>) -> Result<Value, Rule> {
    let constraint = utf8(a, 0)?;
    satisfies(constraint, &Version::parse(utf8(a, 1)?)?).map(Value::Bool)
}
