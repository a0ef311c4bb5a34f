//! The snapshot in force.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use gitward_core::snapshot::Snapshot;
use tokio::sync::watch;

/// Holds the snapshot in force; reading it never waits.
#[derive(Debug)]
pub struct SnapshotStore {
    current: ArcSwapOption<Snapshot>,
    swaps: watch::Sender<u64>,
}

impl Default for SnapshotStore {
    fn default() -> Self {
        Self { current: ArcSwapOption::empty(), swaps: watch::channel(0).0 }
    }
}

impl SnapshotStore {
    /// The snapshot in force; `None` until one was loaded.
    pub fn load(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// Puts another snapshot in force.
    pub fn swap(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
        self.swaps.send_modify(|n| *n += 1);
    }

    /// Tells of each swap from now on.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }
}
