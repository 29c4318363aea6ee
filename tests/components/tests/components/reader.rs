//! Grants through the binary: a component gets what a label was bound to, and nothing without.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use components::READER;

/// A server that answers one request with a status and a body, and tells its first line and its token.
struct OneAnswer {
    address: SocketAddr,
    asked: Receiver<(String, String)>,
}

impl OneAnswer {
    fn start(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            sender.send(converse(stream, status, body)).unwrap();
        });
        Self { address, asked }
    }

    fn grant(&self) -> String {
        format!("prefix=http://{}/v1/secret/data/team", self.address)
    }
}

fn converse(mut stream: TcpStream, status: u16, body: &str) -> (String, String) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let token = head.iter().find_map(|line| line.strip_prefix("x-vault-token: ")).unwrap_or_default();
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).unwrap();
    (head[0].clone(), token.to_owned())
}

/// Exit code, standard output and standard error of `keymill generate` with the reader and these grants.
fn generate(folder: &Path, token: Option<&str>, grants: &[String]) -> (Option<i32>, String, String) {
    let component = folder.join("reader.wasm");
    std::fs::write(&component, READER).unwrap();
    let mut command = Command::new(support::keymill().unwrap());
    command
        .args(["generate", "-o", "json", "--component"])
        .arg(&component)
        .env("XDG_CACHE_HOME", folder)
        .env_remove("VAULT_TOKEN")
        .env_remove("VAULT_NAMESPACE")
        .env_remove("VAULT_CACERT")
        .envs(token.map(|token| ("VAULT_TOKEN", token)));
    for grant in grants {
        command.args(["--grant", grant]);
    }
    let ended = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
}

/// The grant of a Secret.
fn object(folder: &Path) -> String {
    let file = folder.join("secret.yaml");
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {user: robot}}";
    std::fs::write(&file, secret).unwrap();
    format!("object={}", file.display())
}

#[test]
fn a_component_reads_what_it_is_granted() {
    let folder = tempfile::tempdir().unwrap();
    let server = OneAnswer::start(200, r#"{"data":{"p":"canary"}}"#);
    let grants = [object(folder.path()), server.grant()];
    let (code, out, err) = generate(folder.path(), Some("s.token"), &grants);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let fields: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!({"user": "robot", "answer": r#"{"data":{"p":"canary"}}"#});
    assert_eq!(fields, expected);
    let asked = server.asked.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(asked, ("GET /v1/secret/data/team/app HTTP/1.1".to_owned(), "s.token".to_owned()));
}

#[test]
fn a_component_reads_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let object = object(folder.path());
    let denying = OneAnswer::start(403, r#"{"errors":["permission denied","canary"]}"#);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let denied = "use [..]reader.wasm: it refused (denied): What it wants to read was denied.";
    for (token, grants, expected_code, expected) in [
        (None, vec![], 3, vec![denied]),
        (None, vec![object.clone()], 3, vec![denied]),
        (
            Some("s.token"),
            vec![object.clone(), denying.grant()],
            3,
            vec![
                "grant prefix: failed to read \"secret/data/team/app\" from Vault at http://[..]: permission denied",
                denied,
            ],
        ),
        (
            Some("s.token"),
            vec![object.clone(), format!("prefix=http://{silent}/v1/kv")],
            3,
            vec![
                "grant prefix: failed to read \"kv/app\" from Vault at http://[..]: the server cannot be reached",
            ],
        ),
        (
            None,
            vec![object, denying.grant()],
            1,
            vec!["failed to grant prefix: find a token for the Vault: set $VAULT_TOKEN"],
        ),
    ] {
        let (code, out, err) = generate(folder.path(), token, &grants);
        assert_eq!((code, out.as_str()), (Some(expected_code), ""), "{grants:?}: {err}");
        for words in expected {
            let all = words.split("[..]").all(|part| err.contains(part));
            assert!(all, "{grants:?}: {err} lacks {words}");
        }
        assert!(!err.contains("canary"), "{err}");
    }
}
