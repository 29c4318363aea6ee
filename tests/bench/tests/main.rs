//! What is gated: fuel and requests, which are deterministic.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod fuel;
#[cfg(test)]
mod requests;
