//! What the host makes of hostile components: each attack ends with its stable reason, in bounded time, and the engine serves on.

#[cfg(test)]
mod attack;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod load;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod template;
