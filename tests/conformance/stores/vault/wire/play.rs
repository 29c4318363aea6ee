//! Plays a case on a server: fills in the names of its mounts, sends, and brings the answers into the form of the case file.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;
use standalone::kv::KvVersion;

use super::json::Json;
use super::script::{Case, Script, Step};
use crate::exchange::{self, Answer};
use crate::subject::Subject;

/// How long a step may wait for its status.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);
/// Headers that are looked at; those that say nothing unusual are not written down.
const HEADERS: [&str; 6] =
    ["content-type", "cache-control", "location", "x-vault-namespace", "retry-after", "allow"];

/// What a case finds that is not as recorded, one line each.
pub(super) fn misses(subject: &Subject, script: &str, case: &Case) -> Vec<String> {
    let mut misses = Vec::new();
    let found = answers(subject, script, case);
    for (step, found) in case.steps.iter().zip(found) {
        let recorded =
            if subject.is_embedded() && !step.other.is_empty() { &step.other } else { &step.answer };
        if *recorded != found {
            let (recorded, found) = (recorded.join("\n    "), found.join("\n    "));
            misses.push(format!(
                "{} {}\n  recorded\n    {recorded}\n  found\n    {found}",
                step.method, step.path
            ));
        }
    }
    misses.extend(mark_misses(case));
    misses
}

/// A mark that nothing bears out is no mark.
fn mark_misses(case: &Case) -> Option<String> {
    let differs = case.steps.iter().any(|step| !step.other.is_empty());
    let alike = case.steps.iter().any(|step| !step.other.is_empty() && step.other == step.answer);
    match case.left_out {
        _ if alike => Some("a step has two answers that are alike".to_owned()),
        None if differs => Some("another answer needs a reason".to_owned()),
        Some(_) if !differs => Some("is marked, but the embedded KV answers as Vault does".to_owned()),
        Some(_) | None => None,
    }
}

/// The script with the answers of the two servers.
pub(super) fn record(mut script: Script, vault: &Subject, embedded: &Subject) -> Script {
    let name = script.name.clone();
    for case in &mut script.cases {
        let recorded = answers(vault, &name, case);
        case.steps.iter_mut().zip(recorded).for_each(|(step, answer)| step.answer = answer);
        if case.left_out.is_some() {
            let others = answers(embedded, &name, case);
            for (step, other) in case.steps.iter_mut().zip(others) {
                step.other = if other == step.answer { Vec::new() } else { other };
            }
        }
    }
    script
}

fn answers(subject: &Subject, script: &str, case: &Case) -> Vec<Vec<String>> {
    crate::subject::run(async {
        let names = mounts(subject, script, case).await;
        let mut answers = Vec::new();
        for step in &case.steps {
            answers.push(answer(subject, step, &names).await);
        }
        answers
    })
}

/// Mounts of the case's own, one for each name that it uses.
async fn mounts(subject: &Subject, script: &str, case: &Case) -> BTreeMap<String, String> {
    let kinds = [("v1", KvVersion::V1), ("v2", KvVersion::V2), ("deep", KvVersion::V2)];
    let mut names = BTreeMap::from([("token".to_owned(), subject.token.clone())]);
    for (name, version) in kinds {
        let wanted = format!("{{{name}}}");
        if !case.steps.iter().any(|step| step.path.contains(&wanted) || step.body.contains(&wanted)) {
            continue;
        }
        let folder = if name == "deep" { "deep/" } else { "" };
        let script = script.trim_end_matches(".txt");
        let path = format!("{folder}{name}-{script}-{}", subject.count());
        subject.mount(&path, version).await;
        names.insert(name.to_owned(), path);
    }
    names
}

async fn answer(subject: &Subject, step: &Step, names: &BTreeMap<String, String>) -> Vec<String> {
    let status = step.answer.first().and_then(|line| line.split(' ').nth(1));
    let started = Instant::now();
    loop {
        let answer = exchange::send(subject.address, request(step, names, subject)).await;
        let arrived = !step.waits || status.is_none_or(|status| status == answer.status.to_string());
        if arrived || started.elapsed() > PATIENCE {
            return lines(step, &answer, names);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn request(step: &Step, names: &BTreeMap<String, String>, subject: &Subject) -> Request<Full<Bytes>> {
    let fill = |text: &str| {
        names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    };
    let path = fill(&step.path);
    let path = if path.starts_with('/') { path } else { format!("/v1/{path}") };
    let mut headers = BTreeMap::from([
        ("host".to_owned(), subject.address.to_string()),
        ("x-vault-token".to_owned(), subject.token.clone()),
        ("x-vault-request".to_owned(), "true".to_owned()),
    ]);
    if !step.body.is_empty() {
        let kind = if step.method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        headers.insert("content-type".to_owned(), kind.to_owned());
    }
    for (name, value) in &step.headers {
        headers.insert(name.clone(), fill(value));
    }
    let request = Request::builder().method(step.method.as_str()).uri(path);
    let given = headers.iter().filter(|(_, value)| *value != "absent");
    let request = given.fold(request, |request, (name, value)| request.header(name, value));
    request.body(Full::from(fill(&step.body))).unwrap()
}

fn lines(step: &Step, answer: &Answer, names: &BTreeMap<String, String>) -> Vec<String> {
    let shown = match (Json::parse(&answer.body), &step.part) {
        (Some(body), None) => format!(" {}", body.normalised("").shown()),
        (Some(body), Some(part)) => {
            let member = part.rsplit('/').next().unwrap_or_default();
            let part = body.at(&hide(part, names, false)).cloned();
            part.map_or(" absent".to_owned(), |part| format!(" {}", part.normalised(member)))
        }
        (None, _) if answer.body.is_empty() => String::new(),
        (None, _) => format!(" text {:?}", String::from_utf8_lossy(&answer.body)),
    };
    let first = format!("< {}{shown}", answer.status);
    let headers = unusual(&answer.headers);
    let headers = headers.map(|(name, value)| format!("<< {name}: {value}"));
    [first].into_iter().chain(headers).map(|line| hide(&line, names, true)).collect()
}

/// The names of mounts and tokens, as the case file has them; or the other way round.
fn hide(text: &str, names: &BTreeMap<String, String>, hides: bool) -> String {
    let mut names: Vec<_> = names.iter().filter(|(_, value)| value.len() > 3).collect();
    names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    names.into_iter().fold(text.to_owned(), |text, (name, value)| {
        let name = format!("{{{name}}}");
        if hides { text.replace(value.as_str(), &name) } else { text.replace(&name, value) }
    })
}

fn unusual(headers: &HeaderMap) -> impl Iterator<Item = (&'static str, String)> {
    HEADERS.into_iter().filter_map(move |name| {
        let usual = match name {
            "content-type" => "application/json",
            "cache-control" => "no-store",
            _ => "absent",
        };
        let found = headers.get(name).map_or("absent", |value| value.to_str().unwrap_or("not text"));
        (found != usual).then(|| (name, found.to_owned()))
    })
}

#[test]
fn a_mark_that_nothing_bears_out_is_a_failure() {
    for (marks, other, fails) in [
        ("", "", false),
        ("! a reason\n", "!< 404\n", false),
        ("! a reason\n", "", true),
        ("! a reason\n", "!< 200\n", true),
        ("", "!< 404\n", true),
    ] {
        let text = format!("== a case\n{marks}> GET a\n< 200\n{other}");
        let script = Script::parse("a.txt", &text).unwrap();
        assert_eq!(script.cases.iter().any(|case| mark_misses(case).is_some()), fails, "{text}");
        assert_eq!(script.to_string(), text);
    }
}
