//! What kube-apiserver answered, on disk.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::case::{self, Case, File};

/// The recorded answers to the cases of one file.
#[derive(Debug, PartialEq)]
pub(crate) struct Recording {
    cases: Map<String, Value>,
}

impl Recording {
    /// An empty one where nothing is recorded yet.
    pub(crate) fn read(area: &str) -> Self {
        let Ok(text) = std::fs::read_to_string(path(area)) else {
            return Self { cases: Map::new() };
        };
        Self::parse(&text)
    }

    pub(crate) fn of(file: &File, answers: &[Vec<Answer>]) -> Self {
        let cases = file.cases.iter().zip(answers);
        Self { cases: cases.map(|(case, answers)| (case.name.clone(), steps(case, answers))).collect() }
    }

    /// Writes it, and makes sure that it reads back as it is.
    pub(crate) fn write(&self, area: &str) {
        let text = serde_saphyr::to_string(&self.cases).unwrap();
        assert_eq!(Self::parse(&text), *self, "{area} does not read back");
        std::fs::write(path(area), text).unwrap();
    }

    /// The answer to a step of a case; `None` where none is recorded, or one of another request.
    pub(crate) fn answer(&self, case: &Case, step: usize) -> Option<Value> {
        let recorded = self.cases.get(&case.name)?.get(step)?;
        let is_same = recorded.get("do")? == case.steps.get(step)?.request.as_str();
        let mut answer = recorded.clone();
        answer.as_object_mut()?.remove("do");
        is_same.then_some(answer)
    }

    /// The names of its cases.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.cases.keys().map(String::as_str).collect()
    }

    fn parse(text: &str) -> Self {
        Self { cases: serde_saphyr::from_str(text).unwrap() }
    }
}

fn path(area: &str) -> std::path::PathBuf {
    case::folder().join("recorded").join(format!("{area}.yaml"))
}

fn steps(case: &Case, answers: &[Answer]) -> Value {
    let steps = case.steps.iter().zip(answers).map(|(step, answer)| {
        let mut recorded = json!({"do": step.request});
        recorded.as_object_mut().unwrap().extend(answer.to_json().as_object().unwrap().clone());
        recorded
    });
    steps.collect()
}
