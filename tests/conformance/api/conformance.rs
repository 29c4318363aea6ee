//! The tests: every case on both servers, against what is recorded.

use std::collections::BTreeSet;

use futures::StreamExt;
use serde_json::Value;

use crate::answer::{self, Answer};
use crate::case::{self, Case, File, Step};
use crate::play::play;
use crate::recording::Recording;
use crate::subject::{self, Subject};

/// How many cases are played at a time.
const AT_A_TIME: usize = 32;
/// Set to play only the cases whose `area/name` contains it.
const ONLY: &str = "KEYMILL_ONLY";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standalone_api_answers_as_recorded() {
    let subject = Subject::standalone().await;
    let files = selected_files();
    let mut failures = Vec::new();
    for (file, answers) in files.iter().zip(play_all(&subject, &files).await) {
        let recording = Recording::read(&file.area);
        for (case, step, answer) in steps(file, &answers) {
            failures.extend(judge_standalone(file, case, step, answer, &recording));
        }
    }
    report(&failures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kube_apiserver_answers_as_recorded() {
    let Some(subject) = Subject::kube_apiserver().await else { return };
    let files = selected_files();
    let mut failures = Vec::new();
    for (file, answers) in files.iter().zip(play_all(&subject, &files).await) {
        failures.extend(
            steps(file, &answers).filter_map(|(case, step, answer)| judge_status(file, case, step, answer)),
        );
        if subject::is_recording() {
            Recording::of(file, &answers).write(&file.area);
            continue;
        }
        let recording = Recording::read(&file.area);
        for (case, step, answer) in steps(file, &answers) {
            let wrong = difference(case, step.0, answer, &recording);
            failures.extend(wrong.map(|wrong| line(file, case, step, &wrong)));
        }
    }
    report(&failures);
}

#[test]
fn every_recording_is_of_a_case_and_of_the_status_that_its_author_expects() {
    let mut failures = Vec::new();
    for file in case::files() {
        let recording = Recording::read(&file.area);
        let names: Vec<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(unique.len(), names.len(), "{}: two cases of one name", file.area);
        let unknown = recording.names().into_iter().filter(|name| !names.contains(name));
        failures
            .extend(unknown.map(|name| format!("{}/{name}: recorded, but there is no such case", file.area)));
        for case in &file.cases {
            for (index, step) in case.steps.iter().enumerate() {
                let recorded = recording.answer(case, index);
                let status =
                    recorded.as_ref().and_then(|answer| answer.get("status")).and_then(Value::as_u64);
                if status != Some(u64::from(step.status)) {
                    let wrong = format!("expected {}, recorded {status:?}", step.status);
                    failures.push(line(&file, case, (index, step), &wrong));
                }
            }
        }
    }
    report(&failures);
}

#[test]
fn every_difference_is_explained_in_the_readme() {
    let readme = case::folder().join("../../../host/standalone/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect();
    for file in case::files() {
        for step in file.cases.iter().flat_map(|case| &case.steps) {
            let Some(differs) = &step.differs else { continue };
            let known = rows.iter().any(|row| match row.as_slice() {
                [what, _, reason] => *differs == format!("{what}: {reason}"),
                _ => false,
            });
            assert!(
                known,
                "{}: {}: no row of the standalone API's README says {differs:?}",
                file.area, step.request
            );
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
fn selected_files() -> Vec<File> {
    let mut files = case::files();
    if let Ok(only) = std::env::var(ONLY) {
        for file in &mut files {
            let area = file.area.clone();
            file.cases.retain(|case| format!("{area}/{}", case.name).contains(&only));
        }
        files.retain(|file| !file.cases.is_empty());
    }
    files
}

/// The answers to all cases of each file, in their order. Most of the time goes by in waiting for controllers.
async fn play_all(subject: &Subject, files: &[File]) -> Vec<Vec<Vec<Answer>>> {
    let cases = files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, case)));
    let played = cases.map(|(file, case)| play(subject, file, case));
    let mut answers = futures::stream::iter(played).buffered(AT_A_TIME);
    let mut all = Vec::new();
    for file in files {
        all.push(answers.by_ref().take(file.cases.len()).collect().await);
    }
    all
}

/// Every step of a file with its number in its case, and what was answered to it.
fn steps<'a>(
    file: &'a File,
    answers: &'a [Vec<Answer>],
) -> impl Iterator<Item = (&'a Case, (usize, &'a Step), &'a Answer)> {
    let cases = file.cases.iter().zip(answers);
    cases.flat_map(|(case, answers)| {
        let steps = case.steps.iter().enumerate().zip(answers);
        steps.map(move |(step, answer)| (case, step, answer))
    })
}

/// What is wrong with an answer of the standalone API.
fn judge_standalone(
    file: &File,
    case: &Case,
    step: (usize, &Step),
    answer: &Answer,
    recording: &Recording,
) -> Option<String> {
    let wrong = difference(case, step.0, answer, recording);
    let status = step.1.here.unwrap_or(step.1.status);
    match (&step.1.differs, wrong) {
        (None, Some(wrong)) => Some(line(file, case, step, &wrong)),
        (Some(_), Some(wrong)) if answer.status != status => Some(line(file, case, step, &wrong)),
        (Some(_), None) => Some(line(file, case, step, "is marked as different, but is the same now")),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

fn judge_status(file: &File, case: &Case, step: (usize, &Step), answer: &Answer) -> Option<String> {
    let wrong = || format!("expected {}, got {}", step.1.status, answer.to_json());
    (answer.status != step.1.status).then(|| line(file, case, step, &wrong()))
}

/// How an answer differs from the recorded one: `pointer: recorded / got`.
fn difference(case: &Case, step: usize, answer: &Answer, recording: &Recording) -> Option<String> {
    let Some(recorded) = recording.answer(case, step) else {
        return Some(format!("nothing is recorded, got {}", answer.to_json()));
    };
    let found = answer::differences(&recorded, &answer.to_json());
    (!found.is_empty()).then(|| found.join("; "))
}

fn line(file: &File, case: &Case, (index, step): (usize, &Step), wrong: &str) -> String {
    let body = step.body.as_ref().map(Value::to_string).or_else(|| step.text.clone()).unwrap_or_default();
    format!("{}/{} step {}: {} {body}: {wrong}", file.area, case.name, index + 1, step.request)
}

fn report(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} steps (pointer: recorded / got):\n{}",
        failures.len(),
        failures.join("\n")
    );
}
