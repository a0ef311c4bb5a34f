//! The admission gate: every change in what an environment governs has to have an origin in Git.
//!
//! `follow` keeps one immutable [snapshot](gitward_core::snapshot::Snapshot) up to date from Git
//! and from what the leader learnt; `judge` decides requests by it; `serve` speaks HTTP;
//! `receipts` tells that a glass may be broken; `register` keeps the API server asking.

pub mod bounds;
pub mod certificate;
pub mod follow;
pub mod judge;
pub mod metrics;
pub mod readiness;
pub mod receipts;
pub mod register;
pub mod review;
pub mod run;
pub mod second_look;
pub mod serve;
pub mod state_dir;
mod traces;

pub use run::{Options, RunError, run};
pub use traces::TRACES;
