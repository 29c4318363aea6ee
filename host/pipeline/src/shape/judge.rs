//! Asks the policies that apply, before anything is published.

use crate::field::Fields;
use crate::meta::Meta;
use crate::ports::{Candidate, GeneratedField};

use super::{ShapeError, Shapers};

/// Judges what is to be published for an object of `kind`. A field that is a generated value byte for byte carries the entropy
/// that the host vouches for; one that only contains it does not.
pub(crate) async fn judge(
    shapers: &Shapers,
    kind: &str,
    meta: &Meta,
    data: &Fields,
    generated: &[GeneratedField],
) -> Result<(), ShapeError> {
    let policies = shapers.policies.enforcing(&meta.namespace, kind, &meta.name).await;
    let policies = policies.map_err(|source| ShapeError::Policies { source })?;
    if policies.is_empty() {
        return Ok(());
    }
    let candidates: Vec<Candidate> = data
        .iter()
        .map(|(key, value)| {
            let entropy =
                generated.iter().find(|field| field.value == *value).and_then(|field| field.entropy);
            Candidate { key: key.clone(), value: value.clone(), entropy }
        })
        .collect();
    let owner = meta.owner();
    let mut violations = Vec::new();
    for policy in policies {
        violations.extend(
            policy.evaluate(&candidates, &owner).await.map_err(|source| ShapeError::Judge { source })?,
        );
    }
    if violations.is_empty() { Ok(()) } else { Err(ShapeError::Violated { violations }) }
}
