//! The rules of pgjdbc's URLs, as far as CloudNativePG's keys use them: what the driver would connect with.
//!
//! Stands in for the driver where there is no Java. `jdbc:postgresql://host:port/database?name=value&...`; database and values are
//! form-encoded, so a `+` is a space, and a value ends at the next `&`.

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JdbcUrl {
    pub(super) host: String,
    pub(super) port: String,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: String,
}

impl JdbcUrl {
    /// libpq's words for it, the password aside.
    pub(super) fn connection(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        format!(
            "host={} port={} dbname={} user={}",
            quoted(&self.host),
            quoted(&self.port),
            quoted(&self.database),
            quoted(&self.user)
        )
    }
}

/// Reads a URL; none when the driver would not take it, or when it names no user or password.
pub(super) fn parse(url: &str) -> Option<JdbcUrl> {
    let rest = url.strip_prefix("jdbc:postgresql://")?;
    let (place, arguments) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, database) = place.split_once('/')?;
    let (host, port) = server.rsplit_once(':').unwrap_or((server, "5432"));
    port.parse::<u16>().ok()?;
    let (mut user, mut password) = (None, None);
    for argument in arguments.split('&') {
        match argument.split_once('=') {
            Some(("user", value)) => user = Some(decoded(value)?),
            Some(("password", value)) => password = Some(decoded(value)?),
            _ => {}
        }
    }
    Some(JdbcUrl {
        host: host.to_owned(),
        port: port.to_owned(),
        database: decoded(database)?,
        user: user?,
        password: password?,
    })
}

/// Form decoding; none where a `%` is not followed by two hexadecimal digits.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|text| !text.contains('+'))?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[test]
fn a_url_is_read_as_the_driver_reads_it() {
    let check = |password: &str, expected: Option<&str>| {
        let url =
            format!("jdbc:postgresql://cluster-example-rw.default:5432/app?password={password}&user=app");
        let parsed = parse(&url).map(|url| url.password);
        assert_eq!(parsed.as_deref(), expected, "{url}");
    };
    check("plain-._~$@", Some("plain-._~$@"));
    check("a+b", Some("a b"));
    check("a%20b", Some("a b"));
    check("a%2Bb%26c%25", Some("a+b&c%"));
    check("a&b", Some("a"));
    check("a?b=c", Some("a?b=c"));
    check("a%", None);
    check("a%+1", None);
    let url = "jdbc:postgresql://h.ns.svc:6543/a%20b?user=a%27b&password=p";
    let parsed = parse(url).unwrap();
    assert_eq!(parsed.connection(), "host='h.ns.svc' port='6543' dbname='a b' user='a\\'b'");
    for wrong in [
        "postgresql://h:5432/app?user=a&password=b",
        "jdbc:postgresql://h:port/app?user=a&password=b",
        "jdbc:postgresql://h:5432?user=a&password=b",
        "jdbc:postgresql://h:5432/app?user=a",
    ] {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
}
