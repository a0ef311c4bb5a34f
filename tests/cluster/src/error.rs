//! What can go wrong, with what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// An error of the control plane, the Git host, or of getting their programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, folder, socket or process of ours could not be handled.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path or program.
        doing: String,
        /// The system's answer.
        source: io::Error,
    },

    /// No program could be found, built or downloaded.
    #[error("{missing}: {why}\nhelp: {help}", help = crate::binaries::HELP)]
    NoProgram {
        /// The programs that are missing.
        missing: String,
        /// What was tried and how each try ended.
        why: String,
    },

    /// `go build` failed.
    #[error("go build {package}: {why}")]
    GoBuild {
        /// The Go package of the program.
        package: String,
        /// The end of what `go` printed.
        why: String,
    },

    /// A download failed or is not what its checksum says.
    #[error("{url}: {why}")]
    Download {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },

    /// A component ended by itself.
    #[error("{component} ended ({status}); the end of its log {}:\n{log_tail}", log.display())]
    Ended {
        /// The component's name.
        component: String,
        /// How it ended.
        status: ExitStatus,
        /// Where its log is.
        log: PathBuf,
        /// The last lines of that log.
        log_tail: String,
    },

    /// A component did not become ready in time.
    #[error("{what} was not ready within {waited:?}: {last}; the end of the log {}:\n{log_tail}", log.display())]
    NotReady {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
        /// The last answer.
        last: String,
        /// The log of the component that should have made it ready.
        log: PathBuf,
        /// The last lines of that log.
        log_tail: String,
    },

    /// A certificate or key could not be made.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),

    /// The API server refused or could not be reached.
    #[error("{doing}: {source}")]
    Kube {
        /// What was being done.
        doing: String,
        /// The client's error.
        source: Box<kube::Error>,
    },

    /// A kubeconfig could not be read or made.
    #[error("kubeconfig {}: {why}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },

    /// A program that was run for a result failed.
    #[error("{command} ended with {status}:\n{stderr}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },

    /// A value given by the caller does not fit.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source }
    }

    pub(crate) fn kube(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Kube { doing, source: Box::new(source) }
    }
}
