//! What an author does, with nothing but the binary, cargo or npm, and an empty folder: from `new` to a value on the screen in less than a
//! minute, in every world. And what goes wrong for one, each with one clear error.
//!
//! cargo has the crates, since this tree is made of the same; npm downloads the one package that it needs, or has it in its cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::KEYMILL;

/// One author at a time: the minute is measured on a machine that does nothing else of ours.
static TURN: Mutex<()> = Mutex::new(());

/// A folder of an author's, and where cargo compiles.
struct Desk {
    folder: tempfile::TempDir,
    target: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Desk {
    /// Where somebody has worked before: what all projects depend on is compiled already, perhaps.
    fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author");
        Self { folder: tempfile::tempdir().unwrap(), target, _turn: turn }
    }

    /// Where nothing is compiled.
    fn of_a_beginner() -> Self {
        let desk = Self::new();
        let target = desk.path("target");
        Self { target, ..desk }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command as an author types it: cargo's variables that this test runs under are not his.
    fn keymill(&self, folder: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(KEYMILL);
        command.args(args).current_dir(folder).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("CARGO_TARGET_DIR", &self.target).env_remove("CARGO_INCREMENTAL").env_remove("CARGO");
        command.output().unwrap()
    }

    /// What it prints, when it succeeds.
    fn done(&self, folder: &Path, args: &[&str]) -> String {
        let output = self.keymill(folder, args);
        let (stdout, stderr) = texts(&output);
        assert!(output.status.success(), "keymill {args:?}: {stdout}{stderr}");
        stdout
    }

    /// The exit code, and what it says to standard error without cargo's progress.
    fn refused(&self, folder: &Path, args: &[&str]) -> (Option<i32>, String) {
        let output = self.keymill(folder, args);
        let stderr = texts(&output).1;
        let progress = ["   Compiling ", "    Finished ", "    Blocking ", "     Locking "];
        let own = stderr.lines().filter(|line| !progress.iter().any(|start| line.starts_with(start)));
        (output.status.code(), own.collect::<Vec<_>>().join("\n"))
    }

    fn project_in(&self, language: &str, name: &str, world: &str) -> PathBuf {
        self.done(self.folder.path(), &["component", "new", name, "--world", world, "--lang", language]);
        self.path(name)
    }

    fn project(&self, name: &str, world: &str) -> PathBuf {
        self.done(self.folder.path(), &["component", "new", name, "--world", world]);
        self.path(name)
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn write(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} lacks {from}", path.display());
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn from_nothing_to_a_value_in_a_minute_in_every_world() {
    let desk = Desk::of_a_beginner();
    let start = Instant::now();
    let token = desk.project("my-token", "generator");
    let built = desk.done(&token, &["component", "build"]);
    let tested = desk.done(&token, &["component", "test"]);
    let value = desk.done(&token, &["generate", "--component", "./my-token.wasm"]);
    let took = start.elapsed();
    assert!(built.contains("world    generator\n") && built.contains("digest   sha256:"), "{built}");
    assert!(tested.ends_with("\n4 cases hold\n"), "{tested}");
    assert!(value.starts_with("token: \"tok_"), "{value}");
    println!("from nothing to a value: {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(60), "an author waits {took:?} for a value");

    let runs = desk.project("no-runs", "policy");
    assert!(desk.done(&runs, &["component", "test"]).ends_with("\n9 cases hold\n"));
    let judged = desk.done(
        &token,
        &["generate", "--component", "./my-token.wasm", "--policy", "../no-runs/no-runs.wasm={\"most\":40}"],
    );
    assert!(judged.starts_with("token: "), "{judged}");
    let dollar = desk.project("dollar", "template");
    assert!(desk.done(&dollar, &["component", "test"]).ends_with("\n3 cases hold\n"));
    let render = ["render", "--engine", "./dollar.wasm", "external-secret.yaml", "data.yaml"];
    assert_eq!(desk.done(&dollar, &render), "uri: \"postgresql://app:s3cret@db:5432/app\"\n");
}

/// With the very cases of the projects in Rust. Without npm it is said and nothing is shown, unless the servers of the other tests are
/// required, too.
#[test]
fn a_minute_is_enough_in_javascript_too() {
    if Command::new("npm").arg("--version").output().is_err() {
        #[expect(clippy::disallowed_methods, reason = "the same variable as for the servers of other tests")]
        let required = std::env::var_os("KEYMILL_REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!required, "npm is missing");
        println!("npm is missing: components in JavaScript are not shown");
        return;
    }
    let desk = Desk::new();
    let start = Instant::now();
    let token = desk.project_in("js", "my-token", "generator");
    let built = desk.done(&token, &["component", "build"]);
    let value = desk.done(&token, &["generate", "--component", "./my-token.wasm"]);
    let took = start.elapsed();
    assert!(built.starts_with("path     ./my-token.wasm\nworld    generator\n"), "{built}");
    assert!(value.starts_with("token: \"tok_"), "{value}");
    println!("from nothing to a value in JavaScript: {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(60), "an author waits {took:?} for a value");
    for (name, world, cases) in
        [("my-token", "generator", 4), ("no-runs", "policy", 9), ("dollar", "template", 3)]
    {
        let folder = if name == "my-token" { token.clone() } else { desk.project_in("js", name, world) };
        let tested = desk.done(&folder, &["component", "test"]);
        assert!(tested.ends_with(&format!("\n{cases} cases hold\n")), "{tested}");
    }
    let script = token.join("package.json");
    write(&script, "--output build/component.wasm", "--output build/other.wasm");
    let (code, said) = desk.refused(&token, &["component", "build"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.ends_with("build/component.wasm: the script build of package.json has to make it"),
        "{said}"
    );
    write(&script, "componentize-qjs --wit", "no-such-tool --wit");
    let (code, said) = desk.refused(&token, &["component", "build"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.ends_with("compile the project, as said above; the command was\n  npm run build --silent"),
        "{said}"
    );
}

#[test]
fn the_same_source_gives_the_same_bytes_wherever_it_lies() {
    let desk = Desk::new();
    let one = desk.project("no-runs", "policy");
    let other = desk.path("deeper/it's \"there\"/the same");
    let new = ["component", "new", "no-runs", "--world", "policy", "--dir"];
    desk.done(desk.folder.path(), &[new.as_slice(), &[other.to_str().unwrap()]].concat());
    let bytes = |folder: &Path| {
        desk.done(folder, &["component", "build"]);
        std::fs::read(folder.join("no-runs.wasm")).unwrap()
    };
    let first = bytes(&one);
    assert!(bytes(&one) == first, "a second build differs");
    assert!(bytes(&other) == first, "a build in another folder differs");
    let here = one.to_string_lossy().into_owned();
    assert!(!String::from_utf8_lossy(&first).contains(&here), "the folder shows in the bytes");
}

#[test]
fn what_does_not_hold_is_said_whole() {
    let desk = Desk::new();
    let token = desk.project("my-token", "generator");
    write(&token.join("src/lib.rs"), "(\":\", prefix.as_str(), random)", "(\"x\", prefix.as_str(), random)");
    write(&token.join("cases.yaml"), "length: 36,", "length: 35,");
    let tested = desk.keymill(&token, &["component", "test"]);
    let (stdout, _) = texts(&tested);
    assert_eq!(tested.status.code(), Some(1), "{stdout}");
    for line in [
        "FAILED  what a user gets who says nothing",
        "        token has 36 characters, not 35: ",
        "        header is not \"Basic OnI1a3FqdXJkbXVoYXJsc3o0ejAw\": \"Basic eHI1a3FqdXJkbXVoYXJsc3o0ejAw\" came",
        "ok      a prefix that runs into the token",
        "2 of 4 cases failed",
    ] {
        assert!(stdout.lines().any(|said| said.starts_with(line)), "{stdout}\nlacks {line}");
    }
    let over = desk.refused(&token, &["component", "bench", "-n", "2", "--budget", "1"]);
    assert_eq!(over.0, Some(1));
    assert!(over.1.contains("failed to stay within the budget of 1 fuel\n  what a user gets"), "{}", over.1);
    assert!(desk.done(&token, &["component", "bench", "--budget", "1000000"]).starts_with("FUEL "));
    std::fs::write(token.join("cases.yaml"), "[]").unwrap();
    let (code, said) = desk.refused(&token, &["component", "test", "my-token.wasm"]);
    assert_eq!(code, Some(1));
    assert_eq!(said, "error: failed to use cases.yaml: find a case: the file holds none");
}

/// Each is refused with one line that says what is wrong.
#[test]
fn what_is_no_component_of_ours_is_refused_with_one_line() {
    let desk = Desk::new();
    let here = desk.folder.path();
    let wasi = wat::parse_str(
        r#"(component (import "wasi:cli/environment@0.2.0" (instance)) (import "wasi:io/streams@0.2.0" (instance)))"#,
    );
    std::fs::write(desk.path("wasi.wasm"), wasi.unwrap()).unwrap();
    std::fs::write(desk.path("module.wasm"), wat::parse_str("(module)").unwrap()).unwrap();
    std::fs::write(desk.path("empty.wasm"), wat::parse_str("(component)").unwrap()).unwrap();
    std::fs::write(desk.path("text.wasm"), "hello").unwrap();
    let policy = bundle::builtin("policy", "length").unwrap().bytes;
    std::fs::write(desk.path("policy.wasm"), policy).unwrap();
    std::fs::write(desk.path("cut.wasm"), &policy[..policy.len() / 2]).unwrap();
    let check = |args: &[&str], code: i32, expected: &str| {
        let (found, said) = desk.refused(here, args);
        assert_eq!((found, said.lines().count()), (Some(code), 1), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said} lacks {expected}");
    };
    for command in [
        ["generate", "--component"].as_slice(),
        &["check", "--policy"],
        &["component", "inspect"],
        &["component", "test"],
        &["component", "bench"],
    ] {
        let with = |file| [command, &[file]].concat();
        check(
            &with("./wasi.wasm"),
            3,
            "it imports wasi:cli/environment@0.2.0, wasi:io/streams@0.2.0, and only keymill:guest@0.1 may be imported",
        );
        check(&with("./module.wasm"), 3, "it is a core module: make a component of it with wit-component");
        check(&with("./empty.wasm"), 3, "tell the component's world");
        check(&with("./text.wasm"), 3, "read the component: ");
        check(&with("./cut.wasm"), 3, "read the component: ");
        check(&with("./none.wasm"), 1, "failed to read ./none.wasm: ");
    }
    check(
        &["generate", "--component", "./policy.wasm"],
        2,
        "use ./policy.wasm as a generator: it is a policy",
    );
}

#[test]
fn what_is_wrong_with_a_project_is_said() {
    let desk = Desk::new();
    let runs = desk.project("no-runs", "policy");
    let check = |folder: &Path, args: &[&str], expected: &str| {
        let (code, said) = desk.refused(folder, args);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(expected), "{said}\nlacks {expected}");
    };
    let here = desk.folder.path();
    check(here, &["component", "new", "no-runs", "--world", "policy"], "no-runs: the folder is not empty");
    check(
        here,
        &["component", "build", "nowhere"],
        "failed to find a project in nowhere: there is neither Cargo.toml",
    );
    let path = runs.join("src/lib.rs");
    let source = std::fs::read_to_string(&path).unwrap();
    let with = |end: &str| std::fs::write(&path, format!("{source}{end}")).unwrap();
    with("fn broken() -> u8 { \"\" }\n");
    check(&runs, &["component", "build"], "error[E0308]: mismatched types");
    check(
        &runs,
        &["component", "build"],
        "error: failed to compile the project, as said above; the command was\n  cargo build",
    );
    with(
        "#[link(wasm_import_module = \"wasi_snapshot_preview1\")]\nunsafe extern \"C\" { fn sched_yield() -> i32; }\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn wait() -> i32 { unsafe { sched_yield() } }\n",
    );
    check(&runs, &["component", "build"], "wasi_snapshot_preview1");
    assert!(!runs.join("no-runs.wasm").exists(), "what was refused was written");
    with("");
    write(&runs.join("Cargo.toml"), "[\"cdylib\"]", "[\"rlib\"]");
    check(&runs, &["component", "build"], "Cargo.toml needs, under [lib], crate-type = [\"cdylib\"]");
}

/// Whoever has no Rust, one that cannot make WebAssembly, or no npm, is told what mends it.
#[test]
fn what_is_missing_on_the_machine_is_said() {
    let desk = Desk::new();
    let runs = desk.project("no-runs", "policy");
    let script = desk.project_in("js", "script", "policy");
    let check = |folder: &Path, variable: &str, value: &Path, expected: &str| {
        let mut command = Command::new(KEYMILL);
        command.args(["component", "build"]).current_dir(folder).env_remove("CARGO").env_remove("RUSTC");
        command.env("XDG_CACHE_HOME", desk.path("cache")).env(variable, value);
        let output = command.output().unwrap();
        let said = format!("error: failed to {expected}\n");
        assert_eq!((output.status.code(), texts(&output).1), (Some(1), said));
    };
    let nothing = desk.path("none");
    check(&runs, "PATH", &nothing, "find cargo and rustc: install Rust with rustup, then open a new shell");
    check(&script, "PATH", &nothing, "find npm: install Node.js, 18 or newer");
    check(
        &runs,
        "RUSTC",
        Path::new("/bin/echo"),
        "compile for WebAssembly: rustc has no wasm32-unknown-unknown here; run: rustup target add wasm32-unknown-unknown",
    );
}
