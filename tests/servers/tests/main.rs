//! Each server starts, answers and stops, and is gone with the test process however that ends.

#[cfg(test)]
mod external_secrets;
#[cfg(test)]
mod kubernetes;
#[cfg(test)]
mod life;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod vault;
