//! What stories ask of this machine's Git.

use std::process::Command;

use crate::sshd::said;

/// The version from which on a story can be told: major and minor.
pub(crate) type Needs = (u32, u32);

pub(crate) const ANY: Needs = (0, 0);

/// Refs in the reftable format.
pub(crate) const REFTABLE: Needs = (2, 45);

/// Gitea makes repositories of SHA-256 objects only where Git is as new as this.
pub(crate) const SHA256_ON_GITEA: Needs = (2, 42);

pub(crate) fn suits(needs: Needs) -> bool {
    let answer = said(Command::new("git").arg("--version"));
    let mut numbers = answer.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|version| version >= needs)
}
