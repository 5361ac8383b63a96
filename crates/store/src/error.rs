//! What can go wrong inside a transaction.

use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Rules' own errors pass through; the rest tells a body what it may do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule said no; the transaction (or the attempt) is rolled back.
    #[error(transparent)]
    Domain(#[from] domain::Error),
    /// A unique constraint, written `table(column,column)` on both databases.
    #[error("conflict on {0}")]
    Conflict(String),
    /// An earlier statement of this transaction failed: only a savepoint could have saved it.
    #[error("a statement of this transaction failed before")]
    Aborted,
    /// The database gave way to another transaction; running the body again is right.
    #[error("the database asks to try again: {0}")]
    Retry(String),
    /// The queue is full, the disk is, or the database is away.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection was lost while committing: nobody knows whether the write happened.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// A transaction's body waited for something other than the database.
    #[error("a transaction awaited something outside the database")]
    Awaited,
    #[error("{0}")]
    Database(String),
}

impl From<Error> for domain::Error {
    fn from(error: Error) -> Self {
        let soon = Duration::from_secs(1);
        match error {
            Error::Domain(error) => error,
            Error::Retry(text) | Error::Unavailable(text) => {
                tracing::warn!(reason = text, "the database is not available");
                let error =
                    Self::unavailable("store_unavailable", "the data is not available just now", soon);
                error.because(text)
            }
            Error::Unknown(text) => {
                tracing::error!(reason = text, "the outcome of a commit is unknown");
                let error =
                    Self::unavailable("outcome_unknown", "the change may or may not have been saved", soon);
                error.because(text)
            }
            other => Self::internal(other),
        }
    }
}
