//! One request to one resource: what is asked, of what, by whom; and the steps that all writes share.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;

use crate::api::Inner;
use crate::clock;
use crate::conversion;
use crate::kinds::{self, Table};
use crate::object;
use crate::objects::{Draft, Place, Scope};
use crate::ownership::{Manager, Operation, Writing};
use crate::query::{FieldValidation, Options};
use crate::resource::ResourceInfo;
use crate::rules;
use crate::schema::{Cause, Field};
use crate::status::Failure;

/// A request to a resource, its path and query understood.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Inner,
    pub(crate) kinds: Arc<Table>,
    pub(crate) info: Arc<ResourceInfo>,
    /// Empty for cluster scope, and for all namespaces.
    pub(crate) namespace: String,
    /// Empty for the collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
    pub(crate) options: Options,
    /// The User-Agent.
    pub(crate) agent: String,
    /// Who asks, as `system:serviceaccount:ns:name`.
    pub(crate) user: String,
    /// Become `Warning` headers.
    pub(crate) warnings: RefCell<Vec<String>>,
}

impl Call<'_> {
    pub(crate) fn stored_kind(&self) -> Arc<str> {
        kinds::stored_kind(&self.info).into()
    }

    /// The kind as it is stored: the storage version of the same.
    pub(crate) fn storage(&self) -> Arc<ResourceInfo> {
        self.kinds.stored(&kinds::stored_kind(&self.info)).unwrap_or(&self.info).clone()
    }

    pub(crate) fn place(&self, name: &str) -> Place {
        Place { kind: self.stored_kind(), namespace: self.namespace.clone(), name: name.to_owned() }
    }

    pub(crate) fn scope(&self) -> Scope {
        let namespace = Some(self.namespace.clone()).filter(|namespace| !namespace.is_empty());
        Scope { kind: self.stored_kind(), namespace }
    }

    pub(crate) fn missing(&self) -> Failure {
        Failure::not_found(&self.info, &self.name)
    }

    pub(crate) fn now(&self) -> String {
        clock::seconds(self.api.clock.now())
    }

    pub(crate) fn field(&self) -> Field<'_> {
        self.info.schema.as_ref().map_or_else(Field::unknown, |schema| schema.field())
    }

    pub(crate) fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }

    pub(crate) fn manager(&self, operation: Operation) -> Manager {
        let name = match self.options.field_manager.as_str() {
            "" => agent_name(&self.agent),
            given => given.to_owned(),
        };
        let subresource = self.subresource.clone();
        Manager { name, operation, api_version: self.info.api_version(), subresource }
    }

    /// Runs `f` with how this request writes `value` in place of `old`.
    pub(crate) fn writing<T>(
        &self,
        operation: Operation,
        old: &Value,
        value: &Value,
        f: impl FnOnce(&Writing<'_>) -> T,
    ) -> T {
        let manager = self.manager(operation);
        let names = |value: &Value| {
            value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let (old, new) = (names(old), names(value));
        let ignored: Vec<&str> = match (self.subresource.as_str(), self.info.has_status) {
            ("", true) => vec!["status"],
            ("status", _) => {
                old.iter().chain(&new).map(String::as_str).filter(|name| *name != "status").collect()
            }
            _ => Vec::new(),
        };
        let blank = rules::blank(&self.storage());
        let (field, now) = (self.field(), self.api.clock.now());
        f(&Writing { manager: &manager, field, ignored: &ignored, now, blank: &blank })
    }

    /// Checks that an object is of this kind, and fits the path. Gives it what only the path says.
    pub(crate) fn check_identity(&self, value: &mut Value) -> Result<(), Failure> {
        let expected = self.info.api_version();
        let (version, kind) =
            (object::text(value, "/apiVersion").to_owned(), object::text(value, "/kind").to_owned());
        if !value.is_object() {
            return Err(Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {})",
                self.info.kind
            )));
        }
        if self.info.builtin {
            self.check_type(&version, &kind)?;
        } else {
            self.check_custom_type(&version, &kind)?;
        }
        let mut whole = serde_json::Map::new();
        whole.insert("apiVersion".to_owned(), expected.clone().into());
        whole.insert("kind".to_owned(), self.info.kind.clone().into());
        whole.append(object::fields(value));
        *value = Value::Object(whole);
        self.check_kind(value)?;
        object::fields(value).insert("apiVersion".to_owned(), expected.into());
        object::fields(value).insert("kind".to_owned(), self.info.kind.clone().into());
        self.check_address(value)
    }

    /// A custom object of another kind is one that breaks the schema.
    fn check_kind(&self, value: &Value) -> Result<(), Failure> {
        let kind = object::text(value, "/kind");
        if self.info.builtin || kind == self.info.kind {
            return Ok(());
        }
        let cause = Cause::invalid("kind", &kind.into(), &format!("must be {}", self.info.kind));
        Err(Failure::invalid_kind(&self.info.group, kind, object::name(value), &[cause]))
    }

    /// A built-in object may leave its type to the path.
    fn check_type(&self, version: &str, kind: &str) -> Result<(), Failure> {
        let expected = self.info.api_version();
        if (version.is_empty() || version == expected) && (kind.is_empty() || kind == self.info.kind) {
            return Ok(());
        }
        let (kind, last) = (
            if kind.is_empty() { &self.info.kind } else { kind },
            version.rsplit('/').next().unwrap_or_default(),
        );
        Err(Failure::bad_request(format!(
            "{kind} in version {last:?} cannot be handled as a {}: it is another kind",
            self.info.kind
        )))
    }

    fn check_custom_type(&self, version: &str, kind: &str) -> Result<(), Failure> {
        let expected = self.info.api_version();
        if kind.is_empty() {
            return Err(Failure::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing",
                self.info.kind
            )));
        }
        if version != expected {
            return Err(Failure::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({expected})"
            )));
        }
        Ok(())
    }

    fn check_address(&self, value: &mut Value) -> Result<(), Failure> {
        let namespace = object::namespace(value).to_owned();
        if !namespace.is_empty() && namespace != self.namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let name = object::name(value).to_owned();
        if !self.name.is_empty() && name.is_empty() {
            return Err(Failure::bad_request(format!(
                "the name of the object ({} based on URL) was undeterminable: name must be provided",
                self.name
            )));
        }
        if !self.name.is_empty() && name != self.name {
            return Err(Failure::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                self.name
            )));
        }
        let own = |text: &str| Some(Value::from(text)).filter(|_| !text.is_empty());
        object::set_metadata(value, "namespace", own(&self.namespace));
        Ok(())
    }

    /// Makes a stored object of one in the version of the request: prunes, converts and fills in defaults.
    pub(crate) fn read(&self, value: &mut Value) -> Result<Vec<String>, Failure> {
        if let Some(problem) = self.info.misfit(value) {
            return Err(Failure::bad_request(format!(
                "{kind} in version {:?} cannot be handled as a {kind}: {problem}",
                self.info.version,
                kind = self.info.kind,
            )));
        }
        let unknown = self.info.schema.as_ref().map(|schema| schema.prune(value)).unwrap_or_default();
        rules::on_read(&self.info, value);
        self.drop_repeated_owners(value);
        conversion::stored(&self.info, &self.storage(), value);
        self.apply_defaults(value);
        Ok(unknown)
    }

    /// An owner is named once.
    fn drop_repeated_owners(&self, value: &mut Value) {
        let repeated = rules::drop_repeated_owners(value);
        if !repeated.is_empty() {
            self.warn(format!(
                ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and \
                 may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
                repeated.join(", ")
            ));
        }
    }

    pub(crate) fn apply_defaults(&self, value: &mut Value) {
        if let Some(schema) = &self.storage().schema {
            schema.apply_defaults(value);
        }
    }

    /// What is done about fields that the schema does not know.
    pub(crate) fn judge_unknown(&self, unknown: &[String]) -> Result<(), Failure> {
        let found: Vec<String> = unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
        match self.options.field_validation {
            _ if found.is_empty() => Ok(()),
            FieldValidation::Ignore => Ok(()),
            FieldValidation::Warn => {
                found.into_iter().for_each(|text| self.warn(text));
                Ok(())
            }
            FieldValidation::Strict => Err(Failure::bad_request(format!(
                "{kind} in version {:?} cannot be handled as a {kind}: strict decoding error: {}",
                self.info.version,
                found.join(", "),
                kind = self.info.kind,
            ))),
        }
    }

    /// Refuses an object that is wrong in itself, or that the old one may not become.
    pub(crate) fn validate(&self, new: &Value, old: Option<&Value>) -> Result<(), Failure> {
        let storage = self.storage();
        let mut causes = rules::check_metadata(&storage, new);
        causes.extend(rules::immutable(&storage, old, new));
        if let Some(schema) = &storage.schema {
            let found = schema.validate(new, old);
            // kube-apiserver looks at the status alone here, and names its fields so in its sentences.
            let alone = self.subresource == "status" && !storage.builtin;
            causes.extend(found.into_iter().map(|cause| if alone { cause.inside("status") } else { cause }));
        }
        // The schemas inside a definition are read last: what is wrong around them has been said by then.
        if causes.is_empty() && storage.builtin && storage.plural == "customresourcedefinitions" {
            causes.extend(ResourceInfo::from_crd(new).err().unwrap_or_default());
        }
        if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(&self.info, object::name(new), &causes)) }
    }

    /// New objects need a namespace that is there and stays.
    pub(crate) fn check_namespace(&self, draft: &Draft<'_>, name: &str) -> Result<(), Failure> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let place =
            Place { kind: "/namespaces".into(), namespace: String::new(), name: self.namespace.clone() };
        match draft.get(&place) {
            None => Err(Failure::namespace_not_found(&self.namespace)),
            Some(namespace) if object::is_deleting(&namespace) => {
                Err(Failure::namespace_terminating(&self.info, name, &self.namespace))
            }
            Some(_) => Ok(()),
        }
    }
}

/// What a client that names no manager is called: its agent up to the version.
fn agent_name(agent: &str) -> String {
    let name: String =
        agent.split('/').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(128).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}
