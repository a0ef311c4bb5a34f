//! The runtime gate: pulls from Git, prechecks a commit as a whole before the first write,
//! converges, reverts what was changed behind Git's back, and says what it did.

mod adopted;
pub mod api;
mod broken_glass;
pub mod converge;
pub mod curable;
mod departed;
mod elsewhere;
mod exemptions;
mod fence;
mod fight;
mod foreseen;
pub mod guard;
pub mod health;
mod hidden;
mod history;
mod lanes;
pub mod lead;
pub mod learn;
pub mod metrics;
pub mod mutators;
pub mod order;
pub mod orphans;
pub mod probes;
pub mod prune;
pub mod publish;
mod published;
mod ready;
pub mod report;
mod reshaped;
pub mod run;
mod runs;
mod settling;
pub mod shaped;
pub mod state;
mod status;
pub mod stuck;
pub mod surroundings;
mod traces;
pub mod watch;
pub mod write;

pub use traces::TRACES;
