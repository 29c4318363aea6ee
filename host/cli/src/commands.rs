//! One module per command: what its arguments mean, in the order in which they are needed.

pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod component;
pub(crate) mod crds;
pub(crate) mod dev;
pub(crate) mod functions;
pub(crate) mod generate;
pub(crate) mod install;
pub(crate) mod render;
pub(crate) mod run;
