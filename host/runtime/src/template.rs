//! Calling a template engine. Rendering is pure: its randomness comes from streams keyed by the call, so the same call renders the same
//! bytes. What comes back is checked against what was asked for: places lie in the text, names stand in it, and a template of one value
//! gives that value and no other.

use std::collections::BTreeSet;

use serde_json::Value;
use wasmtime::Store;
use zeroize::Zeroize as _;

use crate::bindings::render::{self, Scope};
use crate::bindings::template::Template;
use crate::bindings::types;
use crate::call::Call;
use crate::component::Component;
use crate::config;
use crate::description::Description;
use crate::error::{BadOutput, CallError, RenderError, TemplateFault};
use crate::fill::at_most;
use crate::generator::{bad, entries};
use crate::grants::Entry;
use crate::key_syntax::{is_key, is_prefixed_key};
use crate::limits::Limits;
use crate::linked::Prepared;
use crate::run::{Finished, run};
use crate::state::{Randomness, State};
use crate::world::World;

const FAULTS: usize = 256;
const ENTRIES: usize = 1024;

/// A component of the world `template`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TemplateComponent {
    component: Component,
}

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateText {
    /// The key that it renders, or a name for it where it renders keys and values.
    pub key: String,
    /// Its text.
    pub text: String,
    /// Whether it renders the value of `key`, or keys with their values.
    pub scope: Scope,
}

/// What one template rendered.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The index of the template.
    pub index: usize,
    /// One entry, of the template's key, for the scope `Values`; any, with unique keys, for `KeysAndValues`.
    pub entries: Vec<Entry>,
}

/// What all templates of one call rendered.
#[derive(Debug, Clone)]
pub struct Renderings {
    /// One for each template, in order.
    pub rendered: Vec<Rendered>,
    /// Whether the engine drew from a stream: another rotation would give other bytes.
    pub drew: bool,
}

impl TemplateComponent {
    pub(crate) const fn new(component: Component) -> Self {
        Self { component }
    }

    /// The component behind it.
    #[must_use]
    pub const fn component(&self) -> &Component {
        &self.component
    }

    /// What is wrong with the templates that can be seen without data.
    ///
    /// # Errors
    /// [`CallError`], if the component fails or the config breaks its schema.
    pub fn validate(
        &self,
        templates: &[TemplateText],
        config: &Value,
    ) -> Result<Vec<TemplateFault>, CallError> {
        self.check_config(config)?;
        let text = config::text(config);
        let asked = contract(templates);
        let state = State::examining(Limits::of(World::Template), self.component.loaded());
        let finished = self.call("validate", state, |guest, store| {
            guest.keymill_guest_render().call_validate(store, &asked, &text)
        })?;
        let faults = finished.answer;
        at_most("faults", faults.len(), FAULTS).map_err(|fault| bad("validate", fault))?;
        let checked = faults.into_iter().enumerate().map(|(i, fault)| self.fault(i, templates, fault));
        checked.collect::<Result<_, _>>().map_err(|fault| bad("validate", fault))
    }

    /// Renders all templates, or none: the first fault ends it. The answer has one item per template, in order.
    ///
    /// # Errors
    /// [`RenderError::Fault`]: a template is wrong or does not fit its data. [`RenderError::Call`]: the component failed.
    pub fn render(
        &self,
        call: &Call,
        templates: &[TemplateText],
        data: &[Entry],
        config: &Value,
    ) -> Result<Renderings, RenderError> {
        self.check_config(config)?;
        let loaded = self.component.loaded();
        let limits = call.limits.unwrap_or(Limits::of(World::Template));
        let randomness = Randomness::keyed(call.stream_key.as_ref());
        let mut state = State::calling(call, limits, &loaded.description.description, randomness);
        state.log.tainted = true;
        let mut asked = render::Request {
            templates: contract(templates),
            data: entries(data),
            config: config.to_string(),
        };
        let finished = self
            .call("render", state, |guest, store| guest.keymill_guest_render().call_render(store, &asked));
        asked.data.iter_mut().for_each(|entry| entry.value.zeroize());
        asked.config.zeroize();
        let finished = finished?;
        match finished.answer {
            Ok(rendered) => {
                let rendered = own(rendered);
                check(templates, &rendered).map_err(|fault| bad("render", fault))?;
                Ok(Renderings { rendered, drew: finished.usage.drew })
            }
            Err(fault) => {
                let fault = self.fault(0, templates, fault);
                Err(RenderError::Fault(fault.map_err(|fault| bad("render", fault))?))
            }
        }
    }

