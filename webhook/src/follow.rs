//! Following Git and what was learnt: from both to one snapshot, swapped as a whole.

mod additions;
mod cluster;
mod follower;
mod looker;
mod past;
mod store;

pub use cluster::watch_cluster;
pub use follower::{Follower, News};
pub use looker::Looker;
pub use store::SnapshotStore;
