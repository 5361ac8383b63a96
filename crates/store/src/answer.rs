//! What a caller waits for: the outcome of work that was queued, and at first its beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::closed;
use crate::error::{Error, Result};

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Whether queued work has begun. It begins, or its caller has given up: never both, so that whoever is told "not
/// now" can be sure that nothing was done.
#[derive(Clone, Default)]
pub(crate) struct Start(Arc<AtomicU8>);

impl Start {
    /// Called by the work; `false` when nobody waits for it any more.
    pub(crate) fn begin(&self) -> bool {
        self.0.compare_exchange(WAITING, BEGUN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Called by the caller; `false` when the work has begun.
    fn give_up(&self) -> bool {
        self.0.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The outcome to come.
pub(crate) struct Answer<T> {
    outcome: oneshot::Receiver<Result<T>>,
    start: Option<(Start, Duration)>,
}

impl<T> Answer<T> {
    /// Of work that certainly begins.
    pub(crate) const fn certain(outcome: oneshot::Receiver<Result<T>>) -> Self {
        Self { outcome, start: None }
    }

    /// Of work that must begin within `wait`.
    pub(crate) const fn queued(outcome: oneshot::Receiver<Result<T>>, start: Start, wait: Duration) -> Self {
        Self { outcome, start: Some((start, wait)) }
    }

    pub(crate) async fn get(self) -> Result<T> {
        let Self { mut outcome, start } = self;
        if let Some((start, wait)) = start {
            match tokio::time::timeout(wait, &mut outcome).await {
                Ok(outcome) => return outcome.map_err(|_| closed())?,
                Err(_) if start.give_up() => {
                    return Err(Error::Unavailable(String::from("no connection became free in time")));
                }
                Err(_) => {}
            }
        }
        outcome.await.map_err(|_| closed())?
    }
}
