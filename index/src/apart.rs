//! Judging where other work goes on meanwhile.

use gitward_core::snapshot::Snapshot;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Judges by a snapshot. A policy that a delegation names takes as long as it may: meanwhile the others of
/// this runtime go on.
pub fn judging<R>(snapshot: &Snapshot, judge: impl FnOnce() -> R) -> R {
    let has_others = Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_others && snapshot.configuration.ceilings.are_asked() { block_in_place(judge) } else { judge() }
}
