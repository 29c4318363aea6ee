//! The template of a target: all its texts in one question to the engine, and the answers where they belong.
//!
//! Precedence: what was gathered, then `templateFrom` in order, then `template.data`; for labels and annotations, `templateFrom` and
//! then `template.metadata`.

use std::collections::BTreeMap;

use api::Template;
use api::external_secret::DecodingStrategy;
use api::names::{annotation, group, secret_type};
use api::template::{MergePolicy, TemplateFrom, TemplateRef, TemplateScope, TemplateSource, TemplateTarget};
use jiff::Timestamp;

use super::{Monitored, ShapeError, Shaped, Shapers, decode};
use crate::failure::ObjectRef;
use crate::field::{Fields, Value};
use crate::meta::Meta;
use crate::ports::{Entry, Found, Render, Rendered, Scope, TemplateText};

/// For whom a template is rendered, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendering<'a> {
    pub(crate) meta: &'a Meta,
    pub(crate) fields: &'a Fields,
    pub(crate) stream: &'a str,
    pub(crate) now: Timestamp,
}

/// What a template made.
#[derive(Debug, Default)]
pub(crate) struct Assembled {
    pub(crate) data: Fields,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    pub(crate) drew: bool,
    /// Which part of the template gave each key of the data.
    pub(crate) origins: BTreeMap<String, String>,
}

/// Where the result of one text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Data,
    Labels,
    Annotations,
}

/// One text with its destination.
struct Item {
    text: TemplateText,
    place: Place,
    decoding: DecodingStrategy,
    /// The part of the template, as a manifest writes it.
    origin: String,
}

/// Renders a template; nothing of it when any part of it fails.
pub(crate) async fn assemble(
    shapers: &Shapers,
    template: &Template,
    rendering: &Rendering<'_>,
) -> Result<Assembled, ShapeError> {
    let items = items(shapers, template, &rendering.meta.namespace).await?;
    let mut assembled = Assembled::default();
    if items.is_empty() {
        return Ok(assembled);
    }
    let texts: Vec<TemplateText> = items.iter().map(|item| item.text.clone()).collect();
    let owner = rendering.meta.owner();
    let request = Render {
        engine: rendering.meta.template_engine(),
        templates: &texts,
        data: rendering.fields,
        owner: &owner,
        stream: rendering.stream,
        now: rendering.now,
    };
    let answer = shapers.engine.render(request).await.map_err(|source| ShapeError::Render { source })?;
    assembled.drew = answer.drew;
    for (item, entries) in items.iter().zip(in_order(answer.rendered, items.len())?) {
        for entry in entries {
            assembled.put(item, entry)?;
        }
    }
    Ok(assembled)
}

impl Assembled {
    fn put(&mut self, item: &Item, entry: Entry) -> Result<(), ShapeError> {
        let value = decode(&entry.key, entry.value, item.decoding)?;
        let text = |what| match std::str::from_utf8(value.expose()) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(ShapeError::NotText { what, key: entry.key.clone() }),
        };
        match item.place {
            Place::Labels => {
                let label = text("label")?;
                self.labels.insert(entry.key, label);
            }
            Place::Annotations => {
                let annotation = text("annotation")?;
                self.annotations.insert(entry.key, annotation);
            }
            Place::Data => {
                self.origins.insert(entry.key.clone(), item.origin.clone());
                self.data.insert(entry.key, value);
            }
        }
        Ok(())
    }
}

/// The answers by the index of their question; each question has exactly one.
fn in_order(rendered: Vec<Rendered>, count: usize) -> Result<Vec<Vec<Entry>>, ShapeError> {
    let mut answers: Vec<Option<Vec<Entry>>> = (0..count).map(|_| None).collect();
    for answer in rendered {
        let slot = answers.get_mut(answer.index).filter(|slot| slot.is_none());
        *slot.ok_or(ShapeError::RenderedElse)? = Some(answer.entries);
    }
    answers.into_iter().collect::<Option<_>>().ok_or(ShapeError::RenderedElse)
}

/// All texts in the order of precedence.
async fn items(shapers: &Shapers, template: &Template, namespace: &str) -> Result<Vec<Item>, ShapeError> {
    let mut items = Vec::new();
    for (index, from) in template.template_from.iter().enumerate() {
        let origin = format!("templateFrom[{index}]");
        let place = match from.target() {
            TemplateTarget::Data => Place::Data,
            TemplateTarget::Labels => Place::Labels,
            TemplateTarget::Annotations => Place::Annotations,
            TemplateTarget::Path(path) => {
                return Err(ShapeError::TemplateTarget { target: path.to_owned() });
            }
        };
        for source in from.sources() {
            items.extend(texts(shapers, source, namespace, place, (from, &origin)).await?);
        }
    }
    let metadata = template.metadata.iter();
    let labels = metadata.clone().flat_map(|metadata| &metadata.labels).map(|pair| (Place::Labels, pair));
    let annotations =
        metadata.flat_map(|metadata| &metadata.annotations).map(|pair| (Place::Annotations, pair));
    let data = template.data.iter().map(|pair| (Place::Data, pair));
    items.extend(data.chain(labels).chain(annotations).map(|(place, (key, text))| Item {
        text: TemplateText { key: key.clone(), text: Value::from(text.as_str()), scope: Scope::Values },
        place,
        decoding: DecodingStrategy::None,
        origin: "template.data".to_owned(),
    }));
    Ok(items)
}

