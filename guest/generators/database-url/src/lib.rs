//! The generator `database-url`: one password, and every format in which a client wants it, each escaped as its reader unescapes it.
//!
//! The password is drawn once; the formats are derivations of it, so they cannot differ. What no escape makes right everywhere (a single
//! quote or a backslash in a .env file) is refused in the config instead. Readers of .env files do not even agree on quotes, so there are
//! two: `env` has them, for shells, and `env-raw` has none, for readers that take a line as it is. The user must exist: nothing is sent
//! to the database.

mod config;
mod escape;

use config::{Config, Engine};
use escape::{json, percent, pgpass};
use keymill_sdk::{
    Description, Failure, Generator, Output, Picks, Problems, Recipe, Request, Segment, Sensitivity,
    Transform, Value,
};

/// The component.
#[derive(Debug)]
pub struct DatabaseUrl;

const LETTERS_AND_DIGITS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl Generator for DatabaseUrl {
    type Config = Config;

    fn describe() -> Description {
        let about = "A database password, and connection strings with it in every format";
        let described = Description::new("database-url", env!("CARGO_PKG_VERSION"), about)
            .config(config::schema())
            .rules(config::RULES);
        let public = [
            ("username", "The user, from the config."),
            ("host", "The host, from the config."),
            ("port", "The port, from the config."),
            ("dbname", "The database, from the config."),
        ];
        let secret = [
            ("password", "The password as it is."),
            ("uri", "postgresql://user:password@host:port/database, or mysql://."),
            ("jdbc-uri", "The same for JDBC, with user and password as parameters."),
            ("pgpass", "A line of a .pgpass file; only for postgresql."),
            ("conninfo", "libpq's keywords and values; only for postgresql."),
            (
                "env",
                "DATABASE_URL and its parts in single quotes: for shells, docker compose, systemd and dotenv libraries.",
            ),
            (
                "env-raw",
                "The same without quotes: for docker run --env-file and kubectl create --from-env-file, which keep them.",
            ),
            (
                "json",
                "A JSON object with the keys that cloud databases use: username, password, engine, host, port, dbname.",
            ),
        ];
        let described = public
            .iter()
            .fold(described, |described, (key, about)| described.field(key, Sensitivity::Public, about));
        secret
            .iter()
            .fold(described, |described, (key, about)| described.field(key, Sensitivity::Secret, about))
    }

    fn validate(config: &Config, problems: &mut Problems) {
        config::validate(config, problems);
    }

    fn generate(request: Request<Config>) -> Result<Output, Failure> {
        let config = request.config;
        let mut recipe = Recipe::new();
        let alphabet = format!("{LETTERS_AND_DIGITS}{}", config.symbols);
        let password = recipe.picks(Picks::new().pick(alphabet, config.length));
        recipe.field("password", password);
        recipe.field("username", config.username.as_str());
        recipe.field("host", config.host.as_str());
        recipe.field("port", config.port().to_string());
        recipe.field("dbname", config.database.as_str());
        let uri = uri(&mut recipe, &config, password);
        recipe.field("uri", uri);
        let jdbc = jdbc(&mut recipe, &config, password);
        recipe.field("jdbc-uri", jdbc);
        if config.engine == Engine::Postgresql {
            let line = pgpass_line(&mut recipe, &config, password);
            recipe.field("pgpass", line);
            recipe.field("conninfo", conninfo(&config, password));
        }
        recipe.field("env", env(&config, uri, password, "'"));
        recipe.field("env-raw", env(&config, uri, password, ""));
        let object = object(&mut recipe, &config, password);
        recipe.field("json", object);
        Ok(recipe.finish())
    }
}

fn uri(recipe: &mut Recipe, config: &Config, password: Value) -> Value {
    let escaped = recipe.derive(Transform::UriUserinfo, password);
    let before = format!("{}://{}:", config.engine.name(), percent(&config.username));
    let after = format!(
        "@{}:{}/{}{}",
        config.url_host(),
        config.port(),
        percent(&config.database),
        query(config, '?')
    );
    recipe.derive(Transform::Join, (before, escaped, after))
}

fn jdbc(recipe: &mut Recipe, config: &Config, password: Value) -> Value {
    let escaped = recipe.derive(Transform::UriQuery, password);
    let before = format!(
        "jdbc:{}://{}:{}/{}?user={}&password=",
        config.engine.name(),
        config.url_host(),
        config.port(),
        percent(&config.database),
        percent(&config.username)
    );
    recipe.derive(Transform::Join, (before, escaped, query(config, '&')))
}

/// The options after this separator.
fn query(config: &Config, separator: char) -> String {
    let pairs = config.options.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    let pairs = pairs.collect::<Vec<_>>().join("&");
    if pairs.is_empty() { pairs } else { format!("{separator}{pairs}") }
}

fn pgpass_line(recipe: &mut Recipe, config: &Config, password: Value) -> Value {
    let escaped = recipe.derive(Transform::Pgpass, password);
    let [host, database, user] = [&config.host, &config.database, &config.username].map(|text| pgpass(text));
    let before = format!("{host}:{}:{database}:{user}:", config.port());
    recipe.derive(Transform::Join, (before, escaped, "\n"))
}

/// Values in quotes; the config lets nothing pass that would have to be escaped in them.
fn conninfo(config: &Config, password: Value) -> Vec<Segment> {
    let before = format!(
        "host='{}' port='{}' dbname='{}' user='{}' password='",
        config.host,
        config.port(),
        config.database,
        config.username
    );
    let options = config.options.iter().map(|(name, value)| format!(" {name}='{value}'"));
    vec![before.into(), password.into(), format!("'{}", options.collect::<String>()).into()]
}

/// One assignment a line. In single quotes nothing needs an escape, since the config lets no such quote and no backslash pass; without
/// quotes a value is all that stands behind the first `=`.
fn env(config: &Config, uri: Value, password: Value, quote: &str) -> Vec<Segment> {
    let parts = [
        ("HOST", &config.host),
        ("PORT", &config.port().to_string()),
        ("NAME", &config.database),
        ("USERNAME", &config.username),
    ];
    let parts = parts.map(|(name, value)| format!("DATABASE_{name}={quote}{value}{quote}\n")).concat();
    vec![
        format!("DATABASE_URL={quote}").into(),
        uri.into(),
        format!("{quote}\n{parts}DATABASE_PASSWORD={quote}").into(),
        password.into(),
        format!("{quote}\n").into(),
    ]
}

fn object(recipe: &mut Recipe, config: &Config, password: Value) -> Value {
    let quoted = recipe.derive(Transform::JsonString, password);
    let before = format!("{{\"username\":{},\"password\":", json(&config.username));
    let after = format!(
        ",\"engine\":\"{}\",\"host\":{},\"port\":{},\"dbname\":{}}}",
        config.engine.name(),
        json(&config.host),
        config.port(),
        json(&config.database)
    );
    recipe.derive(Transform::Join, (before, quoted, after))
}

keymill_sdk::generator!(DatabaseUrl);

#[cfg(test)]
mod tests;
