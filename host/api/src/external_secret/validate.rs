//! What is wrong with an ExternalSecret that its schema does not show.
//!
//! The rules are those of ESO's validating webhook, and what would fail at each refresh anyway: expressions that do not
//! compile, references that name nothing. Keep the order of the fields: problems are reported in it.

use std::collections::BTreeSet;

use super::{
    CreationPolicy, DataEntry, DataFromEntry, DeletionPolicy, ExternalSecret, ExternalSecretSpec, Find,
    Rewrite, RewriteRule, SourceRef, Target,
};
use crate::StoreRef;
use crate::problem::{Problem, Problems};

impl ExternalSecret {
    /// All problems that the schema does not show.
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::new();
        problems.field("spec", |problems| self.spec.check(problems));
        problems.into_found()
    }
}

impl ExternalSecretSpec {
    fn check(&self, problems: &mut Problems) {
        problems.field("target", |problems| self.target.check(problems));
        if self.data.is_empty() && self.data_from.is_empty() {
            problems.report("needs data or dataFrom");
        }
        let default_store = self.secret_store_ref.as_ref().is_some_and(names_store);
        problems.each("data", &self.data, |problems, entry| entry.check(default_store, problems));
        self.check_unique_keys(problems);
        problems.each("dataFrom", &self.data_from, |problems, entry| entry.check(default_store, problems));
    }

    /// As upstream, only under Retain: with the other policies the entry that has a value is meant to win.
    fn check_unique_keys(&self, problems: &mut Problems) {
        if self.target.deletion_policy != DeletionPolicy::Retain {
            return;
        }
        let mut seen = BTreeSet::new();
        problems.each("data", &self.data, |problems, entry| {
            if !seen.insert(entry.secret_key.as_str().to_owned()) {
                problems.report_field(
                    "secretKey",
                    format!("`{}` is the key of an earlier entry, too", entry.secret_key),
                );
            }
        });
    }
}

impl Target {
    fn check(&self, problems: &mut Problems) {
        match (self.deletion_policy, self.creation_policy) {
            (
                DeletionPolicy::Delete,
                policy @ (CreationPolicy::Merge | CreationPolicy::CreateOrMerge | CreationPolicy::None),
            ) => problems.report_field(
                "deletionPolicy",
                format!("Delete does not go with creationPolicy {policy:?}: the target is somebody else's"),
            ),
            (DeletionPolicy::Merge, CreationPolicy::None) => problems.report_field(
                "deletionPolicy",
                "Merge does not go with creationPolicy None: nothing is written",
            ),
            (DeletionPolicy::Delete | DeletionPolicy::Merge | DeletionPolicy::Retain, _) => {}
        }
        if let Some(template) = &self.template {
            problems.field("template", |problems| template.check(self.manifest.is_none(), problems));
        }
    }
}

impl DataEntry {
    fn check(&self, default_store: bool, problems: &mut Problems) {
        if let Some(source) = &self.source_ref {
            problems.field("sourceRef", |problems| {
                source.check(problems);
                if source.generator_ref.is_some() {
                    problems.report_field(
                        "generatorRef",
                        "names a generator, which makes values only in dataFrom",
                    );
                }
            });
        } else if !default_store {
            problems.report("has no store: name one in spec.secretStoreRef or in sourceRef.storeRef");
        }
    }
}

impl DataFromEntry {
    fn check(&self, default_store: bool, problems: &mut Problems) {
        if self.source().is_none() {
            problems.report("needs exactly one of extract, find and sourceRef.generatorRef");
        }
        if let Some(find) = &self.find {
            problems.field("find", |problems| find.check(problems));
        }
        problems.each("rewrite", &self.rewrite, |problems, rewrite| rewrite.check(problems));
        if let Some(source) = &self.source_ref {
            problems.field("sourceRef", |problems| source.check(problems));
        } else if !default_store && (self.extract.is_some() || self.find.is_some()) {
            problems.report("has no store: name one in spec.secretStoreRef or in sourceRef.storeRef");
        }
    }
}

impl SourceRef {
    fn check(&self, problems: &mut Problems) {
        match (&self.store_ref, &self.generator_ref) {
            (Some(store), None) if !names_store(store) => {
                problems.report_field("storeRef.name", "is missing")
            }
            (Some(_), None) => {}
            (None, Some(generator)) => problems.field("generatorRef", |problems| generator.check(problems)),
            (None, None) | (Some(_), Some(_)) => {
                problems.report("needs exactly one of storeRef and generatorRef")
            }
        }
    }
}

fn names_store(store: &StoreRef) -> bool {
    store.name.as_deref().is_some_and(|name| !name.is_empty())
}

impl Find {
    fn check(&self, problems: &mut Problems) {
        if let Some(regexp) = self.name.as_ref().and_then(|name| name.regexp.as_deref()) {
            problems.check_regex("name.regexp", regexp);
        }
    }
}

impl Rewrite {
    fn check(&self, problems: &mut Problems) {
        match self.rule() {
            Some(RewriteRule::Regexp(regexp)) => problems.check_regex("regexp.source", &regexp.source),
            Some(RewriteRule::Transform(_) | RewriteRule::Merge(_)) => {}
            None => problems.report("needs exactly one of regexp, transform and merge"),
        }
    }
}

#[cfg(test)]
mod tests;
