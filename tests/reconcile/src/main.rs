//! The real controllers on the real kube client, against the standalone API and the embedded key store in this process, with faults in
//! between. What is asserted is asserted from outside: from every version that the API and the key store ever had (`history`), and from
//! the requests that were made (`gate`). Time is virtual: the clocks of all parties and tokio's timers are one, and it stands still while
//! anybody works. The exhaustive versions run with KEYMILL_FULL=1.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod components;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod drawing;
#[cfg(test)]
mod election;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod history;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod own_kinds;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod push;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod world;
