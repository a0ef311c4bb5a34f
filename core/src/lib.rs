//! The pure engine of gitward: what Git declares, what the cluster may hold, and why.
//!
//! Nothing in this crate touches the network, the disk, a clock or the environment. Whatever a
//! decision needs from outside arrives as a value ([`lookup::Lookup`], a time, a parsed tree).
//! The same functions therefore give the same verdict on a laptop, in a push hook, at admission
//! and in the cluster.

mod account_token;
pub mod additions;
pub mod adopt;
pub mod adoption;
pub mod baseline;
pub mod bounded;
pub mod break_glass;
pub mod carry;
pub mod caught;
pub mod change;
pub mod config;
pub mod created;
mod cron;
mod deep;
pub mod delegation;
pub mod derived;
pub mod evaluate;
pub mod exemption;
pub mod finding;
pub mod lookup;
pub mod manifest;
pub mod object;
pub mod path;
pub mod policy;
pub mod quantity;
pub mod report;
pub mod request;
pub mod schema;
pub mod snapshot;
pub mod trace;
pub mod validity;
pub mod verdict;
