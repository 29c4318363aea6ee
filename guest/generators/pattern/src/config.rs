//! The rules that a password must obey. What is wrong with one of them alone is told here; whether they can be obeyed together is
//! `feasible`'s to say.

use keymill_sdk::{Problems, Rule, Schema, pointer};
use serde::Deserialize;

use crate::classes::{self, Class, Set};

/// Length, classes and the rest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    #[serde(default = "default_length")]
    pub(crate) length: u32,
    #[serde(default = "default_classes")]
    pub(crate) classes: Vec<Counted>,
    #[serde(default)]
    exclude: String,
    pub(crate) first: Option<Set>,
    pub(crate) last: Option<Set>,
    #[serde(default)]
    pub(crate) no_equal_neighbours: bool,
    #[serde(default)]
    pub(crate) forbidden: Vec<String>,
}

/// A set, and how many of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub(crate) of: Set,
    #[serde(default)]
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
}

const DEFAULT_LENGTH: u32 = 24;
const MOST_LENGTH: u32 = 256;
const MOST_CLASSES: usize = 8;
/// Of a set, one by one. With the named classes that keeps all classes together below the host's 4096.
const MOST_CHARACTERS: usize = 256;
const MOST_FORBIDDEN: usize = 256;

const LENGTH: Rule = Rule::new("invalid-length", "length is between 1 and 256 characters.");
const CLASSES: Rule = Rule::new("invalid-classes", "There are between 1 and 8 classes.");
const TOO_MANY_CHARACTERS: Rule = Rule::new(
    "too-many-characters",
    "More than 256 characters are listed one by one. Longer passwords are better than more characters.",
);
const EMPTY_SET: Rule = Rule::new(
    "empty-set",
    "No character is left of this set: it names none, or exclude takes all of them away.",
);
const CONTROL: Rule = Rule::new("control-character", "This has a control character, such as a line break.");
const MIN_EXCEEDS_MAX: Rule = Rule::new("min-exceeds-max", "min is more than max.");
const NOWHERE: Rule = Rule::new(
    "in-no-class",
    "No character of this set is in any class, so no password could have one there.",
);
const EMPTY_TEXT: Rule = Rule::new("empty-text", "The empty text stands everywhere. Leave it out.");
const TOO_MUCH_FORBIDDEN: Rule =
    Rule::new("too-much-forbidden", "The forbidden texts have more than 256 characters together.");

/// The rules about them.
pub(crate) const RULES: &[Rule] = &[
    LENGTH,
    CLASSES,
    TOO_MANY_CHARACTERS,
    EMPTY_SET,
    CONTROL,
    MIN_EXCEEDS_MAX,
    NOWHERE,
    EMPTY_TEXT,
    TOO_MUCH_FORBIDDEN,
];

impl Config {
    /// What of a set may be used.
    pub(crate) fn characters(&self, set: &Set) -> String {
        set.distinct().into_iter().filter(|c| !self.exclude.contains(*c)).collect()
    }
}

/// Adds what is wrong with each rule.
pub(crate) fn validate(config: &Config, problems: &mut Problems) {
    problems.add_if(!(1..=MOST_LENGTH).contains(&config.length), &LENGTH, "/length");
    if !(1..=MOST_CLASSES).contains(&config.classes.len()) {
        return problems.add(&CLASSES, "/classes");
    }
    if has_too_many_characters(config, problems) {
        return;
    }
    for (index, class) in config.classes.iter().enumerate() {
        let index = index.to_string();
        validate_set(config, &class.of, &pointer(["classes", &index, "of"]), problems);
        let crossed = class.max.is_some_and(|max| max < class.min);
        problems.add_if(crossed, &MIN_EXCEEDS_MAX, pointer(["classes", &index, "min"]));
    }
    let possible: String = config.classes.iter().map(|class| config.characters(&class.of)).collect();
    for (set, path) in [(&config.first, "/first"), (&config.last, "/last")] {
        let Some(set) = set else { continue };
        validate_set(config, set, path, problems);
        let characters = config.characters(set);
        let nowhere = !characters.is_empty() && !characters.contains(|c| possible.contains(c));
        problems.add_if(nowhere, &NOWHERE, path);
    }
    for (index, text) in config.forbidden.iter().enumerate() {
        problems.add_if(text.is_empty(), &EMPTY_TEXT, pointer(["forbidden", &index.to_string()]));
    }
    let forbidden: usize = config.forbidden.iter().map(|text| text.chars().count()).sum();
    problems.add_if(forbidden > MOST_FORBIDDEN, &TOO_MUCH_FORBIDDEN, "/forbidden");
}

/// Then nothing else is told: looking at each of them would take too long.
fn has_too_many_characters(config: &Config, problems: &mut Problems) -> bool {
    let classes = config.classes.iter().enumerate();
    let classes = classes
        .map(|(index, class)| (&class.of, pointer(["classes", &index.to_string(), "of", "characters"])));
    let edges = [(&config.first, "/first/characters"), (&config.last, "/last/characters")];
    let edges = edges.into_iter().filter_map(|(set, path)| Some((set.as_ref()?, path.to_owned())));
    let listed = classes.chain(edges).map(|(set, path)| (&set.characters, path));
    let mut found = false;
    for (characters, path) in listed.chain([(&config.exclude, "/exclude".to_owned())]) {
        let too_many = characters.chars().nth(MOST_CHARACTERS).is_some();
        problems.add_if(too_many, &TOO_MANY_CHARACTERS, path);
        found |= too_many;
    }
    found
}

fn validate_set(config: &Config, set: &Set, path: &str, problems: &mut Problems) {
    problems.add_if(config.characters(set).is_empty(), &EMPTY_SET, path);
    problems.add_if(set.characters.contains(char::is_control), &CONTROL, path);
}

fn default_length() -> u32 {
    DEFAULT_LENGTH
}

/// What most composition rules ask for.
fn default_classes() -> Vec<Counted> {
    let at_least_one = |class| Counted { of: Set::of(class), min: 1, max: None };
    [Class::Lower, Class::Upper, Class::Digit].map(at_least_one).into()
}

/// The same, as a user's editor sees it.
pub(crate) fn schema() -> Schema {
    let count = || Schema::integer().min(0);
    let class = Schema::object()
        .required("of", classes::schema("The characters."))
        .optional("min", count().default_value(0).about("At least so many of them."))
        .optional("max", count().about("At most so many of them. Any number if not said."));
    let all =
        "Every character is of one of these sets. If not said: lower, upper and digit, at least one of each.";
    let exclude = "Characters that are taken out of every set, such as 0O1lI for people who have to type.";
    let forbidden =
        "Texts that must not stand in the password, such as a name. As they are: Ab does not forbid ab.";
    let texts = Schema::array(Schema::string().keyword("minLength", 1)).about(forbidden);
    Schema::object()
        .optional(
            "length",
            Schema::integer().min(1).max(MOST_LENGTH.into()).default_value(24).about("How many characters."),
        )
        .optional("classes", Schema::array(class).keyword("minItems", 1).keyword("maxItems", 8).about(all))
        .optional("exclude", Schema::string().keyword("maxLength", 256).default_value("").about(exclude))
        .optional("first", classes::schema("What may stand first. Anything if not said."))
        .optional("last", classes::schema("What may stand last. Anything if not said."))
        .optional(
            "noEqualNeighbours",
            Schema::boolean().default_value(false).about("No character directly beside itself."),
        )
        .optional("forbidden", texts)
}
