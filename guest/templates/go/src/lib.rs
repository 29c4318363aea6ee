//! The default template engine: Go text/template with sprig and ESO's functions, as ESO 2.9 renders them.
//!
//! Text goes through [`lexer`], [`parser`] and [`evaluate`]; functions stand in the tables of [`functions`]. Everything is
//! pure and bounded: randomness and time come from a [`draw::Draw`], nothing reaches outside, and a fault names a rule and
//! a place, never a value. The engine is an ordinary library, tested natively; the component is a thin coat around it.

mod ast;
mod certificate;
pub mod component;
pub mod draw;
pub mod engine;
mod evaluate;
pub mod fault;
mod format;
pub mod functions;
mod json;
mod key;
mod letters;
pub mod lexer;
pub mod limits;
mod number;
mod object;
mod parser;
mod pattern;
mod pem;
mod pkcs12;
pub mod rule;
mod text;
mod time;
mod value;
mod yaml;
