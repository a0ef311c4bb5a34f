//! The runtime gate: pulls from Git, prechecks a commit as a whole before the first write,
//! converges, reverts what was changed behind Git's back, and says what it did.

pub mod api;
pub mod converge;
pub mod curable;
mod fight;
pub mod guard;
pub mod health;
mod lanes;
pub mod learn;
pub mod mutators;
pub mod order;
pub mod orphans;
pub mod prune;
pub mod publish;
pub mod report;
pub mod run;
mod runs;
mod settling;
pub mod shaped;
pub mod state;
pub mod stuck;
pub mod surroundings;
pub mod watch;
pub mod write;
