//! What is connected to, and what the password may be made of.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use keymill_sdk::{Problems, Rule, Schema, pointer};
use serde::Deserialize;

/// The database, the user, and the password's length and symbols.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub(crate) engine: Engine,
    pub(crate) host: String,
    port: Option<u32>,
    pub(crate) database: String,
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    #[serde(default = "default_length")]
    pub(crate) length: u32,
    #[serde(default)]
    pub(crate) symbols: String,
}

/// Which database, by the scheme of its URIs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    #[default]
    Postgresql,
    Mysql,
}

const DEFAULT_LENGTH: u32 = 32;
const LEAST_LENGTH: u32 = 16;
const MOST_LENGTH: u32 = 256;
const MOST_BYTES: usize = 255;
const MOST_PORT: u32 = 65_535;
/// Options that would say what the config says already.
const RESERVED: [&str; 6] = ["user", "password", "host", "port", "dbname", "passfile"];

const HOST: Rule = Rule::new(
    "invalid-host",
    "The host is a name of letters, digits, '-', '_' and '.', or an IP address; an IPv6 address without brackets.",
);
const PORT: Rule = Rule::new("invalid-port", "A port is between 1 and 65535.");
const NOT_PORTABLE: Rule = Rule::new(
    "not-portable",
    "This is empty, longer than 255 bytes, or has a control character, a single quote or a backslash, which not all readers of .env files take as they are.",
);
const OPTION: Rule = Rule::new(
    "invalid-option",
    "The name of an option is letters, digits, '_', '-' and '.', and none of user, password, host, port, dbname, passfile.",
);
const TOO_SHORT: Rule =
    Rule::new("too-short", "A password of fewer than 16 characters can be guessed. Raise length.");
const TOO_LONG: Rule =
    Rule::new("too-long", "Some clients cut passwords of more than 256 characters. Lower length.");
const SYMBOLS: Rule = Rule::new(
    "invalid-symbols",
    "symbols are ASCII punctuation, without the single quote and the backslash, which not all readers of .env files take as they are.",
);

/// The rules about them.
pub(crate) const RULES: &[Rule] = &[HOST, PORT, NOT_PORTABLE, OPTION, TOO_SHORT, TOO_LONG, SYMBOLS];

impl Engine {
    /// As in URIs, and as cloud databases say it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
        }
    }
}

impl Config {
    /// The port, by default the engine's own.
    pub(crate) fn port(&self) -> u32 {
        self.port.unwrap_or(match self.engine {
            Engine::Postgresql => 5432,
            Engine::Mysql => 3306,
        })
    }

    /// The host as it stands in a URL: an IPv6 address in brackets.
    pub(crate) fn url_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

/// Adds all that is wrong.
pub(crate) fn validate(config: &Config, problems: &mut Problems) {
    problems.add_if(!is_host(&config.host), &HOST, "/host");
    problems.add_if(!(1..=MOST_PORT).contains(&config.port()), &PORT, "/port");
    problems.add_if(!is_portable(&config.database), &NOT_PORTABLE, "/database");
    problems.add_if(!is_portable(&config.username), &NOT_PORTABLE, "/username");
    for (name, value) in &config.options {
        let path = pointer(["options", name]);
        problems.add_if(!is_option(name), &OPTION, path.as_str());
        problems.add_if(!is_portable(value), &NOT_PORTABLE, path);
    }
    problems.add_if(config.length < LEAST_LENGTH, &TOO_SHORT, "/length");
    problems.add_if(config.length > MOST_LENGTH, &TOO_LONG, "/length");
    let is_symbol = |c: char| c.is_ascii_punctuation() && !matches!(c, '\'' | '\\');
    problems.add_if(!config.symbols.chars().all(is_symbol), &SYMBOLS, "/symbols");
}

fn is_host(host: &str) -> bool {
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (1..=MOST_BYTES).contains(&host.len()) && (is_name || host.parse::<Ipv6Addr>().is_ok())
}

fn is_portable(text: &str) -> bool {
    (1..=MOST_BYTES).contains(&text.len())
        && !text.contains(|c: char| c.is_control() || matches!(c, '\'' | '\\'))
}

fn is_option(name: &str) -> bool {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (1..=MOST_BYTES).contains(&name.len()) && is_name && !RESERVED.contains(&name)
}

/// The same, as a user's editor sees it.
pub(crate) fn schema() -> Schema {
    let text = || Schema::string().keyword("minLength", 1).keyword("maxLength", 255);
    let number = |least: u32, most: u32| Schema::integer().min(least.into()).max(most.into());
    let engine = "Which database. pgpass and conninfo come with postgresql only.";
    let options = "Parameters of the URI, the JDBC URI and conninfo, such as sslmode: verify-full.";
    let length = "How many characters the password has. 32 letters and digits are worth 190 bits.";
    let symbols = "Punctuation that the password may have beside letters and digits; every format escapes it. None if not said, which suits also those who forget to.";
    Schema::object()
        .optional(
            "engine",
            Schema::one_of(&["postgresql", "mysql"]).default_value("postgresql").about(engine),
        )
        .required("host", text().about("A name or an IP address."))
        .optional("port", number(1, MOST_PORT).about("5432 for postgresql, 3306 for mysql if not said."))
        .required("database", text().about("The database's name."))
        .required("username", text().about("Who logs in. The user must exist, or be made from this Secret."))
        .optional("options", Schema::map(Schema::string()).about(options))
        .optional("length", number(LEAST_LENGTH, MOST_LENGTH).default_value(32).about(length))
        .optional("symbols", Schema::string().default_value("").about(symbols))
}

fn default_length() -> u32 {
    DEFAULT_LENGTH
}
