//! The order of API versions: `v2` before `v1`, `v1` before `v1beta2`, betas before alphas, everything else
//! after them by name.

use std::cmp::Ordering;

/// Compares two versions; the preferred one is the greater.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => right.cmp(left),
    }
}

/// Stability, major, minor.
fn parse(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (major, tail) = rest.split_at_checked(end)?;
    let major = major.parse().ok().filter(|_| !major.starts_with('0'))?;
    if tail.is_empty() {
        return Some((2, major, 0));
    }
    let (stability, minor) = match tail.strip_prefix("beta") {
        Some(minor) => (1, minor),
        None => (0, tail.strip_prefix("alpha")?),
    };
    Some((stability, major, if minor.is_empty() { 0 } else { minor.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn stable_versions_come_first() {
        let mut versions = ["v1alpha1", "foo1", "v1", "v10", "v2beta1", "v1beta2", "v2", "v1beta1", "bar"];
        versions.sort_by(|left, right| compare(right, left));
        assert_eq!(versions, ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo1"]);
    }
}
