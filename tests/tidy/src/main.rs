//! The rules of the house that a machine can check. Each failure names the place and the rule.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
