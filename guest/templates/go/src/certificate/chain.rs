//! One chain of certificates: from the leaf, which signed none of the others, to the last that is there.
//!
//! Who signed whom is told by key identifiers alone, as ESO does. So two certificates without any identifier count as
//! signed by each other, and a certificate authority made by `genCA` has no leaf below it.

use super::Certificate;
use crate::limits::Budget;
use crate::rule::Rule;

/// The certificates in the order of their chain.
///
/// # Errors
/// If they have not exactly one leaf, or the chain bites its tail.
pub(crate) fn ordered(certificates: &[Certificate], budget: &mut Budget) -> Result<Vec<Certificate>, Rule> {
    budget.steps(certificates.len().saturating_mul(certificates.len()))?;
    let signer = |of: usize| {
        let wanted = certificates.get(of).map(|certificate| id(certificate.authority_key.as_ref()));
        certificates
            .iter()
            .enumerate()
            .position(|(at, certificate)| at != of && Some(id(certificate.subject_key.as_ref())) == wanted)
    };
    let signers: Vec<Option<usize>> = (0..certificates.len()).map(signer).collect();
    let mut leaves = (0..certificates.len()).filter(|at| !signers.contains(&Some(*at)));
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else {
        return Err(Rule::NotAChain);
    };
    let mut chain = Vec::with_capacity(certificates.len());
    let mut next = Some(leaf);
    while let Some(certificate) = next.and_then(|at| certificates.get(at)) {
        if chain.len() == certificates.len() {
            return Err(Rule::NotAChain);
        }
        chain.push(certificate.clone());
        next = next.and_then(|at| signers.get(at).copied().flatten());
    }
    Ok(chain)
}

/// Go compares an absent identifier as an empty one.
fn id(id: Option<&Vec<u8>>) -> &[u8] {
    id.map(Vec::as_slice).unwrap_or_default()
}
