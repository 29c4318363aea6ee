//! Tokens of ServiceAccounts: minted by the `token` subresource, checked here, bound to the account's UID.
//!
//! A token is a JWT signed with HMAC-SHA-256 under the server's own key: nobody but this server has to verify it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::api::Inner;
use crate::call::Call;
use crate::clock;
use crate::object;
use crate::objects::{Place, State};
use crate::schema::Cause;
use crate::status::Failure;

/// The audience of tokens that say none: this API.
pub(crate) const API_AUDIENCE: &str = "https://kubernetes.default.svc";
const ISSUER: &str = API_AUDIENCE;
const DEFAULT_SECONDS: i64 = 3600;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub namespace: String,
    pub service_account: String,
    pub uid: String,
    pub audiences: Vec<String>,
    /// Seconds since 1970.
    pub expires: i64,
}

impl Claims {
    /// As Kubernetes names the user.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }
}

/// POST of a TokenRequest to an account.
pub(crate) fn request_token(call: &Call<'_>, request: &Value) -> Result<Value, Failure> {
    let account =
        call.api.objects.now().get(&call.place(&call.name)).cloned().ok_or_else(|| call.missing())?;
    let seconds =
        request.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(DEFAULT_SECONDS);
    check_seconds(seconds)?;
    let asked = object::strings(request.pointer("/spec/audiences"));
    let audiences = if asked.is_empty() { vec![API_AUDIENCE] } else { asked };
    let now = call.api.clock.now();
    let expires = now.as_second().saturating_add(seconds);
    let claims = json!({
        "aud": audiences,
        "exp": expires,
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "iss": ISSUER,
        "jti": uuid::Uuid::new_v4().to_string(),
        "kubernetes.io": {
            "namespace": call.namespace,
            "serviceaccount": {"name": call.name, "uid": object::uid(&account)},
        },
        "sub": format!("system:serviceaccount:{}:{}", call.namespace, call.name),
    });
    let token = sign(call.api.identity.signing_key.as_ref(), &claims);
    let expiration = jiff::Timestamp::from_second(expires).unwrap_or(jiff::Timestamp::MAX);
    Ok(json!({
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": call.name, "namespace": call.namespace, "creationTimestamp": clock::seconds(now)},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": request.pointer("/spec/boundObjectRef")},
        "status": {"token": token.expose_secret(), "expirationTimestamp": clock::seconds(expiration)},
    }))
}

fn check_seconds(seconds: i64) -> Result<(), Failure> {
    let why = match seconds {
        ..LEAST_SECONDS => "may not specify a duration less than 10 minutes",
        LEAST_SECONDS..=MOST_SECONDS => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), why);
    Err(Failure::invalid_kind("authentication.k8s.io", "TokenRequest", "", &[cause]))
}

/// What a token says, when it is ours, for this audience, not expired, and its account is still the same one.
pub(crate) fn verify(api: &Inner, token: &str, audience: &str) -> Option<Claims> {
    let claims = opened(api.identity.signing_key.as_ref(), token)?;
    let text = |pointer: &str| object::text(&claims, pointer).to_owned();
    let claims = Claims {
        namespace: text("/kubernetes.io/namespace"),
        service_account: text("/kubernetes.io/serviceaccount/name"),
        uid: text("/kubernetes.io/serviceaccount/uid"),
        audiences: object::strings(claims.get("aud")).into_iter().map(str::to_owned).collect(),
        expires: claims.get("exp").and_then(Value::as_i64)?,
    };
    let is_current = claims.expires > api.clock.now().as_second();
    let is_meant = claims.audiences.iter().any(|one| one == audience);
    (is_current && is_meant && exists(&api.objects.now(), &claims)).then_some(claims)
}

fn exists(state: &State, claims: &Claims) -> bool {
    let place = Place {
        kind: "/serviceaccounts".into(),
        namespace: claims.namespace.clone(),
        name: claims.service_account.clone(),
    };
    state.get(&place).is_some_and(|account| object::uid(account) == claims.uid)
}

fn sign(key: &[u8], claims: &Value) -> SecretString {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let [header, claims] = [header, claims.clone()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(mac(key, &signed).finalize().into_bytes());
    format!("{signed}.{signature}").into()
}

fn opened(key: &[u8], token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    mac(key, signed).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let (_, claims) = signed.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn mac(key: &[u8], signed: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("any key length");
    mac.update(signed.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_opened_by_its_key_alone() {
        let token = sign(b"key", &json!({"sub": "x"}));
        let token = token.expose_secret();
        assert_eq!(opened(b"key", token), Some(json!({"sub": "x"})));
        assert_eq!(opened(b"other", token), None);
        let (_, signature) = token.rsplit_once('.').unwrap();
        let forged = URL_SAFE_NO_PAD.encode(r#"{"sub":"y"}"#);
        assert_eq!(opened(b"key", &format!("e30.{forged}.{signature}")), None);
        assert_eq!(opened(b"key", "nonsense"), None);
    }
}
