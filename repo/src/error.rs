//! What can go wrong with a repository, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no repository, or it cannot be opened.
    #[error("cannot open the Git repository at {path}: {reason}")]
    Open {
        /// Where it was looked for.
        path: PathBuf,
        /// What libgit2 said.
        reason: String,
    },
    /// The repository uses a storage format that neither libgit2 nor the `git` program reads.
    #[error(
        "the Git repository at {path} uses the extension {extension}, which neither gitward nor its git program reads: {reason}"
    )]
    Format {
        /// The repository.
        path: PathBuf,
        /// The extension's name in Git's configuration, such as `refstorage` for reftable.
        extension: String,
        /// What the `git` program said.
        reason: String,
    },
    /// The repository is read by what the `git` program tells, and not written to.
    #[error("the Git repository at {path} uses a storage format that gitward reads and does not write")]
    ReadOnly {
        /// The repository.
        path: PathBuf,
    },
    /// Something is no object id.
    #[error("{0:?} is no commit id")]
    Id(String),
    /// A commit, ref or object is not there or is of another kind.
    #[error("{what}: {reason}")]
    Object {
        /// What was looked for.
        what: String,
        /// What libgit2 said.
        reason: String,
    },
    /// The repository has no such ref.
    #[error("the repository has no {git_ref}")]
    NoRef {
        /// Its full name.
        git_ref: String,
    },
    /// A tree or directory is larger than what is read.
    #[error("{what} has more than {limit} {unit}")]
    TooLarge {
        /// The tree or directory.
        what: String,
        /// The bound.
        limit: u64,
        /// Unit of the bound.
        unit: &'static str,
    },
    /// A URL that is not fetched from.
    #[error("the repository URL {url:?} is refused: {reason}")]
    Url {
        /// The URL, without user information.
        url: String,
        /// Why.
        reason: &'static str,
    },
    /// An environment name that cannot become part of a ref name.
    #[error("{0:?} is no environment name")]
    Environment(String),
    /// The `git` program could not be started.
    #[error("cannot run the git program: {0}")]
    Start(std::io::Error),
    /// The `git` program took too long and was stopped.
    #[error("`git {command}` did not finish within {limit:?}")]
    Timeout {
        /// The subcommand.
        command: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// The `git` program failed.
    #[error("`git {command}` failed: {reason}")]
    Program {
        /// The subcommand.
        command: &'static str,
        /// The last lines of its standard error, without user information of URLs.
        reason: String,
    },
    /// A text that cannot be the name of a branch.
    #[error("{0:?} cannot be the name of a branch")]
    BranchName(String),
    /// A branch is there already.
    #[error("the branch {branch} is there already")]
    BranchThere {
        /// Its name.
        branch: String,
    },
    /// A branch is checked out, here or in another work tree.
    #[error("the branch {branch} is checked out")]
    CheckedOut {
        /// Its name.
        branch: String,
    },
    /// A file that was to be new is there already.
    #[error("{path} is there already")]
    FileThere {
        /// Its path from the root.
        path: String,
    },
    /// It is not known in whose name to commit.
    #[error("there is nobody to commit as: {0}")]
    NoIdentity(String),
    /// A file or directory could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl Error {
    /// How to put it right, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Error::Open { .. } => "run inside a Git repository, or name one",
            Error::Format { .. } => "install a git that reads it (reftable: 2.45 or later)",
            Error::ReadOnly { .. } => "work in a clone that keeps its refs in files (`git clone --ref-format=files`)",
            Error::Id(_) => "give the full hexadecimal object id",
            Error::Object { .. } => "check the name with `git rev-parse --verify`",
            Error::NoRef { .. } => "push it, or follow another ref",
            Error::TooLarge { .. } => "split the repository, or point the environment at a smaller directory",
            Error::Url { .. } => "use https://, ssh:// or git@host:path",
            Error::Environment(_) => "use lower-case letters, digits and `-`, at most 63 characters",
            Error::Start(_) => "install git and make it reachable by PATH",
            Error::Timeout { .. } => "check the network and the Git host, or allow more time",
            Error::Program { command: "fetch", .. } => {
                "check that the Git host runs, that the Environment's spec.repository is right, and that its credentials are"
            }
            Error::Program { .. } => "run the same command by hand to see all of its output",
            Error::BranchName(_) => "name another branch; `git check-ref-format --branch NAME` says whether it can be",
            Error::BranchThere { .. } => "name another branch, delete that one, or replace it with --force",
            Error::CheckedOut { .. } => "name another branch: what is checked out is not touched",
            Error::FileThere { .. } => "name another directory with --path, or remove what is in that one",
            Error::NoIdentity(_) => "set `git config user.name` and `git config user.email`",
            Error::Io { .. } => return None,
        })
    }

    pub(crate) fn object(what: impl Into<String>, error: &git2::Error) -> Self {
        Error::Object { what: what.into(), reason: error.message().to_owned() }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, error: std::io::Error) -> Self {
        Error::Io { path: path.into(), error }
    }
}
