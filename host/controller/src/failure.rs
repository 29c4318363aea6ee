//! Why a sync failed: the step that failed, with its own error as the source of all answers.

use pipeline::{
    Blame, Failure, GatherError, ObjectRef, PlanError, PushError, Reason, RecordError, Retry, ShapeError,
    SpecError,
};
use thiserror::Error;

use crate::cluster::ClusterError;

/// A failed step. Each is shown as the error that it holds.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The spec makes no sense.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The rotation record is damaged.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The target may not be written.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The values could not be had.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// The values could not be shaped.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The values could not be pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The cluster did not do what was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl SyncError {
    fn inner(&self) -> &dyn Failure {
        match self {
            SyncError::Spec(error) => error,
            SyncError::Record(error) => error,
            SyncError::Plan(error) => error,
            SyncError::Gather(error) => error,
            SyncError::Shape(error) => error,
            SyncError::Push(error) => error,
            SyncError::Cluster(error) => error,
        }
    }

    /// Somebody else wrote first. Nothing is wrong: read again and compare.
    pub(crate) fn is_conflict(&self) -> bool {
        self.reason() == Reason::ClusterConflict
    }
}

impl Failure for SyncError {
    fn reason(&self) -> Reason {
        self.inner().reason()
    }

    fn blame(&self) -> Blame {
        self.inner().blame()
    }

    fn retry(&self) -> Retry {
        self.inner().retry()
    }

    fn about(&self) -> Option<ObjectRef> {
        self.inner().about()
    }

    fn advice(&self) -> &'static str {
        self.inner().advice()
    }
}
