//! A commit on a branch of its own, made beside work tree, index and checked-out branch.

use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode};

use crate::{CommitId, Error, Repository, Result};

/// A commit that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewBranch<'a> {
    /// Name of the branch, without `refs/heads/`.
    pub name: &'a str,
    /// The commit that it goes out from; `None` for an empty tree.
    pub base: Option<&'a CommitId>,
    /// New files, by path from the root.
    pub files: &'a [(String, Vec<u8>)],
    /// The commit's message.
    pub message: &'a str,
    /// Whether a branch of that name is moved.
    pub replace: bool,
}

impl Repository {
    /// Commits new files on a new branch, in the name of the repository's user. Nothing else in the
    /// repository changes.
    ///
    /// # Errors
    /// [`Error::BranchThere`], [`Error::FileThere`], [`Error::NoIdentity`], [`Error::ReadOnly`], or what libgit2 said.
    pub fn commit_on_branch(&self, new: &NewBranch<'_>) -> Result<CommitId> {
        if self.stand_in.is_some() {
            return Err(Error::ReadOnly { path: self.git_dir().to_owned() });
        }
        let git_ref = self.new_branch(new)?;
        let said = |e: &git2::Error| Error::object(&git_ref, e);
        let parent = match new.base {
            Some(base) => Some(self.git.find_commit(base.oid()?).map_err(|e| Error::object(base.as_str(), &e))?),
            None => None,
        };
        let base = match &parent {
            Some(parent) => parent.tree().map_err(|e| said(&e))?,
            None => {
                let empty = self.git.treebuilder(None).and_then(|b| b.write()).map_err(|e| said(&e))?;
                self.git.find_tree(empty).map_err(|e| said(&e))?
            }
        };
        let mut update = TreeUpdateBuilder::new();
        for (path, bytes) in new.files {
            if base.get_path(path.as_ref()).is_ok() {
                return Err(Error::FileThere { path: path.clone() });
            }
            let blob = self.git.blob(bytes).map_err(|e| Error::object(path, &e))?;
            update.upsert(path.as_str(), blob, FileMode::Blob);
        }
        let tree =
            update.create_updated(&self.git, &base).and_then(|id| self.git.find_tree(id)).map_err(|e| said(&e))?;
        let signature = self.git.signature().map_err(|e| Error::NoIdentity(e.message().to_owned()))?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let commit = self.git.commit(None, &signature, &signature, new.message, &tree, &parents);
        let commit: CommitId = commit.map_err(|e| said(&e))?.into();
        let made = self.git.reference(&git_ref, commit.oid()?, new.replace, "gitward adopt");
        // Another may have made it in between.
        made.map_err(|e| if e.code() == ErrorCode::Exists { there(new.name) } else { said(&e) })?;
        Ok(commit)
    }

    /// The full name of a branch that may be made.
    ///
    /// # Errors
    /// It is no name of a branch, it is there already, or it is checked out.
    pub fn new_branch(&self, new: &NewBranch<'_>) -> Result<String> {
        let git_ref = format!("refs/heads/{}", new.name);
        if !git2::Branch::name_is_valid(new.name).unwrap_or(false) {
            return Err(Error::BranchName(new.name.to_owned()));
        }
        if self.is_checked_out(&git_ref) {
            return Err(Error::CheckedOut { branch: new.name.to_owned() });
        }
        match self.git.find_reference(&git_ref) {
            Ok(_) if !new.replace => Err(there(new.name)),
            Ok(_) => Ok(git_ref),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(git_ref),
            Err(e) => Err(Error::object(git_ref, &e)),
        }
    }

    /// Whether a branch, also one that is yet to be born, is checked out in this work tree or another
    /// one of the repository.
    fn is_checked_out(&self, git_ref: &str) -> bool {
        let head = |git: &git2::Repository| {
            git.find_reference("HEAD").ok()?.symbolic_target().ok().flatten().map(str::to_owned)
        };
        let linked = self.git.worktrees().ok();
        let linked = linked.iter().flat_map(|names| names.iter()).flatten().flatten();
        let linked =
            linked.filter_map(|name| git2::Repository::open_from_worktree(&self.git.find_worktree(name).ok()?).ok());
        let main = git2::Repository::open(self.git.commondir()).ok();
        head(&self.git).as_deref() == Some(git_ref)
            || linked.chain(main).any(|git| head(&git).as_deref() == Some(git_ref))
    }
}

fn there(branch: &str) -> Error {
    Error::BranchThere { branch: branch.to_owned() }
}
