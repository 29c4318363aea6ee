//! Rules in CEL (`x-kubernetes-validations`): compiled when the schema is parsed, run on objects that have
//! the right shape.
//!
//! Evaluation never panics and never changes the object; what a rule fails on is told without the values that
//! CEL's errors carry.

use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::objects::OptionalValue;
use kube_cel::cel::{Context, ExecutionError, Program, Value as CelValue};
use serde_json::{Map, Value};

use super::cause::{Cause, Path, Reason};
use super::cel_value::to_cel;
use super::field_path;
use super::node::{Additional, Node, Type};
use super::validate::old_item;
use super::variable;

/// Longer messages of a messageExpression are replaced by the rule's own message.
const MAX_MESSAGE: usize = 5120;
const VARIABLES: [&str; 2] = ["self", "oldSelf"];
const TYPES: [&str; 9] = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type"];

/// A compiled rule.
pub(crate) struct Rule {
    source: String,
    message: Option<String>,
    message_expression: Option<Program>,
    reason: Option<Reason>,
    pub(super) field_path: Option<String>,
    optional_old_self: bool,
    program: Program,
    /// Whether the rule compares with the old value.
    pub(super) transition: bool,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rule").field(&self.source).finish()
    }
}

impl Rule {
    /// Compiles one entry of `x-kubernetes-validations`, collecting all that is wrong with it.
    pub(super) fn parse(source: &Value, at: Path<'_>) -> Result<Self, Vec<Cause>> {
        let text = |name: &str| source.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let rule = text("rule").unwrap_or_default();
        let mut causes = check_texts(source, at);
        if rule.trim().is_empty() {
            return Err(causes);
        }
        let program = compile(rule, &at.child("rule"), source, "compilation failed", &mut causes);
        let message_expression = text("messageExpression").and_then(|expression| {
            compile(
                expression,
                &at.child("messageExpression"),
                source,
                "messageExpression compilation failed",
                &mut causes,
            )
        });
        let transition = program.as_ref().is_some_and(|program| program.references().has_variable("oldSelf"));
        let optional_old_self = source.get("optionalOldSelf").and_then(Value::as_bool);
        if let (Some(given), true) = (optional_old_self, program.is_some() && !transition) {
            causes.push(Cause::invalid(
                at.child("optionalOldSelf"),
                &Value::from(given),
                "may not be set if oldSelf is not used in rule",
            ));
        }
        match program {
            Some(program) if causes.is_empty() => Ok(Self {
                source: rule.trim().to_owned(),
                message: text("message").map(|message| message.trim().to_owned()),
                message_expression,
                reason: text("reason").and_then(reason),
                field_path: text("fieldPath").map(str::to_owned),
                optional_old_self: optional_old_self.unwrap_or(false),
                program,
                transition,
            }),
            _ => Err(causes),
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Fields that the rule reads and its schema does not have.
    pub(super) fn undefined_fields(&self, schema: &Node) -> Vec<String> {
        let expressions = std::iter::once(&self.program).chain(&self.message_expression);
        expressions.flat_map(|program| variable::undefined_fields(program.expression(), schema)).collect()
    }

    /// What the rule calls itself in messages.
    fn name(&self) -> &str {
        self.message.as_deref().unwrap_or(&self.source)
    }
}

fn reason(name: &str) -> Option<Reason> {
    Some(match name {
        "FieldValueInvalid" => Reason::Invalid,
        "FieldValueForbidden" => Reason::Forbidden,
        "FieldValueRequired" => Reason::Required,
        "FieldValueDuplicate" => Reason::Duplicate,
        _ => return None,
    })
}

fn check_texts(source: &Value, at: Path<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let given = |name: &str| source.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let breaks = |text: &str| text.contains(['\n', '\r']);
    let rule = given("rule").unwrap_or_default().trim();
    let message = given("message");
    let trimmed = message.unwrap_or_default().trim();
    let quoted = Value::from(message.unwrap_or_default());
    if rule.is_empty() {
        causes.push(Cause::required(at.child("rule"), "rule is not specified"));
    } else if message.is_some() && trimmed.is_empty() {
        causes.push(Cause::invalid(at.child("message"), &quoted, "must be non-empty if specified"));
    } else if breaks(trimmed) {
        causes.push(Cause::invalid(at.child("message"), &quoted, "must not contain line breaks"));
    } else if breaks(rule) && trimmed.is_empty() {
        causes.push(Cause::required(
            at.child("message"),
            "message must be specified if rule contains line breaks",
        ));
    }
    if given("messageExpression").is_some_and(|text| text.trim().is_empty()) {
        causes.push(Cause::required(
            at.child("messageExpression"),
            "messageExpression must be non-empty if specified",
        ));
    }
    if let Some(name) = given("reason").filter(|name| reason(name).is_none()) {
        let names = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]
            .map(Value::from);
        causes.push(Cause::not_supported(at.child("reason"), &Value::from(name), &names));
    }
    if let Some(path) = given("fieldPath") {
        if path.trim().is_empty() {
            causes.push(Cause::invalid(
                at.child("fieldPath"),
                &Value::from(path),
                "must be non-empty if specified",
            ));
        }
        if breaks(path) {
            causes.push(Cause::invalid(
                at.child("fieldPath"),
                &Value::from(path),
                "must not contain line breaks",
            ));
        }
    }
    causes
}

/// Parses an expression and refuses variables that do not exist.
fn compile(
    expression: &str,
    at: &Path<'_>,
    source: &Value,
    failure: &str,
    causes: &mut Vec<Cause>,
) -> Option<Program> {
    let program = match Program::compile(expression) {
        Ok(program) => program,
        Err(error) => {
            causes.push(Cause::invalid(at, source, &format!("{failure}: {error}")));
            return None;
        }
    };
    let unknown =
        variable::undeclared(program.expression(), &|name| VARIABLES.contains(&name) || is_type(name));
    for name in &unknown {
        let detail = format!("{failure}: undeclared reference to '{name}' (in container '')");
        causes.push(Cause::invalid(at, source, &detail));
    }
    unknown.is_empty().then_some(program)
}

/// Names that CEL itself knows: types, and the namespaces of function libraries.
fn is_type(name: &str) -> bool {
    const LIBRARIES: [&str; 11] =
        ["type", "sets", "math", "optional", "base64", "format", "cel", "ip", "cidr", "jsonpatch", "google"];
    TYPES.contains(&name) || LIBRARIES.contains(&name)
}

/// Runs every rule of the schema on the object.
pub(super) fn validate(root: &Node, new: &Value, old: Option<&Value>) -> Vec<Cause> {
    if !has_rules(root) {
        return Vec::new();
    }
    let mut walk = Walk { context: context(), causes: Vec::new() };
    walk.node(root, Path::Root, new, old, old == Some(new));
    walk.causes
}

/// What CEL has of itself, what Kubernetes adds, and `type()`, which the interpreter lacks: types are texts
/// here.
fn context() -> Context<'static> {
    let mut context = Context::default().with_all();
    context.add_function("type", type_of);
    for name in TYPES {
        context.add_variable_from_value(name, name.to_owned());
    }
    context
}

