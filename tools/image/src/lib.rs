//! gitward's container image: the binary, the programs that it runs (`git`, with `ssh` and the shell
//! that Git calls it by), the libraries that all of them load, and nothing else: no package manager,
//! no other tool, no root.
//!
//! Programs and libraries are those of the Debian machine that this runs on, with their licences and
//! the list of their packages. The same files give the same image, to the byte.

pub mod archive;
mod error;
pub mod libraries;
pub mod licences;
pub mod root;

pub use error::Error;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
