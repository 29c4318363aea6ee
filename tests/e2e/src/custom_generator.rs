//! The example of a generator of one's own, step by step as its README says: from an empty folder to a value, and a swap.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::dev::{Dev, Place, SOON};

/// What a command prints on standard output; it must end well.
fn keymill(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(support::keymill().unwrap()).args(arguments).current_dir(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "keymill {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// What the status of the Component says, when that is `expected`.
async fn serving_when(dev: &Dev, what: &str, expected: impl Fn(&Json) -> bool) -> Json {
    let components = dev.objects("keymill.dev/v1alpha1", "Component", "components");
    let said = async || {
        let status = components.get_opt("my-token").await?.map(|object| object.data["status"].clone());
        Ok(status.filter(&expected))
    };
    support::until(what, SOON, said).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generator_from_zero_serves_and_is_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keymill(folder, &["component", "new", "my-token", "--world", "generator"]);
    keymill(folder, &["component", "test", "my-token"]);
    keymill(folder, &["component", "build", "my-token"]);
    let wasm = "my-token/my-token.wasm";
    let made = keymill(folder, &["generate", "--component", wasm, "--config", r#"{"length": 24}"#]);
    assert!(made.contains("tok_"), "a value is on the screen: {made}");

    let place = Place::example("custom-generator");
    place.write("component.yaml", &keymill(folder, &["component", "manifest", wasm]));
    let dev = place.start().await;
    let is_first =
        |seen: &crate::dev::Seen| seen.key("token").starts_with("tok_") && seen.key("token").len() == 28;
    let first = dev.secret_when("my-token", "the first token", is_first).await;
    let status = serving_when(&dev, "it serves", |status| status["serving"].is_object()).await;
    assert_eq!(status["serving"]["world"], "generator");

    let source = folder.join("my-token/src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, text.replace("\"abcdefghijklmnopqrstuvwxyz0123456789\"", "\"abcdefgh01234567\""))
        .unwrap();
    keymill(folder, &["component", "build", "my-token"]);
    place.write("component.yaml", &keymill(folder, &["component", "manifest", wasm]));
    let before = status["serving"]["digest"].clone();
    serving_when(&dev, "the new one serves", |status| {
        status["serving"]["digest"].is_string() && status["serving"]["digest"] != before
    })
    .await;
    assert_eq!(dev.secret("my-token").await.unwrap().unwrap(), first, "nothing rotates because of it");
    place.edit("external-secret.yaml", "force-sync: \"1\"", "force-sync: \"2\"");
    let of_few = |seen: &crate::dev::Seen| {
        seen.key("token").len() == 28
            && seen.key("token").chars().skip(4).all(|c| "abcdefgh01234567".contains(c))
    };
    dev.secret_when("my-token", "a token of the new generator", of_few).await;
}