fn type_of(value: CelValue) -> String {
    let name = match value {
        CelValue::List(_) => "list",
        CelValue::Map(_) => "map",
        CelValue::Int(_) => "int",
        CelValue::UInt(_) => "uint",
        CelValue::Float(_) => "double",
        CelValue::String(_) => "string",
        CelValue::Bytes(_) => "bytes",
        CelValue::Bool(_) => "bool",
        CelValue::Null => "null_type",
        CelValue::Duration(_) => "google.protobuf.Duration",
        CelValue::Timestamp(_) => "google.protobuf.Timestamp",
        CelValue::Function(..) | CelValue::Opaque(_) => "dyn",
    };
    name.to_owned()
}

/// Whether the schema or a part of it has a rule.
pub(super) fn has_rules(node: &Node) -> bool {
    let additional = match &node.additional {
        Some(Additional::Of(schema)) => has_rules(schema),
        Some(Additional::Any) | None => false,
    };
    !node.rules.is_empty()
        || additional
        || node.properties.values().any(|schema| has_rules(schema))
        || node.item().is_some_and(has_rules)
        || node.checks.all_of.iter().any(has_rules)
}

struct Walk {
    context: Context<'static>,
    causes: Vec<Cause>,
}

impl Walk {
    /// `unchanged` tells that the value, or the nearest parent that can be compared, is as it was: then its
    /// problems are forgiven, except those that compare.
    fn node(&mut self, schema: &Node, at: Path<'_>, value: &Value, old: Option<&Value>, unchanged: bool) {
        if value.is_null() {
            return;
        }
        self.rules(schema, at, value, old, unchanged);
        for branch in &schema.checks.all_of {
            self.rules(branch, at, value, old, unchanged);
        }
        match value {
            Value::Object(fields) => self.fields(schema, at, fields, old, unchanged),
            Value::Array(items) => {
                let Some(item_schema) = schema.item() else { return };
                for (index, item) in items.iter().enumerate() {
                    let old = old_item(schema, old, item);
                    self.node(
                        item_schema,
                        at.index(index),
                        item,
                        old,
                        old.map_or(unchanged, |old| old == item),
                    );
                }
            }
            _ => {}
        }
    }

