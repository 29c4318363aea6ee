//! From the manifest to the checked spec.

use std::collections::BTreeMap;

use api::external_secret::{
    DataEntry, DataFromEntry, DataFromSource, ExternalSecretSpec, Find, MetadataPolicy, RemoteRef,
    RewriteRule,
};
use api::{ExternalSecret, GeneratorRef, Problem, StoreRef};

use super::{
    CheckedSpec, GeneratorEntry, Reading, Refresh, Remote, Rewrite, Source, SpecError, StoreName, Target,
};
use crate::failure::ObjectRef;
use crate::ports::{ListQuery, ReadOptions};
use crate::rotation::{EntryKey, identity};
use crate::schedule::Windows;
use crate::shape::Pattern;

impl CheckedSpec {
    /// Checks an ExternalSecret.
    ///
    /// # Errors
    /// With all problems and their paths.
    pub fn parse(object: &ExternalSecret) -> Result<Self, SpecError> {
        let mut problems = object.validate();
        let found = problems.len();
        let checked = Parser { problems: &mut problems, occurrences: BTreeMap::new() }.spec(object);
        // What both find, validation has said already.
        if found > 0 {
            problems.truncate(found);
        }
        match checked {
            Some(checked) if problems.is_empty() => Ok(checked),
            _ => Err(SpecError::Invalid { object: object_ref(object), problems }),
        }
    }
}

fn object_ref(object: &ExternalSecret) -> ObjectRef {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ObjectRef::namespaced("ExternalSecret", &text(&object.metadata.namespace), &text(&object.metadata.name))
}

struct Parser<'p> {
    problems: &'p mut Vec<Problem>,
    /// How often each generator was named so far.
    occurrences: BTreeMap<String, usize>,
}

