//! JSON as Go reads and writes it: numbers are floats, an unpaired surrogate is U+FFFD, `<>&` are escaped unless asked
//! otherwise. A general JSON crate differs in each of these, and they are visible in what people render.

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::{Style, write};