async fn texts(
    shapers: &Shapers,
    source: TemplateSource<'_>,
    namespace: &str,
    place: Place,
    (from, origin): (&TemplateFrom, &str),
) -> Result<Vec<Item>, ShapeError> {
    let decoding = from.values_decoding_strategy();
    let (object, refers, found) = match source {
        TemplateSource::Literal(text) => {
            let text = TemplateText {
                key: "literal".to_owned(),
                text: Value::from(text),
                scope: Scope::KeysAndValues,
            };
            return Ok(vec![Item { text, place, decoding, origin: format!("{origin}.literal") }]);
        }
        TemplateSource::ConfigMap(refers) => {
            let object = ObjectRef::namespaced("ConfigMap", namespace, &refers.name);
            (object, refers, shapers.templates.config_map(namespace, &refers.name).await)
        }
        TemplateSource::Secret(refers) => {
            let object = ObjectRef::namespaced("Secret", namespace, &refers.name);
            (object, refers, shapers.templates.secret(namespace, &refers.name).await)
        }
    };
    match found.map_err(|source| ShapeError::ReadTemplate { object: object.clone(), source })? {
        Found::Missing => Err(ShapeError::TemplateMissing { object }),
        Found::Found(fields) => {
            let texts = pick(&object, refers, &fields)?;
            let item = |text: TemplateText| {
                let origin = format!("{origin}, key {} of {object}", text.key);
                Item { text, place, decoding, origin }
            };
            Ok(texts.into_iter().map(item).collect())
        }
    }
}

fn pick(object: &ObjectRef, refers: &TemplateRef, fields: &Fields) -> Result<Vec<TemplateText>, ShapeError> {
    let text = |item: &api::template::TemplateRefItem| {
        let missing = || ShapeError::TemplateKeyMissing { object: object.clone(), key: item.key.clone() };
        let scope = match item.template_as {
            TemplateScope::Values => Scope::Values,
            TemplateScope::KeysAndValues => Scope::KeysAndValues,
        };
        Ok(TemplateText {
            key: item.key.clone(),
            text: fields.get(&item.key).cloned().ok_or_else(missing)?,
            scope,
        })
    };
    refers.items.iter().map(text).collect()
}

/// The result without a template: the fields, and the object's own labels and annotations.
pub(super) fn without(meta: &Meta, fields: Fields) -> Shaped {
    let copied = |map: &BTreeMap<String, String>| {
        map.iter()
            .filter(|(key, _)| is_copied(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    Shaped {
        data: fields,
        labels: copied(&meta.labels),
        annotations: copied(&meta.annotations),
        ..Shaped::default()
    }
}

/// What `kubectl apply` remembers is about the object itself, and so is what steers keymill.
fn is_copied(key: &str) -> bool {
    let ours = key.split_once('/').is_some_and(|(prefix, _)| prefix == group::KEYMILL);
    key != "kubectl.kubernetes.io/last-applied-configuration" && !ours
}

/// The result with a template.
pub(super) fn onto(template: &Template, fields: Fields, assembled: Assembled) -> Shaped {
    let bare = template.data.is_empty() && template.template_from.is_empty();
    let mut data = if bare || template.merge_policy == MergePolicy::Merge { fields } else { Fields::new() };
    data.extend(assembled.data);
    Shaped {
        data,
        labels: assembled.labels,
        annotations: assembled.annotations,
        finalizers: template
            .metadata
            .as_ref()
            .map(|metadata| metadata.finalizers.clone())
            .unwrap_or_default(),
        secret_type: template.type_.clone().filter(|secret_type| !secret_type.is_empty()),
        monitored: Monitored::default(),
        nothing_left: false,
        drew: assembled.drew,
        origins: assembled.origins,
    }
}

/// Refuses Secrets that the cluster itself trusts, and our own records. For a ServiceAccount's token it is the annotation that makes
/// the cluster fill it in; a template that could render one counts as if it did.
pub(super) fn check_type(shaped: &Shaped, template: Option<&Template>) -> Result<(), ShapeError> {
    let Some(wanted) = shaped.secret_type.as_deref() else {
        return Ok(());
    };
    let denied = match wanted {
        secret_type::SERVICE_ACCOUNT_TOKEN => {
            let rendered = template.into_iter().flat_map(|template| &template.template_from);
            shaped.annotations.contains_key(annotation::SERVICE_ACCOUNT_NAME)
                || rendered.into_iter().any(|from| from.target() == TemplateTarget::Annotations)
        }
        secret_type::BOOTSTRAP_TOKEN | secret_type::ROTATION => true,
        _ => false,
    };
    if denied { Err(ShapeError::TypeDenied { secret_type: wanted.to_owned() }) } else { Ok(()) }
}
