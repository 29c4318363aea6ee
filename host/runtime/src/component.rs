//! A loaded component: what is known of it without running it, and the way to call it in its world.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::describe::Described;
use crate::description::Description;
use crate::digest::Digest;
use crate::engine::Shared;
use crate::error::CallError;
use crate::generator::GeneratorComponent;
use crate::linked::Prepared;
use crate::policy::PolicyComponent;
use crate::template::TemplateComponent;
use crate::world::World;

/// A component, compiled, linked and described. Cheap to clone; a call in flight keeps it, whatever is loaded meanwhile.
#[derive(Clone)]
pub struct Component {
    loaded: Arc<Loaded>,
}

pub(crate) struct Loaded {
    pub(crate) engine: Arc<Shared>,
    pub(crate) digest: Digest,
    pub(crate) world: World,
    pub(crate) imports: Vec<String>,
    pub(crate) bytes: usize,
    pub(crate) prepared: Prepared,
    pub(crate) description: Described,
}

impl Component {
    /// The sha256 of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// Its world.
    #[must_use]
    pub fn world(&self) -> World {
        self.loaded.world
    }

    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.loaded.description.description
    }

    /// The interfaces that it imports, as its binary proves: `keymill:guest/clock@0.1.0`.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.loaded.imports
    }

    /// The size of its bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.loaded.bytes
    }

    /// To call it as a generator.
    ///
    /// # Errors
    /// [`CallError::WrongWorld`].
    pub fn generator(&self) -> Result<GeneratorComponent, CallError> {
        self.expect(World::Generator).map(GeneratorComponent::new)
    }

    /// To call it as a template engine.
    ///
    /// # Errors
    /// [`CallError::WrongWorld`].
    pub fn template(&self) -> Result<TemplateComponent, CallError> {
        self.expect(World::Template).map(TemplateComponent::new)
    }

    /// To call it as a policy.
    ///
    /// # Errors
    /// [`CallError::WrongWorld`].
    pub fn policy(&self) -> Result<PolicyComponent, CallError> {
        self.expect(World::Policy).map(PolicyComponent::new)
    }

    pub(crate) fn new(loaded: Loaded) -> Self {
        Self::of(Arc::new(loaded))
    }

    pub(crate) fn of(loaded: Arc<Loaded>) -> Self {
        Self { loaded }
    }

    pub(crate) fn downgrade(&self) -> Weak<Loaded> {
        Arc::downgrade(&self.loaded)
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    fn expect(&self, wanted: World) -> Result<Self, CallError> {
        let found = self.world();
        if found == wanted { Ok(self.clone()) } else { Err(CallError::WrongWorld { wanted, found }) }
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("digest", &self.digest())
            .field("world", &self.world())
            .finish_non_exhaustive()
    }
}
