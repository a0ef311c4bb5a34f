//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is no program of this machine's kind.
    #[error("{path} is no program or library: {error}")]
    Elf {
        /// Which.
        path: PathBuf,
        /// Why.
        error: object::Error,
    },
    /// A library is not where libraries are.
    #[error("{needed}, which {by} needs, is in none of the folders of libraries")]
    NoLibrary {
        /// Its name.
        needed: String,
        /// What needs it.
        by: PathBuf,
    },
    /// Nobody knows which package a file is of.
    #[error("{path} is of no Debian package, so its licence is not known: {why}")]
    NoPackage {
        /// Which.
        path: PathBuf,
        /// What dpkg said.
        why: String,
    },
    /// What is written cannot be.
    #[error("cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}
