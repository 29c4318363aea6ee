//! How objects are shown: whole, their metadata only, or as a table; what the Accept header asks for.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::body;
use crate::conversion;
use crate::object;
use crate::resource::ResourceInfo;
use crate::status::Failure;
use crate::table::{IncludeObject, TableOptions};

const JSON: &str = "application/json";

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Whole,
    Metadata,
    Table,
    /// The same under its first version, which clients still may ask for.
    OldTable,
}

impl View {
    /// The first form in the header that we can give.
    pub(crate) fn of(accept: &str) -> Result<Self, Failure> {
        if accept.trim().is_empty() {
            return Ok(Self::Whole);
        }
        accept.split(',').find_map(Self::of_one).ok_or_else(|| Failure::not_acceptable(&[JSON]))
    }

    fn of_one(media: &str) -> Option<Self> {
        if !matches!(body::media_type(media).as_str(), JSON | "*/*") {
            return None;
        }
        match parameter(media, "as") {
            None => Some(Self::Whole),
            Some(kind) if parameter(media, "g") == Some("meta.k8s.io") => {
                match (kind, parameter(media, "v")) {
                    ("Table", Some("v1")) => Some(Self::Table),
                    ("Table", Some("v1beta1")) => Some(Self::OldTable),
                    ("PartialObjectMetadata" | "PartialObjectMetadataList", Some("v1")) => {
                        Some(Self::Metadata)
                    }
                    _ => None,
                }
            }
            Some(_) => None,
        }
    }
}

/// A parameter of a media type.
pub(crate) fn parameter<'a>(media: &'a str, name: &str) -> Option<&'a str> {
    let parameters = media.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    parameters.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

/// Shows objects of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) info: std::sync::Arc<ResourceInfo>,
    pub(crate) view: View,
    /// What tables carry of each object.
    pub(crate) include: IncludeObject,
    pub(crate) now: Timestamp,
}

impl Shown {
    /// One stored object.
    pub(crate) fn one(&self, stored: &Value) -> Value {
        let served = conversion::served(&self.info, stored);
        match self.view {
            View::Whole => served.into_owned(),
            View::Metadata => metadata_only(&served),
            View::Table | View::OldTable => self.row(&served, false),
        }
    }

    /// A table of one object; the later ones of a watch have no headers.
    pub(crate) fn row(&self, served: &Value, no_headers: bool) -> Value {
        let version = json!({"resourceVersion": object::resource_version(served)});
        self.table(std::slice::from_ref(served), &version, no_headers)
    }

    fn table(&self, served: &[Value], metadata: &Value, no_headers: bool) -> Value {
        let options = TableOptions { include_object: self.include, no_headers };
        let mut table = self.info.columns.table(served, metadata, options, self.now);
        if self.view == View::OldTable {
            object::fields(&mut table).insert("apiVersion".to_owned(), "meta.k8s.io/v1beta1".into());
        }
        table
    }

    /// A list, whose metadata is given. Objects are in the version of the request already.
    pub(crate) fn list(&self, served: Vec<Value>, metadata: Value) -> Value {
        match self.view {
            View::Table | View::OldTable => self.table(&served, &metadata, false),
            View::Metadata => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": served.iter().map(metadata_only).collect::<Vec<_>>(),
            }),
            View::Whole => json!({
                "kind": self.info.list_kind, "apiVersion": self.info.api_version(),
                "metadata": self.list_metadata(metadata),
                "items": served.into_iter().map(|item| self.item(item)).collect::<Vec<_>>(),
            }),
        }
    }

    /// Lists of custom objects always say where they go on, if only nowhere.
    fn list_metadata(&self, mut metadata: Value) -> Value {
        if !self.info.builtin {
            object::fields(&mut metadata).entry("continue").or_insert_with(|| "".into());
        }
        metadata
    }

    /// Items of typed lists do not repeat what the list says.
    fn item(&self, mut item: Value) -> Value {
        if self.info.builtin {
            let fields = object::fields(&mut item);
            fields.shift_remove("apiVersion");
            fields.shift_remove("kind");
        }
        item
    }
}

fn metadata_only(object: &Value) -> Value {
    let mut out = Map::new();
    out.insert("kind".to_owned(), "PartialObjectMetadata".into());
    out.insert("apiVersion".to_owned(), "meta.k8s.io/v1".into());
    out.insert("metadata".to_owned(), object.get("metadata").cloned().unwrap_or(Value::Null));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_we_can_give_is_given() {
        let check =
            |accept: &str, expected: Option<View>| assert_eq!(View::of(accept).ok(), expected, "{accept}");
        check("", Some(View::Whole));
        check("*/*", Some(View::Whole));
        check("application/json", Some(View::Whole));
        check("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(View::Table));
        check("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", Some(View::OldTable));
        check("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Some(View::Metadata));
        check("application/vnd.kubernetes.protobuf, application/json", Some(View::Whole));
        check("application/vnd.kubernetes.protobuf", None);
        check("application/json;as=Pie;v=v1;g=meta.k8s.io", None);
    }
}
