//! What a program that ran to its end left behind.

use std::process::ExitStatus;

use crate::{Error, Result};

/// The end and the output of a program such as `git push` or `kubectl apply`.
#[derive(Clone, Debug)]
pub struct Output {
    /// How the program ended.
    pub status: ExitStatus,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error; what is not UTF-8 is replaced.
    pub stderr: String,
    command: String,
}

impl Output {
    pub(crate) fn new(command: String, output: std::process::Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command,
        }
    }

    /// Whether the program ended with status 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// The standard output of a program that must have succeeded.
    ///
    /// # Errors
    /// [`Error::Command`] with the standard error where it did not.
    pub fn checked(self) -> Result<String> {
        if self.success() {
            return Ok(self.stdout);
        }
        Err(Error::Command { command: self.command, status: self.status, stderr: self.stderr })
    }
}
