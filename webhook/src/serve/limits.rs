//! Bounds on what is taken in at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds on size, number and time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body. An object has at most 3 MiB in the API server, a review holds two, and a
    /// character such as `<` takes six bytes in it.
    pub body_bytes: usize,
    /// How long the API server waits if it does not say so.
    pub timeout: Duration,
    /// Longest wait that is believed.
    pub longest_timeout: Duration,
    places: Arc<Semaphore>,
}

/// A request takes as many places as it has KiB, but not fewer than this.
const LEAST: usize = 64;

/// Places in all: 256 MiB of bodies, 4,096 small requests.
const PLACES: usize = 256 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self::new(40 << 20, PLACES)
    }
}

impl Limits {
    /// Bounds on a body, and on the KiB of bodies taken in at a time.
    pub fn new(body_bytes: usize, places: usize) -> Self {
        Self {
            body_bytes,
            timeout: Duration::from_secs(10),
            longest_timeout: Duration::from_secs(30),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// A place for a body of that length (the longest, if it does not say); `None` if all are
    /// taken.
    pub(super) fn admit(&self, length: Option<usize>) -> Option<OwnedSemaphorePermit> {
        let length = length.unwrap_or(self.body_bytes).min(self.body_bytes);
        let places = u32::try_from((length / 1024).max(LEAST)).ok()?;
        self.places.clone().try_acquire_many_owned(places).ok()
    }
}
