//! Ready means: everything that judges is loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gitward_index::{Health, LiveIndex};

use crate::follow::SnapshotStore;

/// Whether reviews may be sent here.
pub struct Readiness {
    snapshots: Arc<SnapshotStore>,
    index: LiveIndex,
    scoped: AtomicBool,
    was_ready: AtomicBool,
}

impl Readiness {
    /// Not ready yet.
    pub fn new(snapshots: Arc<SnapshotStore>, index: LiveIndex) -> Self {
        Self { snapshots, index, scoped: AtomicBool::new(false), was_ready: AtomicBool::new(false) }
    }

    /// The index now watches what a snapshot governs.
    pub fn scoped(&self) {
        self.scoped.store(true, Ordering::Release);
    }

    /// `Ok` once a snapshot is loaded and the index has listed everything it watches, or could not
    /// since the API server is away: then Git and the last additions are all there is to judge by.
    /// Once ready it stays so: what was loaded is never unloaded.
    ///
    /// # Errors
    /// What is still missing, for people.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.was_ready.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.snapshots.load().is_none() {
            return Err("no commit is loaded yet");
        }
        if !self.scoped.load(Ordering::Acquire) || self.index.health() == Health::Starting {
            return Err("the cluster is not listed yet");
        }
        self.was_ready.store(true, Ordering::Release);
        Ok(())
    }
}
