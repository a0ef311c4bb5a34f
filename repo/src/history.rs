//! What a ref's earlier commits declared of an object.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use git2::{Oid, Sort};
use gitward_core::snapshot::{Declared, Digest, FORMER_KEPT};

use crate::{CommitId, Error, Repository, Result, Source, Unusable};

/// Commits that are passed on the way back at most.
const COMMITS: usize = 1000;

/// Longest time on the way back.
const WITHIN: Duration = Duration::from_secs(30);

impl Source {
    /// What the commits before `commit` declared of an object otherwise, the oldest first and each content
    /// once: the last [`FORMER_KEPT`] of them, as far as they are found within bounds. A commit that cannot
    /// be used is passed over. Needs no network.
    ///
    /// # Errors
    /// The mirror is damaged.
    pub fn before(&self, commit: &str, now: &Declared) -> std::result::Result<Vec<Declared>, Unusable> {
        self.before_in(&self.mirrored()?, commit, now)
    }

    /// The same from a repository that holds the commit, be it the mirror or somebody's clone.
    ///
    /// # Errors
    /// The repository is damaged.
    pub fn before_in(
        &self,
        repository: &Repository,
        commit: &str,
        now: &Declared,
    ) -> std::result::Result<Vec<Declared>, Unusable> {
        let began = Instant::now();
        let commits = repository.first_parents(&CommitId::parse(commit)?, COMMITS)?;
        let mut file = now.manifest.file.to_string();
        let mut seen = BTreeSet::<Digest>::from([now.digest.clone()]);
        let mut last = commits.first().map(|c| repository.content_id(c, &file));
        let mut found = Vec::new();
        for commit in commits.iter().skip(1) {
            let content = Some(repository.content_id(commit, &file));
            if content == last {
                continue;
            }
            if found.len() == FORMER_KEPT || began.elapsed() >= WITHIN {
                break;
            }
            let declared = self.declaration(repository, commit).ok().map(|d| d.declared);
            let of_then = declared.into_iter().flatten().find(|d| d.manifest.key == now.manifest.key);
            if let Some(of_then) = of_then {
                file = of_then.manifest.file.to_string();
                if seen.insert(of_then.digest.clone()) {
                    found.push(of_then);
                }
            }
            last = Some(repository.content_id(commit, &file));
        }
        found.reverse();
        Ok(found)
    }
}

impl Repository {
    /// A commit and those that it follows from, by first parents, the latest first; at most `limit`. Where a
    /// shallow history ends, so does this.
    fn first_parents(&self, from: &CommitId, limit: usize) -> Result<Vec<CommitId>> {
        let said = |e: &git2::Error| Error::object(format!("the history of {}", from.short()), e);
        let mut walk = self.git.revwalk().map_err(|e| said(&e))?;
        walk.set_sorting(Sort::TOPOLOGICAL).map_err(|e| said(&e))?;
        walk.simplify_first_parent().map_err(|e| said(&e))?;
        walk.push(from.oid()?).map_err(|e| said(&e))?;
        Ok(walk.map_while(std::result::Result::ok).take(limit).map(CommitId::from).collect())
    }

    /// The id of what a commit holds under a path, if there is something.
    fn content_id(&self, commit: &CommitId, path: &str) -> Option<Oid> {
        let tree = self.git.find_commit(commit.oid().ok()?).ok()?.tree().ok()?;
        tree.get_path(Path::new(path)).ok().map(|entry| entry.id())
    }
}
