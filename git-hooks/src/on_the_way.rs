//! The commits that a push brings besides the last one, for environments that want each of them
//! judged: whoever bisects, reverts or deploys an older commit meets them again.

use std::sync::Arc;

use gitward_core::config::EnvironmentConfig;
use gitward_core::evaluate::{Judge, TreeFile};
use gitward_core::finding::{Finding, Severity};
use gitward_repo::{CommitId, Error, Repository};

use crate::trees::{Held, Trees};
use crate::{Result, brought};

/// Commits of a push that are judged one by one, at most.
const MOST_COMMITS: usize = 500;

/// A way through history, and what is read along it.
pub(crate) struct Way<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) old: Option<&'a CommitId>,
    pub(crate) new: &'a CommitId,
    pub(crate) trees: &'a Trees<'a>,
}

/// What denies on the way, and the files that it stands in.
#[derive(Default)]
pub(crate) struct OnTheWay {
    pub(crate) findings: Vec<Finding>,
    pub(crate) sources: Vec<TreeFile>,
}

impl Way<'_> {
    /// Judges every commit between the two ends, the oldest first. `before` is what was found at the
    /// old end, `at_the_end` what the new one brings: neither is told again.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub(crate) fn judge(
        &self,
        judge: &Judge,
        environment: &EnvironmentConfig,
        before: &[Finding],
        at_the_end: &[Finding],
    ) -> Result<OnTheWay> {
        let mut way = OnTheWay::default();
        let commits = match self.repository.between(self.old, self.new, MOST_COMMITS - 1) {
            Err(Error::TooLarge { .. }) => {
                way.findings.push(too_many(environment));
                return Ok(way);
            }
            commits => commits?,
        };
        for commit in commits {
            let tree = Held::at(&commit);
            let found = self.trees.judge(judge, environment, &tree)?.findings;
            let new = brought(brought(found, before).0, at_the_end).0;
            let new: Vec<Finding> = new.into_iter().filter(|f| f.severity == Severity::Error).collect();
            let sources = self.trees.sources(&tree, &new)?.into_iter();
            way.sources.extend(sources.map(|file| TreeFile { path: at(&commit, &file.path), ..file }));
            way.findings.extend(new.into_iter().map(|finding| told(finding, &commit)));
        }
        Ok(way)
    }
}

/// A file as it stands at a commit, as `git show` takes it.
fn at(commit: &CommitId, path: &str) -> Arc<str> {
    format!("{}:{path}", commit.short()).into()
}

fn told(mut finding: Finding, commit: &CommitId) -> Finding {
    finding.message = format!("at commit {}: {}", commit.short(), finding.message);
    if let Some(place) = &mut finding.place {
        place.file = at(commit, &place.file);
    }
    let mend = "the commits after it mend this; squash them into it (`git rebase --interactive`)";
    finding.hint = Some(finding.hint.map_or_else(|| mend.to_owned(), |hint| format!("{hint}; {mend}")));
    finding
}

fn too_many(environment: &EnvironmentConfig) -> Finding {
    let message = format!(
        "the push brings more than {MOST_COMMITS} commits, and environment {} has each of them judged",
        environment.name
    );
    Finding::error("push/too-many-commits", message).with_hint("push fewer at once, or squash them")
}
