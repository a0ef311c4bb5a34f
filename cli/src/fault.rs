//! Errors as people read them: what, and what to do about it.

use std::fmt;
use std::io::Write;

/// An error of the command line with the way to put it right.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    hint: String,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Writes an error and its hint to standard error.
pub(crate) fn report(error: &anyhow::Error) {
    let mut terminal = std::io::stderr().lock();
    let _ = writeln!(terminal, "error: {error:#}");
    if let Some(hint) = error.chain().find_map(hint) {
        let _ = writeln!(terminal, "hint: {hint}");
    }
}

fn hint(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return Some(fault.hint.clone());
    }
    if let Some(error) = error.downcast_ref::<gitward_sight::Error>() {
        return error.hint();
    }
    let hint = if let Some(error) = error.downcast_ref::<gitward_git_hooks::Error>() {
        error.hint()
    } else if let Some(error) = error.downcast_ref::<gitward_webhook::RunError>() {
        error.hint()
    } else {
        error.downcast_ref::<gitward_repo::Error>().and_then(gitward_repo::Error::hint)
    };
    hint.map(str::to_owned)
}
