//! Bad input: one message each that names the file or object; the others go on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use crate::dev::Place;

const GOOD: &str = "apiVersion: generators.external-secrets.io/v1alpha1\nkind: Password\nmetadata: {name: p}\nspec: {length: 20}\n---\n\
apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: good}\nspec:\n  dataFrom:\n  - sourceRef: {generatorRef: {kind: Password, name: p}}\n";

fn external(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_each_and_the_others_go_on() {
    let place = Place::empty();
    place.write("good.yaml", GOOD);
    place.write("malformed.yaml", "kind: [\n");
    place.write("unknown-kind.yaml", "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n");
    place.write("unknown-field.yaml", &external("typo", "{refreshIntervall: 1h, data: []}"));
    place.write(
        "bad-template.yaml",
        &external(
            "bad-template",
            "{target: {template: {data: {a: \"{{ .x\"}}}, dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: p}}}]}",
        ),
    );
    place.write(
        "no-store.yaml",
        &external(
            "no-store",
            "{secretStoreRef: {name: nowhere}, data: [{secretKey: a, remoteRef: {key: b}}]}",
        ),
    );
    place.write(
        "no-generator.yaml",
        &external(
            "no-generator",
            "{dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: nobody}}}]}",
        ),
    );
    place.write("no-duration.yaml", &external("no-duration", "{refreshInterval: soon, data: []}"));
    let dev = place.start().await;
    let objects = dev.external_secrets();
    dev.ready_when(&objects, "good", "SecretSynced").await;
    for (name, words) in [
        ("no-duration", ["soon", "duration"]),
        ("bad-template", ["template", "a"]),
        ("no-store", ["SecretStore", "nowhere"]),
        ("no-generator", ["Password", "nobody"]),
    ] {
        let [status, _, message] = dev.ready_when(&objects, name, "SecretSyncedError").await;
        assert_eq!(status, "False");
        for word in words {
            assert!(message.contains(word), "{name}: {message}");
        }
        assert!(dev.secret(name).await.unwrap().is_none(), "{name} has a half-made target");
    }
    let output = dev.program.output();
    for words in [
        ["malformed.yaml", "not YAML"],
        ["unknown-kind.yaml", "Widget"],
        ["unknown-field.yaml", "refreshIntervall"],
    ] {
        let named = output.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(named, "no line with {words:?}:\n{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_says_so_and_nothing_is_written() {
    let place = Place::example("cloudnative-pg");
    let refusing = refusing_server();
    let dev = place.start_with(&["--resolve", &format!("vault.vault.svc:8200={refusing}")]).await;
    let stores = dev.objects("external-secrets.io/v1", "SecretStore", "secretstores");
    let [status, _, message] = dev.ready_when(&stores, "vault-backend", "InvalidProviderConfig").await;
    assert_eq!(status, "False");
    assert!(message.contains("vault.vault.svc:8200") && message.contains("permission denied"), "{message}");
    let pushes = dev.objects("external-secrets.io/v1alpha1", "PushSecret", "pushsecrets");
    let [status, ..] = dev.ready_when(&pushes, "pushsecret-example", "Errored").await;
    assert_eq!(status, "False");
    dev.ready_when(&dev.external_secrets(), "cluster-example-app-secret", "SecretSynced").await;
}

/// A Vault that knows no token. Its thread ends with the test process.
fn refusing_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let body = r#"{"errors":["permission denied"]}"#;
                let head = format!(
                    "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        }
    });
    address
}
