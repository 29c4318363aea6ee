//! A running `keymill run`, with the flags of the Deployment, and what it says.

use std::process::Command;
use std::time::{Duration, Instant};

use support::Program;

use crate::cluster::PATIENCE;

/// It ends with its test.
pub(crate) struct Operator {
    pub(crate) program: Program,
    /// The id of its token, as the audit log has it.
    pub(crate) token_id: String,
    health: String,
    metrics: String,
}

impl Operator {
    /// Starts a command that has the flags for both addresses, and waits until it serves them.
    pub(crate) fn start(command: Command, token_id: String) -> Self {
        let mut program = Program::start(command).unwrap();
        let health = address(&mut program, "/livez and /readyz");
        let metrics = address(&mut program, "/metrics");
        Self { program, token_id, health, metrics }
    }

    /// The code and text of a page.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        get(if path == "/metrics" { &self.metrics } else { &self.health }, path)
    }

    /// Waits until it is ready; the failure says why it is not.
    pub(crate) fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (code, text) = self.page("/readyz");
            if code == 200 {
                return;
            }
            assert!(Instant::now() < deadline, "{text}\n{}", self.program.output());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it as the kubelet does; its exit code and all that it printed.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.program.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.program.wait(Duration::from_secs(60)).unwrap();
        (status.code(), self.program.output())
    }
}

fn address(program: &mut Program, what: &str) -> String {
    let serving = format!("serving {what}");
    let line = program.wait_for_line(PATIENCE, |line| line.contains(&serving)).unwrap();
    // As text or as JSON.
    let port: String =
        line.split("127.0.0.1:").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    format!("127.0.0.1:{port}")
}

/// One GET on loopback.
fn get(address: &str, path: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}