impl Parser<'_> {
    fn spec(mut self, object: &ExternalSecret) -> Option<CheckedSpec> {
        let spec = &object.spec;
        if spec.target.manifest.is_some() {
            self.report(
                "spec.target.manifest",
                "names a target that is not a Secret, which keymill does not write yet",
            );
        }
        let windows = self.windows(spec);
        let default = spec.secret_store_ref.as_ref();
        let mut sources = Vec::new();
        for (index, entry) in spec.data_from.iter().enumerate() {
            sources.push(self.data_from(&format!("spec.dataFrom[{index}]"), entry, default));
        }
        for (index, entry) in spec.data.iter().enumerate() {
            sources.push(self.data(&format!("spec.data[{index}]"), entry, default));
        }
        let target = &spec.target;
        Some(CheckedSpec {
            refresh: Refresh {
                policy: spec.refresh_policy(),
                interval: spec.refresh_interval.to_std(),
                windows: windows?,
            },
            sources: sources.into_iter().collect::<Option<_>>()?,
            target: Target {
                name: object.target_name().to_owned(),
                creation: target.creation_policy,
                deletion: target.deletion_policy,
                immutable: target.immutable,
                template: target.template.clone(),
            },
        })
    }

    fn report(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), message: message.into() });
    }

    /// The windows if there are any; none at all when they cannot be read.
    fn windows(&mut self, spec: &ExternalSecretSpec) -> Option<Option<Windows>> {
        let Some(windows) = &spec.sync_windows else {
            return Some(None);
        };
        match Windows::parse(windows) {
            Ok(windows) => Some(Some(windows)),
            Err(wrong) => {
                for problem in wrong {
                    self.report(
                        &format!("spec.syncWindows.windows[{}].schedule", problem.index),
                        problem.message,
                    );
                }
                None
            }
        }
    }

    fn data(&mut self, path: &str, entry: &DataEntry, default: Option<&StoreRef>) -> Option<Source> {
        let store = self.store(path, entry.store_ref().or(default))?;
        Some(Source::Data { key: entry.secret_key.clone(), store, remote: remote(&entry.remote_ref) })
    }

    fn data_from(&mut self, path: &str, entry: &DataFromEntry, default: Option<&StoreRef>) -> Option<Source> {
        let rewrite = self.rewrites(path, entry);
        let store = entry.store_ref().or(default);
        match entry.source() {
            Some(DataFromSource::Extract(extract)) => Some(Source::Extract {
                store: self.store(path, store)?,
                remote: remote(extract),
                rewrite: rewrite?,
            }),
            Some(DataFromSource::Find(find)) => {
                let query = self.query(path, find);
                let reading = Reading {
                    conversion: find.conversion_strategy(),
                    decoding: find.decoding_strategy(),
                    null_bytes: find.null_byte_policy(),
                };
                Some(Source::Find {
                    store: self.store(path, store)?,
                    query: query?,
                    reading,
                    rewrite: rewrite?,
                })
            }
            Some(DataFromSource::Generator(generator)) => {
                let entry = self.generator(generator);
                Some(Source::Generator { entry, rewrite: rewrite? })
            }
            None => {
                self.report(path, "needs exactly one of extract, find and sourceRef.generatorRef");
                None
            }
        }
    }

    fn store(&mut self, path: &str, store: Option<&StoreRef>) -> Option<StoreName> {
        let name =
            store.and_then(|store| Some((store.kind(), store.name.clone().filter(|name| !name.is_empty())?)));
        if name.is_none() {
            self.report(path, "has no store: name one in spec.secretStoreRef or in sourceRef.storeRef");
        }
        name.map(|(kind, name)| StoreName { kind: kind.as_str().to_owned(), name })
    }

    fn generator(&mut self, generator: &GeneratorRef) -> GeneratorEntry {
        let kind = generator.kind.as_str();
        let occurrence =
            self.occurrences.entry(identity(&generator.api_version, kind, &generator.name)).or_default();
        let key = EntryKey::new(&generator.api_version, kind, &generator.name, *occurrence);
        *occurrence += 1;
        GeneratorEntry {
            key,
            api_version: generator.api_version.clone(),
            kind: kind.to_owned(),
            name: generator.name.clone(),
        }
    }

    fn query(&mut self, path: &str, find: &Find) -> Option<ListQuery> {
        let regexp = find.name.as_ref().and_then(|name| name.regexp.as_deref());
        let name = match regexp {
            Some(regexp) => Some(self.pattern(&format!("{path}.find.name.regexp"), regexp)?.regex().clone()),
            None => None,
        };
        Some(ListQuery {
            path: find.path.clone().filter(|path| !path.is_empty()),
            name,
            tags: find.tags.clone(),
        })
    }

    fn rewrites(&mut self, path: &str, entry: &DataFromEntry) -> Option<Vec<Rewrite>> {
        let mut rewrites = Vec::new();
        for (index, rewrite) in entry.rewrite.iter().enumerate() {
            let path = format!("{path}.rewrite[{index}]");
            rewrites.push(match rewrite.rule() {
                Some(RewriteRule::Regexp(regexp)) => self
                    .pattern(&format!("{path}.regexp.source"), &regexp.source)
                    .map(|pattern| Rewrite::Regexp { pattern, target: regexp.target.clone() }),
                Some(RewriteRule::Transform(transform)) => {
                    Some(Rewrite::Transform { template: transform.template.clone() })
                }
                Some(RewriteRule::Merge(merge)) => Some(Rewrite::Merge(merge.clone())),
                None => {
                    self.report(&path, "needs exactly one of regexp, transform and merge");
                    None
                }
            });
        }
        rewrites.into_iter().collect()
    }

    fn pattern(&mut self, path: &str, text: &str) -> Option<Pattern> {
        let compiled = Pattern::compile(text);
        if let Err(error) = &compiled {
            self.report(path, format!("is not a regular expression: {}", error.message));
        }
        compiled.ok()
    }
}

fn remote(remote: &RemoteRef) -> Remote {
    Remote {
        key: remote.key.clone(),
        property: remote.property.clone().filter(|property| !property.is_empty()),
        options: ReadOptions {
            version: remote.version.clone().filter(|version| !version.is_empty()),
            metadata: remote.metadata_policy() == MetadataPolicy::Fetch,
        },
        reading: Reading {
            conversion: remote.conversion_strategy(),
            decoding: remote.decoding_strategy(),
            null_bytes: remote.null_byte_policy(),
        },
    }
}
