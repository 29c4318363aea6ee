//! Prints the figures: `cargo run --release -p bench`.

#![expect(clippy::print_stdout, reason = "printing figures is what this program does")]

use anyhow::Result;
use bench::{Templates, engine, generate, load, timed, validate};

const CALLS: usize = 20_000;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");

    let (cold, made) = timed(|| engine(Some(&cache)))?;
    println!("engine, new                    {:8.2} ms", made.as_secs_f64() * 1e3);
    let mut total = std::time::Duration::ZERO;
    for builtin in bundle::BUILTINS {
        let (_, took) = timed(|| load(&cold, builtin.world, builtin.name))?;
        total += took;
        println!(
            "load cold  {:9} {:9} {:8.2} ms  ({} KiB)",
            builtin.world,
            builtin.name,
            took.as_secs_f64() * 1e3,
            builtin.bytes.len() >> 10
        );
    }
    println!("load cold, all                 {:8.2} ms", total.as_secs_f64() * 1e3);

    let (warm, made) = timed(|| engine(Some(&cache)))?;
    println!("engine, warm cache             {:8.2} ms", made.as_secs_f64() * 1e3);
    for builtin in bundle::BUILTINS {
        let (_, took) = timed(|| load(&warm, builtin.world, builtin.name))?;
        println!("load warm  {:9} {:9} {:8.2} ms", builtin.world, builtin.name, took.as_secs_f64() * 1e3);
    }

    let password = load(&warm, "generator", "password")?;
    println!("validate, password  {}", validate(&password, CALLS)?);
    println!("generate, password  {}", generate(&password, CALLS)?);
    let go = load(&warm, "template", "go")?;
    for (what, templates, count) in
        [("6 keys", Templates::of_a_database(), CALLS), ("100 keys", Templates::of_a_hundred(), CALLS / 10)]
    {
        println!("render, {what:8}    {}", templates.render(&go, count)?);
        if let Some(theirs) = templates.render_in_go(count)? {
            println!("  by Go, in process              p50 {:8.1} us", theirs.as_secs_f64() * 1e6);
        }
    }
    Ok(())
}
