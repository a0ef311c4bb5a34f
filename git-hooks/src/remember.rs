//! Keeping what an accepted tree says, for the next push.

use std::time::Duration;

use gitward_repo::{CommitId, Limits, Repository};

use crate::apart::apart;
use crate::at_commit::{self, Configured};
use crate::trees::{self, Held, Kept, Trees};
use crate::{Index, RefUpdate, Result, gate};

/// [`remember`] in the environment that Git has set up for a hook, within a time. The push has happened:
/// whatever goes wrong, the next one is judged without.
pub(crate) fn accepted(updates: Vec<RefUpdate>, limits: Limits, timeout: Duration) {
    let remembering = apart(move || {
        let repository = Repository::open_from_env()?;
        remember(&repository, &updates, &limits, &Index::of(&repository))
    });
    if let Ok(remembering) = remembering
        && let Ok(Ok(Err(error))) = remembering.recv_timeout(timeout)
    {
        tracing::debug!(%error, "the index was not written");
    }
}

/// Writes the indexes of the environments that moved refs feed.
///
/// # Errors
/// If the repository cannot be read.
pub fn remember(repository: &Repository, updates: &[RefUpdate], limits: &Limits, index: &Index) -> Result<()> {
    for update in updates {
        let Some(new) = &update.new else { continue };
        if let Some(commit) = repository.peel(new)? {
            one(repository, index, &update.followed(repository).git_ref, &commit, limits)?;
        }
    }
    Ok(())
}

/// Looks at a commit as the next push will, to which its rules are those of before.
fn one(repository: &Repository, index: &Index, git_ref: &str, commit: &CommitId, limits: &Limits) -> Result<()> {
    let configured = Configured::at(repository, commit);
    let Some(rules) = configured.good() else { return Ok(()) };
    let pairs = gate::environments(rules, Some(rules), git_ref);
    if pairs.is_empty() {
        return Ok(());
    }
    let Ok(judge) = at_commit::judge_of(repository, commit, rules, limits)? else { return Ok(()) };
    let kept = Kept::of(index, pairs.iter().map(|pair| pair.now));
    let trees = Trees::new(repository, trees::selection(rules, Some(rules), &pairs), limits, kept.memories());
    let tree = Held::at(commit);
    for pair in pairs {
        if let Some(bytes) = trees.to_remember(&judge, pair.now, &tree)?
            && let Err(error) = index.write(&pair.now.name, &bytes)
        {
            tracing::debug!(%error, "the index was not written");
        }
    }
    Ok(())
}
