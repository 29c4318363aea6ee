//! The contract, linked once per world: a template finds `entropy`, `clock` and `work`, a policy nothing, and whatever else a component imports
//! does not exist. Linkers are never cloned (a wasmtime advisory lies there).

use wasmtime::component::{Component as Compiled, HasSelf, Linker};

use crate::bindings::{self, generator::GeneratorPre, policy::PolicyPre, template::TemplatePre};
use crate::state::State;
use crate::work;
use crate::world::World;

/// The host's side of each world.
pub(crate) struct Linked {
    generator: Linker<State>,
    template: Linker<State>,
    policy: Linker<State>,
}

/// A component that is linked and ready to be instantiated, by its world.
pub(crate) enum Prepared {
    Generator(GeneratorPre<State>),
    Template(TemplatePre<State>),
    Policy(PolicyPre<State>),
}

impl Linked {
    pub(crate) fn new(engine: &wasmtime::Engine) -> wasmtime::Result<Self> {
        let mut generator = Linker::new(engine);
        bindings::generator::Generator::add_to_linker::<_, HasSelf<_>>(&mut generator, itself)?;
        let mut template = Linker::new(engine);
        bindings::types::add_to_linker::<_, HasSelf<_>>(&mut template, itself)?;
        bindings::entropy::add_to_linker::<_, HasSelf<_>>(&mut template, itself)?;
        bindings::clock::add_to_linker::<_, HasSelf<_>>(&mut template, itself)?;
        work::add_to_linker(&mut template)?;
        let mut policy = Linker::new(engine);
        bindings::policy::Policy::add_to_linker::<_, HasSelf<_>>(&mut policy, itself)?;
        Ok(Self { generator, template, policy })
    }

    pub(crate) fn prepare(&self, world: World, compiled: &Compiled) -> wasmtime::Result<Prepared> {
        Ok(match world {
            World::Generator => {
                let pre = self.generator.instantiate_pre(compiled)?;
                Prepared::Generator(GeneratorPre::new(pre)?)
            }
            World::Template => {
                let pre = self.template.instantiate_pre(compiled)?;
                Prepared::Template(TemplatePre::new(pre)?)
            }
            World::Policy => {
                let pre = self.policy.instantiate_pre(compiled)?;
                Prepared::Policy(PolicyPre::new(pre)?)
            }
        })
    }
}

fn itself(state: &mut State) -> &mut State {
    state
}
