//! The rewrite steps of a dataFrom entry, in order. Rendering a key takes the template port; the rest is `shape`'s.

use jiff::Timestamp;

use crate::field::{Fields, Value};
use crate::meta::Meta;
use crate::ports::{Render, Scope, TemplateEngine, TemplateText};
use crate::shape::{self, ShapeError};
use crate::spec::Rewrite;

/// Applies the steps.
pub(crate) async fn rename(
    engine: &dyn TemplateEngine,
    meta: &Meta,
    now: Timestamp,
    mut fields: Fields,
    steps: &[Rewrite],
) -> Result<Fields, ShapeError> {
    for step in steps {
        fields = match step {
            Rewrite::Regexp { pattern, target } => shape::rename(fields, pattern, target),
            Rewrite::Merge(options) => shape::merge(fields, options)?,
            Rewrite::Transform { template } => {
                let mut names = Vec::with_capacity(fields.len());
                for key in fields.keys() {
                    names.push(render(engine, meta, now, template, key).await?);
                }
                shape::renamed(fields, names)
            }
        };
    }
    Ok(fields)
}

/// The new name of a key. A template sees one key, as `.value`.
async fn render(
    engine: &dyn TemplateEngine,
    meta: &Meta,
    now: Timestamp,
    template: &str,
    key: &str,
) -> Result<String, ShapeError> {
    let texts =
        [TemplateText { key: "transform".to_owned(), text: Value::from(template), scope: Scope::Values }];
    let data: Fields = [("value".to_owned(), Value::from(key))].into();
    let owner = meta.owner();
    let stream = format!("{}/transform/{key}", meta.uid);
    let request = Render {
        engine: meta.template_engine(),
        templates: &texts,
        data: &data,
        owner: &owner,
        stream: &stream,
        now,
    };
    let rendered = engine.render(request).await;
    let rendered = rendered.map_err(|source| ShapeError::Transform { key: key.to_owned(), source })?;
    let mut entries = rendered.rendered.into_iter().flat_map(|rendered| rendered.entries);
    let (Some(entry), None) = (entries.next(), entries.next()) else {
        return Err(ShapeError::RenderedElse);
    };
    match std::str::from_utf8(entry.value.expose()) {
        Ok(name) => Ok(name.to_owned()),
        Err(_) => {
            Err(ShapeError::InvalidKey { key: String::from_utf8_lossy(entry.value.expose()).into_owned() })
        }
    }
}