    fn check_config(&self, config: &Value) -> Result<(), CallError> {
        let problems = self.component.loaded().description.schema.problems(config);
        if problems.is_empty() { Ok(()) } else { Err(CallError::InvalidConfig(problems)) }
    }

    fn call<T>(
        &self,
        export: &'static str,
        state: State,
        work: impl FnOnce(&Template, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<Finished<T>, CallError> {
        let loaded = self.component.loaded();
        let Prepared::Template(pre) = &loaded.prepared else {
            return Err(CallError::WrongWorld { wanted: World::Template, found: loaded.world });
        };
        run(&loaded.engine, export, state, |store| work(&pre.instantiate(&mut *store)?, store))
    }

    fn fault(
        &self,
        index: usize,
        templates: &[TemplateText],
        fault: render::Fault,
    ) -> Result<TemplateFault, BadOutput> {
        checked_fault(index, self.component.description(), templates, fault)
    }
}

/// A fault as it may be shown: its template exists, its place lies in the text, its name stands in the text, its rule was declared.
fn checked_fault(
    index: usize,
    description: &Description,
    templates: &[TemplateText],
    fault: render::Fault,
) -> Result<TemplateFault, BadOutput> {
    let invalid = |detail| BadOutput::Invalid { what: "fault", index, detail };
    let at = fault.index as usize;
    let template = templates.get(at).ok_or(invalid("its template does not exist"))?;
    let Some(rule) = description.rule(&fault.rule) else {
        return Err(BadOutput::UndeclaredRule { what: "fault", index });
    };
    if !lies_within(&template.text, fault.line, fault.column) {
        return Err(invalid("its place lies outside the template's text"));
    }
    if fault.name.as_ref().is_some_and(|name| name.is_empty() || !template.text.contains(name.as_str())) {
        return Err(invalid("its name does not stand in the template's text"));
    }
    Ok(TemplateFault {
        index: at,
        key: template.key.clone(),
        line: fault.line,
        column: fault.column,
        rule: rule.name.clone(),
        about: rule.about.clone(),
        name: fault.name,
    })
}

/// Line 0 means the whole text, column 0 the whole line; one column behind a line's end is its end.
fn lies_within(text: &str, line: u32, column: u32) -> bool {
    if line == 0 {
        return column == 0;
    }
    let line = text.split('\n').nth(line as usize - 1);
    line.is_some_and(|line| column as usize <= line.chars().count() + 1)
}

/// One answer per template, in order, with the keys that may be in it.
fn check(templates: &[TemplateText], rendered: &[Rendered]) -> Result<(), BadOutput> {
    let invalid = |index, detail| BadOutput::Invalid { what: "rendered template", index, detail };
    if rendered.len() != templates.len() {
        return Err(invalid(rendered.len(), "there is not one for each template"));
    }
    for (index, (template, rendered)) in templates.iter().zip(rendered).enumerate() {
        if rendered.index != index {
            return Err(invalid(index, "it is out of order"));
        }
        at_most("entries of one template", rendered.entries.len(), ENTRIES)?;
        match (template.scope, rendered.entries.as_slice()) {
            (Scope::Values, [entry]) if entry.key == template.key => {}
            (Scope::Values, _) => return Err(invalid(index, "it is not the one value that was asked for")),
            (Scope::KeysAndValues, entries) => {
                check_keys(entries).map_err(|detail| invalid(index, detail))?
            }
        }
    }
    Ok(())
}

fn check_keys(entries: &[Entry]) -> Result<(), &'static str> {
    let mut keys = BTreeSet::new();
    for entry in entries {
        // The engine is not told whether the map is for data, labels or annotations.
        if !is_key(&entry.key) && !is_prefixed_key(&entry.key) {
            return Err("a key is neither one of a Secret nor one of a label or annotation");
        }
        if !keys.insert(&entry.key) {
            return Err("a key stands twice");
        }
    }
    Ok(())
}

fn contract(templates: &[TemplateText]) -> Vec<render::Template> {
    let templates = templates.iter().map(|template| render::Template {
        key: template.key.clone(),
        text: template.text.clone(),
        scope: template.scope,
    });
    templates.collect()
}

/// Takes the bytes over, so that they are zeroed with the answer.
fn own(rendered: Vec<render::Rendered>) -> Vec<Rendered> {
    let entry = |entry: types::Entry| Entry::new(entry.key, entry.value);
    let rendered = rendered.into_iter().map(|rendered| Rendered {
        index: rendered.index as usize,
        entries: rendered.entries.into_iter().map(entry).collect(),
    });
    rendered.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::description::RuleDoc;

    fn template(text: &str, scope: Scope) -> TemplateText {
        TemplateText { key: "uri".to_owned(), text: text.to_owned(), scope }
    }

    fn rendered(index: usize, keys: &[&str]) -> Rendered {
        let entries = keys.iter().map(|key| Entry::new(*key, *b"x")).collect();
        Rendered { index, entries }
    }

    fn fault(line: u32, column: u32, rule: &str, name: Option<&str>) -> Result<TemplateFault, BadOutput> {
        let description = Description {
            name: "probe".to_owned(),
            version: "1".to_owned(),
            summary: "Probes.".to_owned(),
            config_schema: Arc::new(Value::Bool(true)),
            fields: vec![],
            rules: vec![RuleDoc { name: "bad".to_owned(), about: "It is bad.".to_owned() }],
            wants: vec![],
        };
        let fault =
            render::Fault { index: 0, line, column, rule: rule.to_owned(), name: name.map(str::to_owned) };
        checked_fault(0, &description, &[template("a{{ .pass }}\nä", Scope::Values)], fault)
    }

    #[test]
    fn a_fault_says_only_what_the_template_says() {
        for (line, column) in [(0, 0), (1, 0), (1, 1), (1, 13), (2, 1), (2, 2)] {
            assert!(fault(line, column, "bad", None).is_ok(), "{line}:{column}");
        }
        for (line, column) in [(0, 1), (1, 14), (2, 3), (3, 0), (u32::MAX, u32::MAX)] {
            assert!(fault(line, column, "bad", None).is_err(), "{line}:{column}");
        }
        assert!(fault(1, 1, "bad", Some(".pass")).is_ok());
        assert!(fault(1, 1, "bad", Some("hunter2")).is_err());
        assert!(fault(1, 1, "bad", Some("")).is_err());
        assert!(fault(1, 1, "hunter2", None).is_err());
        let text = fault(1, 5, "bad", Some(".pass")).unwrap().to_string();
        assert_eq!(text, "template `uri`, line 1, column 5, `.pass`: It is bad.");
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        let ok = |templates: &[TemplateText], rendered: &[Rendered]| check(templates, rendered).is_ok();
        let value = || template("", Scope::Values);
        let keys = || template("", Scope::KeysAndValues);
        assert!(ok(&[value(), keys()], &[rendered(0, &["uri"]), rendered(1, &["a", "b"])]));
        assert!(ok(&[keys()], &[rendered(0, &[])]));
        assert!(ok(&[keys()], &[rendered(0, &["example.org/len"])]));
        assert!(!ok(&[value()], &[rendered(0, &["other"])]));
        assert!(!ok(&[value()], &[rendered(0, &["uri", "other"])]));
        assert!(!ok(&[value()], &[rendered(0, &[])]));
        assert!(!ok(&[value()], &[]));
        assert!(!ok(&[value()], &[rendered(1, &["uri"])]));
        assert!(!ok(&[keys()], &[rendered(0, &["a", "a"])]));
        assert!(!ok(&[keys()], &[rendered(0, &["a b"])]));
    }
}
