//! Get and list.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::call::Call;
use crate::conversion;
use crate::object;
use crate::objects::{Place, State};
use crate::query::VersionMatch;
use crate::schema::Cause;
use crate::selector::Selector;
use crate::status::Failure;
use crate::view::Shown;

/// GET of one object.
pub(crate) fn get(call: &Call<'_>) -> Result<Arc<Value>, Failure> {
    let state = call.api.objects.now();
    if let Some(asked) = call.options.version()? {
        check_reached(asked, state.version)?;
    }
    state.get(&call.place(&call.name)).cloned().ok_or_else(|| call.missing())
}

/// GET of a collection.
pub(crate) fn list(call: &Call<'_>, shown: &Shown) -> Result<Value, Failure> {
    let selector = Selector::parse(&call.options.labels, &call.options.fields, &call.info)?;
    let state = call.api.objects.now();
    let page = Page::of(call, state.version)?;
    let objects = objects_at(call, &state, &page)?;
    let after = page.after.as_ref();
    let mut rest = objects.into_iter().filter(|(place, _)| after.is_none_or(|after| place > after));
    let mut served = Vec::new();
    let mut last = None;
    for (place, object) in rest.by_ref() {
        let object = conversion::served(&call.info, &object).into_owned();
        if selector.selects(&object) {
            served.push(object);
            last = Some(place);
            if served.len() == call.options.limit {
                break;
            }
        }
    }
    let remaining: Vec<_> = rest.collect();
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if let Some(last) = last.filter(|_| !remaining.is_empty()) {
        let metadata = object::fields(&mut metadata);
        metadata.insert("continue".to_owned(), token(page.version, &last).into());
        if selector.is_everything() {
            metadata.insert("remainingItemCount".to_owned(), remaining.len().into());
        }
    }
    drop(state);
    Ok(shown.list(served, metadata))
}

/// The objects of the request's scope that its selectors take, now.
pub(crate) fn selected(call: &Call<'_>, state: &State) -> Result<Vec<(Place, Arc<Value>)>, Failure> {
    let selector = Selector::parse(&call.options.labels, &call.options.fields, &call.info)?;
    let scope = call.scope();
    let objects =
        state.list(&scope).filter(|(_, object)| selector.selects(&conversion::served(&call.info, object)));
    Ok(objects.map(|(place, object)| (place.clone(), object.clone())).collect())
}

/// Which state a list shows, and from where.
struct Page {
    version: u64,
    /// The last place of the page before.
    after: Option<Place>,
}

impl Page {
    fn of(call: &Call<'_>, current: u64) -> Result<Self, Failure> {
        let options = &call.options;
        let asked = options.version()?;
        check_list(call, asked)?;
        if !options.resume.is_empty() {
            if asked.is_some_and(|asked| asked > 0) {
                return Err(Failure::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            return Self::resumed(call, current);
        }
        let asked = asked.unwrap_or(0);
        check_reached(asked, current)?;
        let exact = match options.version_match {
            Some(VersionMatch::Exact) => true,
            Some(VersionMatch::NotOlderThan) => false,
            // What clients that know no match rely on: a limited list is of the version that it names.
            None => asked > 0 && options.limit > 0,
        };
        Ok(Self { version: if exact { asked } else { current }, after: None })
    }

    fn resumed(call: &Call<'_>, current: u64) -> Result<Self, Failure> {
        let wrong = || Failure::bad_request("continue key is not valid");
        let bytes = URL_SAFE_NO_PAD.decode(&call.options.resume).map_err(|_| wrong())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        let text = |name: &str| Some(token.get(name)?.as_str()?.to_owned());
        let version = token.get("rv").and_then(Value::as_i64).ok_or_else(wrong)?;
        let after = Place {
            kind: call.stored_kind(),
            namespace: text("namespace").ok_or_else(wrong)?,
            name: text("name").ok_or_else(wrong)?,
        };
        // Below zero: the client goes on in the state of today.
        let version = u64::try_from(version).unwrap_or(current);
        Ok(Self { version, after: Some(after) })
    }
}

fn objects_at(call: &Call<'_>, state: &State, page: &Page) -> Result<Vec<(Place, Arc<Value>)>, Failure> {
    let scope = call.scope();
    if page.version == state.version {
        return Ok(state.list(&scope).map(|(place, object)| (place.clone(), object.clone())).collect());
    }
    match (state.list_at(&scope, page.version), &page.after) {
        (Some(objects), _) => Ok(objects.into_iter().collect()),
        (None, None) => Err(Failure::expired("The resourceVersion for the provided list is too old.")),
        (None, Some(after)) => Err(Failure::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results. Continuing with the provided token results in an inconsistent list - objects that were \
             created, modified, or deleted between the time the first chunk was returned and now may show up in the \
             list.",
        )
        .resumable(inconsistent_token(after))),
    }
}

fn check_list(call: &Call<'_>, asked: Option<u64>) -> Result<(), Failure> {
    let options = &call.options;
    let forbidden = |field: &str, why: &str| Err(list_options(&Cause::forbidden(field, why)));
    let at = "resourceVersionMatch";
    match (options.version_match, asked) {
        _ if options.initial_events.is_some() => {
            forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
        }
        (Some(_), _) if !options.resume.is_empty() => {
            forbidden(at, "resourceVersionMatch is forbidden when continue is provided")
        }
        (Some(_), None) => {
            forbidden(at, "resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        (Some(VersionMatch::Exact), Some(0)) => {
            forbidden(at, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
        (Some(_), Some(_)) | (None, _) => Ok(()),
    }
}

pub(crate) fn list_options(cause: &Cause) -> Failure {
    Failure::invalid_kind("meta.k8s.io", "ListOptions", "", std::slice::from_ref(cause))
}

fn check_reached(asked: u64, current: u64) -> Result<(), Failure> {
    if asked > current { Err(Failure::version_ahead(asked, current)) } else { Ok(()) }
}

fn token(version: u64, last: &Place) -> String {
    encode_token(&json!({"rv": version, "namespace": last.namespace, "name": last.name}))
}

fn inconsistent_token(after: &Place) -> String {
    encode_token(&json!({"rv": -1, "namespace": after.namespace, "name": after.name}))
}

fn encode_token(token: &Value) -> String {
    URL_SAFE_NO_PAD.encode(token.to_string())
}
