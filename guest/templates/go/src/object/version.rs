//! Semantic versions and constraints on them, by the rules of Masterminds' semver: parts may be missing, a pre-release only
//! satisfies a constraint that names one.

use std::cmp::Ordering;

use crate::rule::Rule;

/// The longest constraint, and the most alternatives in one.
const CONSTRAINT_BYTES: usize = 512;
const ALTERNATIVES: usize = 32;

/// A version.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) pre: String,
    pub(crate) metadata: String,
    /// As it was written.
    pub(crate) original: String,
}

impl Version {
    /// Reads a version: up to three numbers, a pre-release, metadata.
    pub(crate) fn parse(text: &str) -> Result<Self, Rule> {
        let unprefixed = text.strip_prefix('v').unwrap_or(text);
        let (rest, metadata) =
            unprefixed.split_once('+').map_or((unprefixed, None), |(rest, data)| (rest, Some(data)));
        let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        let numbers: Vec<&str> = core.split('.').collect();
        let number = |at: usize| match numbers.get(at) {
            None => Ok(0),
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| Rule::BadArgument)
            }
            Some(_) => Err(Rule::BadArgument),
        };
        if numbers.len() > 3
            || !pre.is_none_or(is_prerelease)
            || !metadata.is_none_or(|text| text.split('.').all(is_part))
        {
            return Err(Rule::BadArgument);
        }
        Ok(Self {
            major: number(0)?,
            minor: number(1)?,
            patch: number(2)?,
            pre: pre.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    pub(crate) fn show(&self) -> String {
        let pre = if self.pre.is_empty() { String::new() } else { format!("-{}", self.pre) };
        let metadata = if self.metadata.is_empty() { String::new() } else { format!("+{}", self.metadata) };
        format!("{}.{}.{}{pre}{metadata}", self.major, self.minor, self.patch)
    }

    /// Another version, written like this one.
    pub(crate) fn with(&self, major: u64, minor: u64, patch: u64) -> Self {
        let next = Self {
            major,
            minor,
            patch,
            pre: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        next.written_like(self)
    }

    pub(crate) fn written_like(mut self, other: &Self) -> Self {
        let prefix = if other.original.starts_with('v') { "v" } else { "" };
        self.original = format!("{prefix}{}", self.show());
        self
    }

    /// The next patch: that of a pre-release is its release.
    pub(crate) fn next_patch(&self) -> Self {
        let patch = if self.pre.is_empty() { self.patch.wrapping_add(1) } else { self.patch };
        self.with(self.major, self.minor, patch)
    }

    /// The order of versions; metadata does not count.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| compare_prereleases(&self.pre, &other.pre))
    }
}

/// Letters, digits and hyphens.
pub(crate) fn is_part(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Parts between dots, of which a number has no leading zero.
pub(crate) fn is_prerelease(text: &str) -> bool {
    text.split('.').all(|part| {
        let number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_part(part) && !(number && part.len() > 1 && part.starts_with('0'))
    })
}

fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(two)) => match (one.parse::<u64>(), two.parse::<u64>()) {
                (Ok(one), Ok(two)) => one.cmp(&two),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(two),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Whether a version satisfies a constraint: alternatives joined by `||`, each a list of comparisons.
pub(crate) fn satisfies(constraint: &str, version: &Version) -> Result<bool, Rule> {
    if constraint.len() > CONSTRAINT_BYTES {
        return Err(Rule::BadArgument);
    }
    let alternatives: Vec<_> = constraint.split("||").map(comparisons).collect::<Result<_, _>>()?;
    if alternatives.len() > ALTERNATIVES {
        return Err(Rule::BadArgument);
    }
    Ok(alternatives.iter().any(|comparisons| {
        let names_pre = comparisons.iter().any(|comparison| !comparison.bound.pre.is_empty());
        (version.pre.is_empty() || names_pre)
            && comparisons.iter().all(|comparison| comparison.holds(version))
    }))
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Same,
    Not,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of the bound was written.
#[derive(Clone, Copy, PartialEq)]
enum Written {
    Nothing,
    Major,
    MajorMinor,
    All,
}

struct Comparison {
    operator: Operator,
    bound: Version,
    written: Written,
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        let bound = &self.bound;
        let order = version.compare(bound);
        let exact = matches!(self.written, Written::All);
        let (major, minor) = (version.major.cmp(&bound.major), version.minor.cmp(&bound.minor));
        match self.operator {
            Operator::Same if exact => order.is_eq(),
            Operator::Same | Operator::Tilde => self.is_near(version, order),
            Operator::Not => self.differs(version),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Greater if exact || self.written == Written::Nothing => {
                order.is_gt() && major_counts(self, major)
            }
            Operator::Greater => match self.written {
                Written::Major => major.is_gt(),
                _ => major.then(minor).is_gt(),
            },
            Operator::LessOrEqual if exact => order.is_le(),
            Operator::LessOrEqual => {
                !(major.is_gt() || (major.is_eq() && minor.is_gt() && self.written != Written::Major))
            }
            Operator::Caret => self.is_compatible(version, order),
        }
    }

    /// `~`: what was written stays the same.
    fn is_near(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        let any = (bound.major, bound.minor, bound.patch) == (0, 0, 0)
            && !matches!(self.written, Written::Major | Written::MajorMinor);
        let same_minor = version.minor == bound.minor || self.written == Written::Major;
        order.is_ge() && (any || (version.major == bound.major && same_minor))
    }

    /// `^`: the first number that is not zero stays the same.
    fn is_compatible(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        if order.is_lt() {
            return false;
        }
        if bound.major > 0 || self.written == Written::Major {
            return version.major == bound.major;
        }
        if version.major > 0 {
            return self.written == Written::Nothing && bound.major > 0;
        }
        if bound.minor > 0 || self.written == Written::MajorMinor {
            return version.minor == bound.minor;
        }
        version.minor == 0 && version.patch == bound.patch
    }

    fn differs(&self, version: &Version) -> bool {
        let bound = &self.bound;
        let by_pre = (!version.pre.is_empty() || !bound.pre.is_empty())
            && compare_prereleases(&version.pre, &bound.pre).is_ne();
        match self.written {
            Written::All | Written::Nothing => version.compare(bound).is_ne(),
            _ if bound.major != version.major => true,
            Written::Major => false,
            Written::MajorMinor => bound.minor != version.minor || by_pre,
        }
    }
}

/// `>` on nothing but wildcards compares major versions first, which a plain comparison does too.
fn major_counts(comparison: &Comparison, major: Ordering) -> bool {
    comparison.written == Written::All || major.is_ge()
}

/// The comparisons of one alternative, separated by blanks or commas; `a - b` is a range.
fn comparisons(text: &str) -> Result<Vec<Comparison>, Rule> {
    let words: Vec<&str> = text.split([' ', ',', '\t', '\n', '\r']).filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    let mut rest = words.as_slice();
    while let [first, tail @ ..] = rest {
        if let ["-", high, tail @ ..] = tail {
            found.push(comparison(Operator::GreaterOrEqual, first)?);
            found.push(comparison(Operator::LessOrEqual, high)?);
            rest = tail;
            continue;
        }
        let (operator, bound) = operator(first);
        if bound.is_empty() {
            let [bound, tail @ ..] = tail else {
                return Err(Rule::BadArgument);
            };
            found.push(comparison(operator, bound)?);
            rest = tail;
        } else {
            found.push(comparison(operator, bound)?);
            rest = tail;
        }
    }
    if found.is_empty() { Err(Rule::BadArgument) } else { Ok(found) }
}

fn operator(word: &str) -> (Operator, &str) {
    const OPERATORS: &[(&str, Operator)] = &[
        ("!=", Operator::Not),
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("~>", Operator::Tilde),
        ("=", Operator::Same),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];
    let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, word.strip_prefix(sign)?)));
    found.unwrap_or((Operator::Same, word))
}

