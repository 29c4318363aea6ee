//! The three ways in which CloudNativePG takes a password over, and where they differ.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

/// `Secret`s with this annotation are sent to PostgreSQL as they are.
const PASSTHROUGH: (&str, &str) = ("cnpg.io/passwordPassthrough", "enabled");

/// Who wants the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The Cluster's application Secret: bytes as they are, remembered in the process only, never acknowledged.
    App,
    /// `spec.managed.roles`: trimmed; remembers the Secret's version and the row's, so it undoes what others did to the role.
    ManagedRole,
    /// A `DatabaseRole`: trimmed; remembers the Secret's version.
    DatabaseRole,
}

/// What a Secret asks for.
pub(super) struct Credential {
    pub(super) password: String,
    /// Not to be hashed.
    pub(super) is_verbatim: bool,
}

impl Mode {
    pub(crate) const ALL: [Mode; 3] = [Mode::App, Mode::ManagedRole, Mode::DatabaseRole];

    /// The password for `role`, or why the Secret has none.
    pub(super) fn credential(self, secret: &Secret, role: &str) -> Result<Credential, String> {
        let key = |key: &str| {
            let bytes = secret.data.as_ref().and_then(|data| data.get(key));
            let bytes = bytes.ok_or_else(|| format!("the Secret has no {key}"))?;
            String::from_utf8(bytes.0.clone()).map_err(|_| format!("the Secret's {key} is not text"))
        };
        let (username, password) = (key("username")?, key("password")?);
        let (username, password) = match self {
            Mode::App => (username.as_str(), password.as_str()),
            Mode::ManagedRole | Mode::DatabaseRole => (username.trim(), password.trim()),
        };
        if username != role {
            return Err(format!("the Secret's username is not {role}"));
        }
        let is_verbatim = secret.annotations().get(PASSTHROUGH.0).is_some_and(|value| value == PASSTHROUGH.1);
        Ok(Credential { password: password.to_owned(), is_verbatim })
    }

    /// Whether what cannot be applied ends the whole reconcile, and not just this role's part.
    pub(super) fn stops_at_failure(self) -> bool {
        self == Mode::App
    }

    /// The attributes that stand before the password in the statement.
    pub(super) fn attributes(self) -> &'static str {
        match self {
            Mode::App | Mode::DatabaseRole => "",
            Mode::ManagedRole => {
                "NOBYPASSRLS NOCREATEDB NOCREATEROLE INHERIT LOGIN NOREPLICATION NOSUPERUSER CONNECTION LIMIT -1 "
            }
        }
    }
}
