//! Randomness is an argument: ids, secrets and jitter come from a passed source.

use std::sync::{Arc, Mutex, PoisonError};

use crate::Timestamp;
use uuid::Uuid;

/// A source of random bytes. `server` passes the operating system's, tests a seeded one.
#[derive(Clone)]
pub struct Random(Arc<Mutex<Fill>>);

type Fill = Box<dyn FnMut(&mut [u8]) + Send>;

impl Random {
    pub fn new(fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(fill))))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        let mut fill = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (*fill)(bytes);
    }

    /// A UUIDv7 of this moment: sorts by time, so neighbours in time are neighbours in an index.
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// Uniform in `0..bound`; `0` for a bound of zero. The bias is below one in 2^32 for the bounds in use.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { u64::from_le_bytes(self.bytes()) % bound }
    }
}