/// A bound may leave parts out or write `x` or `*` for them.
fn comparison(operator: Operator, text: &str) -> Result<Comparison, Rule> {
    let unprefixed = text.strip_prefix('v').unwrap_or(text);
    let end = unprefixed.find(['-', '+']).unwrap_or(unprefixed.len());
    let (core, suffix) = unprefixed.split_at(end);
    let pre = suffix.split('+').next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let wild = |at: usize| parts.get(at).is_none_or(|part| matches!(*part, "x" | "X" | "*"));
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    if parts.len() > 3 || core.is_empty() {
        return Err(Rule::BadArgument);
    }
    let (written, filled) = match (wild(0), wild(1), wild(2)) {
        (true, _, _) => (Written::Nothing, format!("0.0.0{pre}")),
        (false, true, _) => (Written::Major, format!("{}.0.0{pre}", part(0))),
        (false, false, true) => (Written::MajorMinor, format!("{}.{}.0{pre}", part(0), part(1))),
        (false, false, false) => (Written::All, unprefixed.to_owned()),
    };
    Ok(Comparison { operator, bound: Version::parse(&filled)?, written })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, expected) in [
            ("v1.2", Some("1.2.0")),
            ("01.2.3", Some("1.2.3")),
            ("1.2.3-beta.1+build.5", Some("1.2.3-beta.1+build.5")),
            ("", None),
            ("1.2.3.4", None),
            ("1.2.3-beta..1", None),
            ("1.2.3-01", None),
            ("a", None),
        ] {
            assert_eq!(
                Version::parse(text).ok().map(|version| version.show()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn constraints() {
        for (constraint, version, expected) in [
            ("^1.2.0", "1.9.9", true),
            ("^1.2.0", "2.0.0", false),
            ("^0.0.3", "0.0.4", false),
            ("^0", "0.9.0", true),
            ("~1.2.3", "1.3.0", false),
            ("~1", "1.9.0", true),
            ("1.2 - 1.4.5", "1.4.6", false),
            (">=1.0.0 <2.0.0", "2.0.0", false),
            (">= 1.0.0, < 2", "1.5.0", true),
            ("<1.0.0 || >=2.0.0", "2.1.0", true),
            (">1.2", "1.2.9", false),
            ("<=1.2", "1.2.9", true),
            ("!=1.x", "1.2.3", false),
            ("*", "9.9.9", true),
            (">=1.28", "1.29.4-eks", false),
            (">=1.28-0", "1.29.4-eks", true),
            ("=1.0.0+x", "1.0.0+y", true),
            (">1.0.0-alpha.9", "1.0.0-alpha.10", true),
        ] {
            let version = Version::parse(version).expect("valid");
            assert_eq!(satisfies(constraint, &version), Ok(expected), "{constraint} {}", version.show());
        }
        for constraint in ["", ">", "1.2.3.4", "abc", ">=", "1.0 ||"] {
            assert!(satisfies(constraint, &Version::parse("1.0.0").expect("valid")).is_err(), "{constraint}");
        }
    }
}
