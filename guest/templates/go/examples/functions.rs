//! Writes the table that `keymill functions` prints: one function a line, by family and name; family, name, usage, result, whether it
//! draws, and what it does, with tabs between them.
//!
//!     cargo run -p keymill-template-go --example functions > guest/templates/go/functions.tsv

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(keymill_template_go::functions::table().as_bytes())
}
