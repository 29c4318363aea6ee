//! OpenLDAP's slapd from the distribution, with one user, in a temporary folder.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONFIG: &str = "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix \"dc=example,dc=org\"
rootdn \"cn=admin,dc=example,dc=org\"
directory FOLDER
";

const PEOPLE: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=ada,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace
userPassword: pass word
";

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory; it stops when it is dropped.
pub(super) struct Slapd {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Slapd {
    pub(super) const PEOPLE: &str = "ou=people,dc=example,dc=org";
    pub(super) const USER: &str = "ada";
    pub(super) const PASSWORD: &str = "pass word";

    /// None where it is not installed, after a line that says so; a panic where it is required.
    pub(super) fn start() -> Option<Self> {
        let program = Path::new("/usr/sbin/slapd");
        if !program.is_file() {
            missing("slapd is missing: install the package slapd to test logins with LDAP");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("slapd.conf");
        std::fs::write(&config, CONFIG.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        load(&config);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.arg("-f").arg(&config).args(["-h", &format!("ldap://127.0.0.1:{port}"), "-d", "0"]);
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let slapd = Self { server, port, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "slapd does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(slapd)
    }

    pub(super) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn load(config: &Path) {
    let mut add = Command::new("/usr/sbin/slapadd");
    let mut add = add.arg("-f").arg(config).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(PEOPLE.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success(), "slapadd fails");
}

#[expect(clippy::disallowed_methods, reason = "the tests are their own command line")]
fn missing(line: &str) {
    let required = std::env::var_os("KEYMILL_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!required, "{line}");
    drop(writeln!(std::io::stderr(), "{line}"));
}
