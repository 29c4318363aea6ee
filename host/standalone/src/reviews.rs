//! Questions about oneself: who am I, and may I. There is one administrator, so the second answer is always yes.

use serde_json::{Value, json};

use crate::call::Call;
use crate::object;

/// The administrator's name.
pub(crate) const ADMINISTRATOR: &str = "keymill:administrator";

/// The answer to a created review, or `None` when the kind is none.
pub(crate) fn answer(call: &Call<'_>, review: &Value) -> Option<Value> {
    if !call.info.builtin {
        return None;
    }
    let status = match call.info.plural.as_str() {
        "selfsubjectreviews" => json!({"userInfo": {"username": call.user, "groups": groups(&call.user)}}),
        "selfsubjectaccessreviews" => {
            json!({"allowed": true, "reason": "whoever is let in may do everything"})
        }
        _ => return None,
    };
    let mut answer = review.clone();
    let fields = object::fields(&mut answer);
    fields.insert("kind".to_owned(), call.info.kind.clone().into());
    fields.insert("apiVersion".to_owned(), call.info.api_version().into());
    fields.entry("metadata").or_insert_with(|| json!({}));
    fields.insert("status".to_owned(), status);
    Some(answer)
}

fn groups(user: &str) -> Vec<String> {
    let own = match user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':')) {
        Some((namespace, _)) => {
            vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
        }
        None => vec!["system:masters".to_owned()],
    };
    own.into_iter().chain(["system:authenticated".to_owned()]).collect()
}
