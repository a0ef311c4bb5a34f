//! What the cluster holds: kept in memory by watches, and read live when a decision asks for it.
//!
//! Webhook and reconciler use the same index. It is fed by watches alone, never by admission
//! reviews: those are attempts, and some of them are lost.

pub mod additions;
pub mod apart;
pub mod bounds;
pub mod break_glass;
pub mod discovery;
pub mod environment;
pub mod fresh;
pub mod kinds;
pub mod listing;
pub mod live;
pub mod names;
pub mod registration;
pub mod scope;
pub mod store;
pub mod trouble;

pub mod pauses;
mod raw;
mod watching;
mod whole;

pub use discovery::{Discovery, Served};
pub use fresh::{FreshReads, read, read_live};
pub use kinds::{Content, WatchedKind};
pub use live::{Health, LiveIndex};
pub use store::{Event, EventKind, GONE_FOR, next_about};
pub use trouble::Trouble;
