//! The push gate: what a push would bring to an environment is judged before the ref moves.
//!
//! A push is judged by the policies of the ref's *old* commit, so it cannot loosen the rules that
//! judge it; and only what it *brings* denies it, so what was there before stops nobody.

mod apart;
mod at_commit;
mod brought;
mod changes;
mod effect;
mod environment;
mod gate;
mod host;
mod index;
mod install;
mod look_now;
mod objects_before;
mod on_the_way;
mod present;
mod protect;
mod remember;
mod rules;
mod run;
mod schemas_before;
mod trees;
mod updates;

pub use brought::brought;
pub use gate::{EnvironmentVerdict, RefVerdict, judge};
pub use host::{Caller, Host};
pub use index::Index;
pub use install::{Installed, install, uninstall};
pub use present::{confirmation, details, summary};
pub use remember::remember;
pub use run::{Hook, Options, run};
pub use updates::{RefUpdate, parse_lines};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] gitward_repo::Error),
    /// What Git hands to a hook was not understood.
    #[error("cannot read the ref updates that Git hands to the hook: {0}")]
    Updates(String),
    /// A hook could not be installed or removed.
    #[error("{path}: {reason}")]
    Install {
        /// The file concerned.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// How to put it right, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Repository(error) => error.hint(),
            Error::Updates(_) => Some("let Git run the hook, or feed it `old new ref` lines"),
            Error::Install { .. } => Some("run as the account that owns the repository"),
        }
    }
}

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;
