use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// One sample: its name, its labels, its value.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads an exposition as a scraper does, and is strict about it: each family is declared before its samples, once, with a help text;
/// names and types fit.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut samples: Vec<Sample> = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(helped.insert(help.split_once(' ').unwrap().0.to_owned()), "helped twice: {line}");
        } else if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert!(is_name(name) && helped.contains(name), "{line}");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "declared twice: {line}");
        } else {
            let sample = sample(line);
            let family = types.keys().rev().find(|family| sample.name.starts_with(family.as_str())).unwrap();
            let suffix = &sample.name[family.len()..];
            let fits = match types[family].as_str() {
                "counter" | "gauge" => suffix.is_empty(),
                "histogram" => matches!(suffix, "_bucket" | "_sum" | "_count"),
                other => panic!("{other}"),
            };
            assert!(fits, "{line}: a {}", types[family]);
            samples.push(sample);
        }
    }
    let keys: BTreeSet<String> = samples.iter().map(|one| format!("{}{:?}", one.name, one.labels)).collect();
    assert_eq!(keys.len(), samples.len(), "a series is there twice");
    (types, samples)
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_')
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series
        .split_once('{')
        .map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').expect("labels are closed")));
    assert!(is_name(name), "{line}");
    let mut rest = labels;
    let mut read = BTreeMap::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").unwrap();
        let end = end_of_value(after);
        assert!(read.insert(label.to_owned(), after[..end].to_owned()).is_none(), "{line}");
        rest = after[end + 1..].trim_start_matches(',');
    }
    Sample { name: name.to_owned(), labels: read, value: value.parse().unwrap() }
}

/// The first quote that is not escaped.
fn end_of_value(text: &str) -> usize {
    let mut escaped = false;
    text.char_indices()
        .find(|(_, char)| {
            let ends = *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            ends
        })
        .unwrap()
        .0
}

fn exposition(metrics: &Metrics) -> String {
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &registry).unwrap();
    text
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels: BTreeMap<String, String> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut found = samples.iter().filter(|one| one.name == name && one.labels == labels);
    let value = found.next().map(|one| one.value);
    assert!(found.next().is_none());
    value
}

fn object() -> ObjectRef {
    ObjectRef::namespaced("ExternalSecret", "shop", "db")
}

fn ready(status: bool) -> Ready {
    Ready { status, reason: "SecretSynced", message: "m".to_owned() }
}

/// Everything that there is, once.
fn counted() -> Metrics {
    let metrics = Metrics::default();
    let (object, time) = (object(), Duration::from_millis(20));
    metrics.concurrency("ExternalSecret", 16);
    for failed in [true, false] {
        metrics.looking("ExternalSecret");
        metrics.synced(&object, &ready(!failed), Timestamp::from_second(1_700_000_000).unwrap());
        metrics.looked(&object, time, failed);
    }
    let queue = metrics.queue("ExternalSecret");
    queue.added();
    queue.depth(1);
    queue.waited(time);
    queue.worked(time);
    queue.retried();
    queue.under_way([time, time * 2].into_iter());
    metrics.failed("ExternalSecret", "StoreDenied", "Store");
    metrics.rotated("ExternalSecret", "slot-due", 2);
    metrics.asked("HashiCorp/Vault", "ReadSecretData", true);
    let password = Component { component: "password", world: "generator" };
    metrics.called(password, time, "ok");
    metrics.used(password, 12_345, 1 << 20);
    metrics.reviewed("PushSecret", "refused");
    metrics.event_dropped();
    metrics.leads("keymill", true);
    metrics
}

type Labels<'a> = &'a [(&'a str, &'a str)];

