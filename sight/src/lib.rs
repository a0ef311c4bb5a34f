//! What people see of what gitward sees: where each field of a live object comes from, what differs
//! from Git, and how the environments stand.
//!
//! Everything is asked with the rights of the person who looks, by reading requests alone, and judged
//! by the engine of the gates. What that person may not read is said to be unknown, never guessed.

mod authors;
mod diff;
mod error;
mod look;
mod past;
mod shown;
mod sight;
mod status;
mod target;
mod trace;

pub use diff::{Counts, Diff, Difference, Differing, FieldDifference, Unknown};
pub use error::Error;
pub use shown::Shown;
pub use sight::{InForce, Sight};
pub use status::{EnvironmentState, LeftAlone, States, states};
pub use target::Target;
pub use trace::{Author, Told, Trace};

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;
