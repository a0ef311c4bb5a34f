//! Git for gitward: commits, trees, quarantined pushes, authorship, fetch.
//!
//! Objects are read with libgit2, from bare mirrors, working repositories and the quarantine of a
//! push alike; where libgit2 does not know how refs are stored, the `git` program tells them. What needs a transport or a time limit (fetch, blame) runs the `git` program,
//! without a shell, with bounded time and output.

mod blame;
mod branch;
mod edited;
mod error;
mod history;
mod listing;
mod mirror;
mod program;
mod repository;
mod source;
mod stand_in;
mod tree;
mod url;
mod worktree;

pub use branch::NewBranch;
pub use error::Error;
pub use listing::{KnownSize, Listing};
pub use mirror::{Credentials, Fetched, Mirror};
pub use repository::{CommitId, Repository};
pub use source::{Declaration, Known, Source, Unusable};
pub use tree::{Limits, Selection, Tree};
pub use worktree::read_directory;

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;