#[test]
fn names_and_values_are_those_of_esos_dashboards() {
    let (types, samples) = parse(&exposition(&counted()));
    let named = [("name", "db"), ("namespace", "shop")];
    let condition = |status| [named[0], named[1], ("condition", "Ready"), ("status", status)];
    let controller = [("controller", "externalsecret")];
    let queue = [controller[0], ("name", "externalsecret")];
    let call = [("provider", "HashiCorp/Vault"), ("call", "ReadSecretData"), ("status", "error")];
    let expected: &[(&str, Labels<'_>, f64)] = &[
        ("externalsecret_sync_calls_total", &named, 2.0),
        ("externalsecret_sync_calls_error", &named, 1.0),
        ("externalsecret_status_condition", &condition("True"), 1.0),
        ("externalsecret_status_condition", &condition("False"), 0.0),
        ("externalsecret_reconcile_duration", &named, 20_000_000.0),
        ("externalsecret_provider_api_calls_count", &call, 1.0),
        ("controller_runtime_reconcile_total", &[controller[0], ("result", "error")], 1.0),
        ("controller_runtime_reconcile_total", &[controller[0], ("result", "success")], 1.0),
        ("controller_runtime_reconcile_errors_total", &controller, 1.0),
        ("controller_runtime_reconcile_time_seconds_count", &controller, 2.0),
        ("controller_runtime_active_workers", &controller, 0.0),
        ("controller_runtime_max_concurrent_reconciles", &controller, 16.0),
        ("keymill_rotations_total", &[("kind", "ExternalSecret"), ("cause", "slot-due")], 2.0),
        ("keymill_externalsecret_last_success_timestamp_seconds", &named, 1_700_000_000.0),
        ("workqueue_depth", &queue, 1.0),
        ("workqueue_unfinished_work_seconds", &queue, 0.06),
        ("workqueue_longest_running_processor_seconds", &queue, 0.04),
        ("keymill_admission_reviews_total", &[("kind", "PushSecret"), ("answer", "refused")], 1.0),
        ("keymill_events_dropped_total", &[], 1.0),
        ("leader_election_master_status", &[("name", "keymill")], 1.0),
    ];
    for (name, labels, expected) in expected {
        assert_eq!(value(&samples, name, labels), Some(*expected), "{name} {labels:?}");
    }
    // As ESO's own exposition declares them.
    for (family, kind) in [
        ("externalsecret_sync_calls_total", "counter"),
        ("externalsecret_sync_calls_error", "counter"),
        ("externalsecret_status_condition", "gauge"),
        ("externalsecret_reconcile_duration", "gauge"),
        ("externalsecret_provider_api_calls_count", "counter"),
        ("controller_runtime_reconcile_total", "counter"),
        ("controller_runtime_reconcile_errors_total", "counter"),
        ("controller_runtime_reconcile_time_seconds", "histogram"),
        ("controller_runtime_active_workers", "gauge"),
        ("workqueue_depth", "gauge"),
        ("workqueue_adds_total", "counter"),
        ("workqueue_retries_total", "counter"),
        ("workqueue_queue_duration_seconds", "histogram"),
        ("workqueue_work_duration_seconds", "histogram"),
        ("workqueue_unfinished_work_seconds", "gauge"),
        ("workqueue_longest_running_processor_seconds", "gauge"),
        ("leader_election_master_status", "gauge"),
        ("keymill_component_call_seconds", "histogram"),
    ] {
        assert_eq!(types[family], kind, "{family}");
    }
}

#[test]
fn histograms_add_up() {
    let (types, samples) = parse(&exposition(&counted()));
    let histograms = types.iter().filter(|(_, kind)| *kind == "histogram");
    for (family, _) in histograms {
        let bucket = |one: &&Sample| one.name == format!("{family}_bucket");
        let buckets: Vec<f64> = samples.iter().filter(bucket).map(|one| one.value).collect();
        assert!(buckets.is_sorted() && buckets.len() > 5, "{family}: {buckets:?}");
        let last = samples.iter().rfind(bucket).unwrap();
        assert_eq!(last.labels["le"], "+Inf", "{family}");
        let count = samples.iter().find(|one| one.name == format!("{family}_count")).unwrap();
        assert_eq!(last.value, count.value, "{family}");
    }
}

#[test]
fn the_series_of_an_object_go_with_it() {
    let metrics = counted();
    let whole = parse(&exposition(&metrics)).1.len();
    metrics.forget(&object());
    let (_, samples) = parse(&exposition(&metrics));
    let of_objects = samples.iter().filter(|one| one.labels.contains_key("namespace")).count();
    assert_eq!(of_objects, 0, "{samples:?}");
    assert_eq!(samples.len(), whole - 6);
}

#[test]
fn a_name_cannot_forge_a_series() {
    let metrics = Metrics::default();
    let object = ObjectRef::namespaced("ExternalSecret", "shop", "a\"} 1\nforged{x=\"\\");
    metrics.synced(&object, &ready(true), Timestamp::UNIX_EPOCH);
    let (_, samples) = parse(&exposition(&metrics));
    assert!(samples.iter().all(|one| one.name != "forged"), "{samples:?}");
}

#[test]
fn queues_of_several_namespaces_are_one() {
    let metrics = Metrics::default();
    let queues = ["a", "b"].map(|_| metrics.queue("ExternalSecret"));
    let [one, other] = &queues;
    one.depth(2);
    other.depth(3);
    one.depth(1);
    one.under_way([Duration::from_secs(1), Duration::from_secs(4)].into_iter());
    other.under_way([Duration::from_secs(3)].into_iter());
    let (_, samples) = parse(&exposition(&metrics));
    let labels: Vec<(&str, &str)> = vec![("name", "externalsecret"), ("controller", "externalsecret")];
    for (name, expected) in [
        ("workqueue_depth", 4.0),
        ("workqueue_unfinished_work_seconds", 8.0),
        ("workqueue_longest_running_processor_seconds", 4.0),
    ] {
        assert_eq!(value(&samples, name, &labels), Some(expected), "{name}");
    }
}

#[test]
fn a_loop_that_has_just_begun_has_counted_nothing() {
    let metrics = Metrics::default();
    metrics.concurrency("PushSecret", 4);
    let (_, samples) = parse(&exposition(&metrics));
    let controller = ("controller", "pushsecret");
    for result in ["success", "error"] {
        let labels = [controller, ("result", result)];
        assert_eq!(value(&samples, "controller_runtime_reconcile_total", &labels), Some(0.0), "{result}");
    }
    assert_eq!(value(&samples, "controller_runtime_reconcile_errors_total", &[controller]), Some(0.0));
}

#[tokio::test]
async fn requests_count_by_code_and_method() {
    use http::{Method, Request, Response};
    use tower::{Layer, ServiceExt};

    let metrics = Metrics::default();
    let answers = tower::service_fn(|request: Request<()>| async move {
        match request.uri().path() {
            "/silent" => Err("no answer"),
            path => Ok(Response::builder().status(&path[1..]).body(()).unwrap()),
        }
    });
    for (method, path) in
        [(Method::GET, "/200"), (Method::GET, "/200"), (Method::PATCH, "/403"), (Method::PUT, "/silent")]
    {
        let service = metrics.requests("api:6443").layer(answers);
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        let answer = service.oneshot(request).await;
        assert_eq!(answer.is_err(), path == "/silent");
    }
    let (types, samples) = parse(&exposition(&metrics));
    assert_eq!(types["rest_client_requests_total"], "counter");
    for (code, method, count) in [("200", "GET", 2.0), ("403", "PATCH", 1.0), ("<error>", "PUT", 1.0)] {
        let labels = [("code", code), ("host", "api:6443"), ("method", method)];
        assert_eq!(value(&samples, "rest_client_requests_total", &labels), Some(count), "{code}");
    }
}
