//! kubectl against both servers: the same output and the same exit code.
//!
//! `kubectl/commands.yaml` lists what is typed, one command after the other in one namespace, and the files that it
//! reads. Where there is no kubectl, one line says so; with `KEYMILL_REQUIRE_SERVERS=1` that is a failure.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::case;
use crate::plain::Plain;
use crate::subject::{self, Subject};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    #[serde(rename = "about")]
    _about: String,
    files: BTreeMap<String, String>,
    commands: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_prints_the_same() {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        assert!(!subject::is_required(), "kubectl is missing");
        println!("not run: kubectl is missing");
        return;
    }
    let standalone = Subject::standalone().await;
    let session = tokio::task::spawn_blocking(move || outputs(&standalone));
    if let Some(real) = Subject::kube_apiserver().await {
        let printed = tokio::task::spawn_blocking(move || outputs(&real)).await.unwrap();
        if subject::is_recording() {
            std::fs::write(recorded(), serde_saphyr::to_string(&printed).unwrap()).unwrap();
        }
        compare("kube-apiserver", &printed);
    }
    compare("standalone", &session.await.unwrap());
}

fn recorded() -> std::path::PathBuf {
    case::folder().join("recorded/kubectl.yaml")
}

fn compare(name: &str, printed: &Value) {
    let text = std::fs::read_to_string(recorded()).unwrap();
    let recorded: Value = serde_saphyr::from_str(&text).unwrap();
    let (recorded, printed) = (recorded.as_array().unwrap(), printed.as_array().unwrap());
    let wrong: Vec<String> = recorded
        .iter()
        .zip(printed)
        .filter(|(recorded, printed)| recorded != printed)
        .map(|(recorded, printed)| format!("recorded {recorded:#}\n{name} {printed:#}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(recorded.len(), printed.len(), "{name}: commands without a recording");
}

/// What each command prints on that server.
fn outputs(subject: &Subject) -> Value {
    let session = std::fs::read_to_string(case::folder().join("kubectl/commands.yaml")).unwrap();
    let session: Session = serde_saphyr::from_str(&session).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kubeconfig"), &subject.kubeconfig).unwrap();
    for (name, text) in &session.files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let printed = session.commands.iter().map(|arguments| run(folder.path(), arguments));
    printed.collect()
}

/// Runs one command for at most a minute.
fn run(folder: &Path, arguments: &str) -> Value {
    let output = Command::new("timeout")
        .args(["60", "kubectl", "--namespace", "kubectl"])
        .args(words(arguments))
        .current_dir(folder)
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("KUBE_EDITOR", "sed -i s/before/after/")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| plain(&String::from_utf8_lossy(bytes), folder);
    json!({
        "kubectl": arguments,
        "exit": output.status.code(),
        "out": text(&output.stdout),
        "err": text(&output.stderr),
    })
}

/// Splits at blanks; single quotes keep them.
fn words(arguments: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, part) in arguments.split('\'').enumerate() {
        let mut pieces = if index % 2 == 0 { part.split(' ').collect() } else { vec![part] }.into_iter();
        words.last_mut().unwrap().push_str(pieces.next().unwrap_or_default());
        words.extend(pieces.map(str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Without what differs from run to run.
fn plain(text: &str, folder: &Path) -> String {
    let replaced = [
        (r#"resourceVersion: "\d+""#, "resourceVersion: <version>"),
        (r"(LIVE|MERGED)-\d+", "$1"),
        (r"\t?20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+\d{4}", " <time>"),
        (r"kubectl-edit-\d+", "kubectl-edit"),
        (r"(?m)(\d+[smh])+$", "<age>"),
        (r"https://127\.0\.0\.1:\d+", "<server>"),
    ];
    let text = text.replace(&folder.display().to_string(), "<folder>");
    let text = replaced.iter().fold(text, |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    });
    Plain::new().text(&text)
}

#[test]
fn quotes_keep_blanks() {
    assert_eq!(words("get 'a b'  -o x='{.y z}'"), ["get", "a b", "-o", "x={.y z}"]);
}
