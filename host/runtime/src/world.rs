//! The roles that a component can have. A new role is a new world in `wit/`, and a new variant here.

use std::fmt;

/// Which of the contract's worlds a component implements; told from what it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum World {
    /// Says how values are made: `keymill:guest/generate`.
    Generator,
    /// Renders values into texts: `keymill:guest/render`.
    Template,
    /// Judges values before they are published: `keymill:guest/judge`.
    Policy,
}

impl World {
    /// Every world that this host serves.
    pub const ALL: [Self; 3] = [Self::Generator, Self::Template, Self::Policy];

    /// The world's name in `wit/`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Template => "template",
            Self::Policy => "policy",
        }
    }

    /// The interface that a component of this world exports.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Generator => "generate",
            Self::Template => "render",
            Self::Policy => "judge",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
