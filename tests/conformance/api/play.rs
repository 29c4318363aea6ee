//! Plays a case on a server.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use regex::{Captures, Regex};
use reqwest::header::{ACCEPT, CONTENT_TYPE, USER_AGENT, WARNING};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::Answer;
use crate::case::{Case, File, Step};
use crate::plain::Plain;
use crate::subject::Subject;

/// For one step, with all its repetitions; a loaded machine needs some of it.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([a-z][a-z0-9-]*)\}").unwrap());

/// The answers to all steps, in their order.
pub(crate) async fn play(subject: &Subject, file: &File, case: &Case) -> Vec<Answer> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let namespace = format!("{}-{}-{}", file.area, case.name, COUNT.fetch_add(1, Ordering::Relaxed));
    let mut player = Player {
        subject,
        plain: Plain::new(),
        variables: BTreeMap::from([("namespace".to_owned(), namespace.clone())]),
        place: format!("{}/{}", file.area, case.name),
    };
    player.plain.name("namespace", &namespace);
    for (name, path) in &file.paths {
        let path = player.filled(path);
        player.variables.insert(name.clone(), path);
    }
    let made = Step {
        request: "POST /api/v1/namespaces".to_owned(),
        body: Some(json!({"metadata": {"name": namespace}})),
        ..Step::default()
    };
    let made = player.send(&made).await;
    assert_eq!(made.status, 201, "{}: {}", player.place, made.body);
    let mut answers = Vec::new();
    for step in &case.steps {
        answers.push(player.step(step).await);
    }
    answers
}

struct Player<'a> {
    subject: &'a Subject,
    plain: Plain,
    variables: BTreeMap<String, String>,
    /// For messages.
    place: String,
}

impl Player<'_> {
    async fn step(&mut self, step: &Step) -> Answer {
        let raw = match &step.until {
            Some(wanted) => self.send_until(step, wanted).await,
            None => self.send(step).await,
        };
        for (name, pointer) in &step.save {
            let found = raw.body.pointer(pointer).and_then(Value::as_str);
            let found = found.unwrap_or_else(|| {
                panic!("{}: {}: no text at {pointer} in {}", self.place, step.request, raw.body)
            });
            self.variables.insert(name.clone(), found.to_owned());
        }
        let mut answer = Answer {
            status: raw.status,
            media: raw.media,
            warnings: raw.warnings.iter().map(|text| self.plain.text(text)).collect(),
            body: self.plain.body(&raw.body),
        };
        // Only now: UIDs and versions have placeholders of their own.
        for name in step.save.keys().filter(|name| name.starts_with("name")) {
            let text = self.variables[name].clone();
            self.plain.name(name, &text);
            answer.body = self.plain.body(&answer.body);
        }
        if step.unordered {
            answer.order_causes();
        }
        answer.keep(&step.show);
        answer
    }

    async fn send_until(&self, step: &Step, wanted: &BTreeMap<String, Value>) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.send(step).await;
            let holds = |(pointer, value): (&String, &Value)| {
                answer.body.pointer(pointer).unwrap_or(&Value::Null) == value
            };
            if answer.status == step.status && wanted.iter().all(holds) {
                return answer;
            }
            if Instant::now() > deadline {
                // The comparison says what is wrong with it.
                return answer;
            }
            sleep(BETWEEN_TRIES).await;
        }
    }

    async fn send(&self, step: &Step) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        let (method, path) = step.request.split_once(' ').unwrap();
        let url = format!("{}{}", self.subject.url, self.filled(path));
        let mut request = self.subject.client.request(method.parse().unwrap(), &url);
        request = request
            .bearer_auth(&self.subject.token)
            .header(USER_AGENT, "conformance/1.0")
            .header(ACCEPT, accept(step.accept.as_deref().unwrap_or("json")));
        for (name, value) in &step.headers {
            request = request.header(name, self.filled(value));
        }
        if let Some(body) = self.body(step) {
            let media = step.media.as_deref().unwrap_or("json");
            request = request.header(CONTENT_TYPE, content_type(media)).body(body);
        }
        let mut response = self.answered(step, request, deadline).await;
        let header =
            |name| response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        let warnings = header(WARNING).collect();
        let media = header(CONTENT_TYPE).next().filter(|media| media != "application/json");
        let status = response.status().as_u16();
        let body = match step.events {
            Some(count) => events(&mut response, count, deadline).await,
            None => {
                let bytes = timeout_at(deadline, response.bytes()).await.unwrap().unwrap();
                serde_json::from_slice(&bytes)
                    .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
            }
        };
        Answer { status, media, warnings, body }
    }

    /// The answer to a request. A read whose connection is cut is sent again: kube-apiserver does so to requests for a
    /// kind whose definition has just changed.
    async fn answered(
        &self,
        step: &Step,
        request: reqwest::RequestBuilder,
        deadline: Instant,
    ) -> reqwest::Response {
        loop {
            let attempt = request.try_clone().unwrap();
            let sent = timeout_at(deadline, attempt.send()).await;
            match sent.unwrap_or_else(|_| panic!("{}: {}: no answer", self.place, step.request)) {
                Ok(response) => return response,
                Err(_) if step.request.starts_with("GET ") => sleep(BETWEEN_TRIES).await,
                Err(error) => panic!("{}: {}: {error:?}", self.place, step.request),
            }
        }
    }

    fn body(&self, step: &Step) -> Option<String> {
        let text = step.text.as_ref().map(|text| self.filled(text));
        text.or_else(|| Some(self.filled(&step.body.as_ref()?.to_string())))
    }

    /// The text with the values of the variables that it names.
    fn filled(&self, text: &str) -> String {
        let filled = VARIABLE.replace_all(text, |found: &Captures<'_>| {
            self.variables.get(&found[1]).cloned().unwrap_or_else(|| found[0].to_owned())
        });
        filled.into_owned()
    }
}

/// The next events of a watch; fewer when it ends before.
async fn events(response: &mut reqwest::Response, count: usize, deadline: Instant) -> Value {
    let (mut events, mut rest) = (Vec::new(), Vec::new());
    while events.len() < count {
        let Ok(Some(chunk)) = timeout_at(deadline, response.chunk()).await.unwrap_or(Ok(None)) else {
            break;
        };
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            events.push(serde_json::from_slice(&line).unwrap());
        }
    }
    if let Ok(status) = serde_json::from_slice::<Value>(&rest) {
        // A refusal is one document, and not a line.
        events.push(status);
    }
    events.truncate(count);
    events.into()
}

fn content_type(short: &str) -> String {
    match short {
        "json" => "application/json".to_owned(),
        "yaml" => "application/yaml".to_owned(),
        "apply" => "application/apply-patch+yaml".to_owned(),
        "merge" => "application/merge-patch+json".to_owned(),
        "strategic" => "application/strategic-merge-patch+json".to_owned(),
        "patch" => "application/json-patch+json".to_owned(),
        whole => whole.to_owned(),
    }
}

fn accept(short: &str) -> String {
    match short {
        "json" => "application/json".to_owned(),
        "table" => "application/json;as=Table;v=v1;g=meta.k8s.io".to_owned(),
        "metadata" => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io".to_owned(),
        "metadata-list" => "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io".to_owned(),
        whole => whole.to_owned(),
    }
}
