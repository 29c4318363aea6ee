//! Words: the glossary, and what must not stand in the tree.

/// Folder and file names that say nothing.
const BANNED_NAMES: &[&str] = &["utils", "util", "common", "core", "helpers", "misc", "types", "v2"];

/// Text that must not stand in code: `(needle, why)`.
const BANNED_TEXT: &[(&str, &str)] = &[
    ("TODO", "open an issue"),
    ("FIXME", "open an issue"),
    ("XXX", "open an issue"),
    ("#[allow(", "use #[expect(lint, reason = \"...\")]"),
    ("#[ignore", "a test that does not run looks like one that passes"),
    ("assert!(true", "asserts nothing"),
    ("unimplemented!", "absent is better than a stub"),
    ("todo!(", "absent is better than a stub"),
];

/// Names that are banned as ours but belong to others, anywhere below a folder: `(folder, name, whose)`.
const NAMES_OF_OTHERS: &[(&str, &str, &str)] =
    &[("host/standalone/src/kv/", "v2", "Vault's KV has versions 1 and 2")];

/// Words that the glossary replaces, in code and prose of ours.
const GLOSSARY: &[(&str, &str)] =
    &[("plugin", "component"), ("templater", "template engine"), ("resync", "refresh")];

/// Words that the glossary replaces but a wire format of others has: `(file, text, whose)`.
const WORDS_OF_OTHERS: &[(&str, &str, &str)] = &[
    ("host/standalone/src/kv/sys.rs", "\"plugin_version\"", "a field of Vault's answer"),
    ("host/standalone/src/kv/sys.rs", "\"running_plugin_version\"", "a field of Vault's answer"),
    ("tests/servers/src/kubernetes.rs", "\"disable-admission-plugins\"", "a flag of kube-apiserver"),
    ("tests/deployment/src/cluster.rs", "--enable-admission-plugins=", "a flag of kube-apiserver"),
];

#[test]
fn names_say_something() {
    let wrong: Vec<String> = tidy::files(&[".rs"])
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| says_nothing(path))
        .collect();
    assert!(wrong.is_empty(), "a name that says nothing: {wrong:#?}");
}

fn says_nothing(path: &str) -> bool {
    let of_others = |part: &str| {
        let mut others = NAMES_OF_OTHERS.iter();
        others.any(|(folder, name, _)| *name == part && path.starts_with(folder))
    };
    let mut parts = path.trim_end_matches(".rs").split('/');
    parts.any(|part| BANNED_NAMES.contains(&part) && !of_others(part))
}

#[test]
fn nothing_is_left_behind_in_code() {
    let mut wrong = Vec::new();
    for file in tidy::files(&[".rs"]).unwrap().iter().filter(|file| !file.path.starts_with("tests/tidy/")) {
        for (number, line) in file.lines() {
            for (needle, why) in BANNED_TEXT {
                if line.contains(needle) {
                    wrong.push(format!("{}:{number} {needle}: {why}", file.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_glossary_is_law() {
    let mut wrong = Vec::new();
    for file in tidy::files(&[".rs", ".md", ".wit"])
        .unwrap()
        .iter()
        .filter(|file| !file.path.starts_with("tests/tidy/"))
    {
        for (number, line) in file.lines() {
            let mut ours = line.to_owned();
            for (_, text, _) in WORDS_OF_OTHERS.iter().filter(|(path, ..)| *path == file.path) {
                ours = ours.replace(text, "");
            }
            for (word, instead) in GLOSSARY {
                if words(&ours).any(|said| said.starts_with(word)) {
                    wrong.push(format!("{}:{number} says {word}, not {instead}", file.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_belongs_to_others_is_there() {
    let files = tidy::files(&[".rs"]).unwrap();
    for (folder, name, _) in NAMES_OF_OTHERS {
        let start = format!("{folder}{name}");
        assert!(files.iter().any(|file| file.path.starts_with(&start)), "{start} is gone");
    }
    for (path, text, _) in WORDS_OF_OTHERS {
        let says = |file: &tidy::File| file.path == *path && file.text.contains(text);
        assert!(files.iter().any(says), "{path} no longer says {text}");
    }
}

/// The words of prose and of identifiers, in lower case: `TemplateRef` is two, so it does not say `templater`.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in line.chars() {
        let begins = !c.is_alphabetic() || (c.is_uppercase() && before.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[test]
fn identifiers_are_taken_apart() {
    let check = |line: &str, expected: &[&str]| assert_eq!(words(line).collect::<Vec<_>>(), expected);
    check(
        "Option<TemplateRef>, // Plugins' PLUGIN_DIR",
        &["option", "template", "ref", "plugins", "plugin", "dir"],
    );
    check("fn resyncAll(v2)", &["fn", "resync", "all", "v"]);
}

#[test]
fn no_registry_or_private_path_is_named() {
    let mut wrong = Vec::new();
    let files = tidy::files(&[".rs", ".md", ".toml", ".yaml", ".wit", ".txt"]).unwrap();
    for file in files.iter().filter(|file| !file.path.starts_with("tests/tidy/")) {
        for (number, line) in file.lines() {
            if line.contains("/work/") || line.contains("../shared") {
                wrong.push(format!("{}:{number} names a path that only one machine has", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