    fn fields(
        &mut self,
        schema: &Node,
        at: Path<'_>,
        fields: &Map<String, Value>,
        old: Option<&Value>,
        unchanged: bool,
    ) {
        for (name, field) in fields {
            let old = old.and_then(|old| old.get(name));
            let unchanged = unchanged || old == Some(field);
            match (schema.properties.get(name), &schema.additional) {
                (Some(schema), _) => self.node(schema, at.child(name), field, old, unchanged),
                (None, Some(Additional::Of(schema))) => {
                    self.node(schema, at.key(name), field, old, unchanged)
                }
                _ => {}
            }
        }
    }

    fn rules(&mut self, schema: &Node, at: Path<'_>, value: &Value, old: Option<&Value>, unchanged: bool) {
        if schema.rules.is_empty() {
            return;
        }
        let this = to_cel(value, schema);
        let old = old.map(|old| to_cel(old, schema));
        for rule in &schema.rules {
            if rule.transition && old.is_none() && !rule.optional_old_self {
                continue;
            }
            let mut scope = self.context.new_inner_scope();
            scope.add_variable_from_value("self", this.clone());
            if let Some(old) = old_self(rule, old.as_ref()) {
                scope.add_variable_from_value("oldSelf", old);
            }
            let cause = run(rule, &scope, schema, at, value);
            self.causes.extend(cause.filter(|_| rule.transition || !unchanged));
        }
    }
}

fn old_self(rule: &Rule, old: Option<&CelValue>) -> Option<CelValue> {
    if !rule.optional_old_self {
        return old.cloned();
    }
    let optional = old.map_or_else(OptionalValue::none, |old| OptionalValue::of(old.clone()));
    Some(CelValue::Opaque(Arc::new(optional)))
}

fn run(rule: &Rule, scope: &Context<'_>, schema: &Node, at: Path<'_>, value: &Value) -> Option<Cause> {
    let kind = Value::from(schema.kind.map_or("", Type::name));
    match rule.program.execute(scope) {
        Ok(CelValue::Bool(true)) => None,
        Ok(CelValue::Bool(false)) => Some(failed(rule, scope, schema, at, value)),
        Ok(_) => Some(Cause::invalid(
            at,
            &kind,
            &format!("rule compile error: cel expression must evaluate to a bool for rule: {}", rule.name()),
        )),
        Err(ExecutionError::NoSuchOverload) => {
            let detail = format!(
                "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: {}",
                rule.name()
            );
            Some(Cause::invalid(at, &kind, &detail))
        }
        Err(error) => {
            Some(Cause::invalid(at, &kind, &format!("{} evaluating rule: {}", describe(&error), rule.name())))
        }
    }
}

/// What went wrong, without the values that the error carries.
fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::IndexOutOfBounds(_) => "index out of bounds".to_owned(),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("undeclared reference to '{name}'"),
        ExecutionError::FunctionError { function, .. } => format!("error in function '{function}'"),
        _ => "no such overload".to_owned(),
    }
}

fn failed(rule: &Rule, scope: &Context<'_>, schema: &Node, at: Path<'_>, value: &Value) -> Cause {
    let detail = message(rule, scope);
    let omitted = matches!(schema.kind, Some(Type::Object | Type::Array));
    let value = Some(value).filter(|_| !omitted);
    let below = rule.field_path.as_ref().and_then(|path| field_path::resolve(schema, path, true).ok());
    let field = match &below {
        Some((path, _)) => at.child(path).to_string(),
        None => at.to_string(),
    };
    match rule.reason {
        Some(Reason::Forbidden) => Cause::forbidden(field, &detail),
        Some(Reason::Required) => Cause::required(field, &detail),
        Some(Reason::Duplicate) => Cause::new(Reason::Duplicate, field, value, ""),
        _ => Cause::new(Reason::Invalid, field, value, &detail),
    }
}

/// The text of messageExpression if it gives a usable one, else the message, else the rule itself.
fn message(rule: &Rule, scope: &Context<'_>) -> String {
    let computed = rule.message_expression.as_ref().and_then(|expression| match expression.execute(scope) {
        Ok(CelValue::String(text)) => Some(text.trim().to_owned()),
        _ => None,
    });
    match (
        computed.filter(|text| !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n')),
        &rule.message,
    ) {
        (Some(computed), _) => computed,
        (None, Some(message)) => message.clone(),
        (None, None) => format!("failed rule: {}", rule.source),
    }
}
