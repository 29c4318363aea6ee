//! The parts of `keymill dev`: what its folder holds, what it serves, what it keeps, what it says.

pub(crate) mod apply;
pub(crate) mod folder;
pub(crate) mod lint;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod servers;
pub(crate) mod state;
pub(crate) mod table;
