//! The cases of generators and policies over the real runtime, with the built-in components: what a user gets, and not only what a
//! guest computes. The same files are run natively beside each guest; here what only the host knows is checked as well: the values that
//! it draws, their entropy, and that it tells a config's problems with the places that a user sees.
//!
//! Beside them: what the default template engine draws, where only the runtime has the streams and makes the keys.
//!
//! The runners hold no expectation of their own. What a case means is said in generators/README.md and policies/README.md.

#[cfg(test)]
mod builtin;
#[cfg(test)]
mod drawing;
#[cfg(test)]
mod generators;
#[cfg(test)]
mod policies;
