//! Bringing what runs already under Git: from live objects to the manifests that declare them.
//!
//! Everything here is decided from values. What needs the API server (whether an object without some
//! field is still the same object) is asked by whoever drives [`Trimming`]: it hands out one candidate
//! at a time and is told how the dry run came out.

mod allocated;
mod choice;
mod clean;
mod draft;
mod installers;
mod lineage;
mod names;
mod notes;
mod outcome;
mod planned;
#[cfg(test)]
mod tests;
mod trim;
mod witness;
mod yaml;

pub use choice::{Choice, Selection, Sorted, sort};
pub use clean::clean;
pub use draft::{Operated, draft};
pub use installers::{Installer, installers};
pub use names::FileNames;
pub use outcome::{Asking, Effect, effects};
pub use planned::{Planned, declare, planned};
pub use trim::Trimming;
pub use witness::{creation, restore};
pub use yaml::yaml;
