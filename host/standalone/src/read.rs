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

const TOKEN_FORMAT: &str = "meta.k8s.io/v1";

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
    let start = page.start.as_ref();
    let mut rest = objects.into_iter().filter(|(place, _)| start.is_none_or(|start| place >= start));
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
        metadata.insert("continue".to_owned(), token(call, page.version, &last).into());
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
    /// Where it goes on: the first place that may be in it.
    start: Option<Place>,
}

impl Page {
    fn of(call: &Call<'_>, current: u64) -> Result<Self, Failure> {
        let options = &call.options;
        let asked = options.version().map_err(|failure| {
            Failure::bad_request(format!("invalid resource version: {}", failure.message))
        })?;
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
        Ok(Self { version: if exact { asked } else { current }, start: None })
    }

    fn resumed(call: &Call<'_>, current: u64) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        };
        let bytes = URL_SAFE_NO_PAD.decode(&call.options.resume);
        let token = bytes.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let token = token.ok_or_else(|| wrong("it is no token"))?;
        let format = object::text(&token, "/v");
        if format != TOKEN_FORMAT {
            return Err(wrong(&format!("server does not recognize this encoded version {format}")));
        }
        let start = object::text(&token, "/start");
        let version = token.get("rv").and_then(Value::as_i64).filter(|version| *version != 0);
        let version = version
            .filter(|_| !start.is_empty())
            .ok_or_else(|| wrong("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"))?;
        // Below zero: the client goes on in the state of today.
        let version = u64::try_from(version).unwrap_or(current);
        Ok(Self { version, start: Some(place_of(call, start)) })
    }
}

fn objects_at(call: &Call<'_>, state: &State, page: &Page) -> Result<Vec<(Place, Arc<Value>)>, Failure> {
    let scope = call.scope();
    if page.version == state.version {
        return Ok(state.list(&scope).map(|(place, object)| (place.clone(), object.clone())).collect());
    }
    match (state.list_at(&scope, page.version), &page.start) {
        (Some(objects), _) => Ok(objects.into_iter().collect()),
        (None, None) => Err(Failure::expired("The resourceVersion for the provided list is too old.")),
        (None, Some(start)) => Err(Failure::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results. Continuing with the provided token results in an inconsistent list - objects that were \
             created, modified, or deleted between the time the first chunk was returned and now may show up in the \
             list.",
        )
        .resumable(encode_token(-1, &key_of(call, start)))),
    }
}

fn check_list(call: &Call<'_>, asked: Option<u64>) -> Result<(), Failure> {
    let options = &call.options;
    let forbidden = |field: &str, why: &str| Err(list_options(&[Cause::forbidden(field, why)]));
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

pub(crate) fn list_options(causes: &[Cause]) -> Failure {
    Failure::invalid_kind("meta.k8s.io", "ListOptions", "", causes)
}

fn check_reached(asked: u64, current: u64) -> Result<(), Failure> {
    if asked > current { Err(Failure::version_ahead(asked, current)) } else { Ok(()) }
}

/// The token of the list that goes on after `last`: its key, and a zero byte to come after it.
fn token(call: &Call<'_>, version: u64, last: &Place) -> String {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    encode_token(version, &format!("{}\0", key_of(call, last)))
}

/// As kube-apiserver writes it.
fn encode_token(version: i64, start: &str) -> String {
    let token = json!({"v": TOKEN_FORMAT, "rv": version, "start": start});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

/// The key of a place below the list's own: `name`, or `namespace/name` in a list of all namespaces.
fn key_of(call: &Call<'_>, place: &Place) -> String {
    match call.namespace.is_empty() && !place.namespace.is_empty() {
        true => format!("{}/{}", place.namespace, place.name),
        false => place.name.clone(),
    }
}

fn place_of(call: &Call<'_>, key: &str) -> Place {
    let all = call.info.namespaced && call.namespace.is_empty();
    let (namespace, name) = match key.split_once('/').filter(|_| all) {
        Some(parts) => parts,
        None => (call.namespace.as_str(), key),
    };
    Place { kind: call.stored_kind(), namespace: namespace.to_owned(), name: name.to_owned() }
}
