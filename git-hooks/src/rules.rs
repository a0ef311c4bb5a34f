//! Whose rules judge a ref.

use gitward_core::config::Configuration;
use gitward_core::evaluate::TreeFile;
use gitward_core::finding::Finding;
use gitward_repo::{CommitId, Repository};

use crate::at_commit::Configured;
use crate::{RefUpdate, Result};

/// Branches that are looked at for rules where the default branch has none.
const BRANCHES: usize = 100;

/// The commits and configurations that have a say.
pub(crate) struct Refs {
    git_ref: String,
    old: Option<CommitId>,
    pub(crate) new: Option<CommitId>,
    head: Option<CommitId>,
    is_head: bool,
    at_old: Configured,
    at_new: Configured,
    at_head: Configured,
}

/// By which rules a ref is judged.
pub(crate) enum Rules {
    /// It feeds nothing.
    Nobody,
    /// Nobody has written any.
    Absent,
    /// The very first configuration of the repository cannot be read.
    BrokenAtFirst { findings: Vec<Finding>, file: Option<TreeFile> },
    /// There are rules at a commit, but they cannot be read.
    Broken { findings: Vec<Finding>, base: CommitId },
    /// By a commit's configuration and policies.
    Of { configuration: Box<Configuration>, base: CommitId },
}

impl Refs {
    pub(crate) fn of(repository: &Repository, update: &RefUpdate) -> Result<Self> {
        let commit = |id: &Option<CommitId>| id.as_ref().map_or(Ok(None), |id| repository.peel(id));
        let (old, new, mut head) = (commit(&update.old)?, commit(&update.new)?, repository.head()?);
        let configured =
            |id: &Option<CommitId>| id.as_ref().map_or(Configured::Absent, |id| Configured::at(repository, id));
        let (at_old, mut at_head) = (configured(&old), configured(&head));
        // Nobody asks further where the old commit's rules count.
        if matches!(at_head, Configured::Absent)
            && !at_old.feeds(&update.git_ref)
            && let Some((commit, written)) = elsewhere(repository, &update.git_ref)
        {
            (head, at_head) = (Some(commit), written);
        }
        Ok(Self {
            git_ref: update.git_ref.clone(),
            at_old,
            at_new: configured(&new),
            at_head,
            is_head: repository.head_ref().as_deref() == Some(update.git_ref.as_str()),
            old,
            new,
            head,
        })
    }

    /// The old commit's rules come first. A ref that they do not name may be named by the default
    /// branch, else a new branch of that name would slip past. Only where neither says anything do
    /// the pushed commit's own rules count, for there are no others.
    pub(crate) fn rules(self) -> Rules {
        let git_ref = self.git_ref.as_str();
        let of = |configured: Configured, base: Option<CommitId>| match (configured, base) {
            (Configured::Good(configuration), Some(base)) => Rules::Of { configuration, base },
            _ => Rules::Nobody,
        };
        if self.at_old.feeds(git_ref) {
            return of(self.at_old, self.old);
        }
        if !self.is_head && self.at_head.feeds(git_ref) {
            return of(self.at_head, self.head);
        }
        let head_is_good = self.at_head.good().is_some();
        match (self.at_old, self.old) {
            (Configured::Broken { findings, .. }, Some(base)) if self.is_head || !head_is_good => {
                return Rules::Broken { findings, base };
            }
            // The old commit names other refs only; the new one names this ref: the old policies
            // judge what the new environment holds.
            (at_old @ Configured::Good(_), old) if self.at_new.feeds(git_ref) => return of(at_old, old),
            _ => {}
        }
        match (self.at_new, self.at_head) {
            (at_new, _) if at_new.feeds(git_ref) => of(at_new, self.new),
            (Configured::Broken { findings, file }, Configured::Absent) => Rules::BrokenAtFirst { findings, file },
            (Configured::Absent, Configured::Absent) if self.new.is_some() => Rules::Absent,
            _ => Rules::Nobody,
        }
    }
}

/// Where the default branch says nothing (it may not even be there): the rules of the first branch that
/// feeds itself.
fn elsewhere(repository: &Repository, but: &str) -> Option<(CommitId, Configured)> {
    repository.branches(BRANCHES).into_iter().filter(|branch| branch != but).find_map(|branch| {
        let commit = repository.resolve(&branch).ok()??;
        let written = Configured::at(repository, &commit);
        written.feeds(&branch).then_some((commit, written))
    })
}
