//! One behaviour, two API servers: the same requests to the standalone API and to a real kube-apiserver.
//!
//! A case is a sequence of requests (`cases/*.yaml`); what kube-apiserver answered to them is recorded beside it
//! (`recorded/*.yaml`). kube-apiserver must still answer so, and the standalone API must answer the same, whether or
//! not a kube-apiserver is there. Nothing here holds an expectation of its own; README.md says how a case is written.

#[cfg(test)]
mod answer;
#[cfg(test)]
mod case;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod kubectl;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod play;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod subject;
