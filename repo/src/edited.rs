//! The files of a tree that hold something else than in another one, where the trees differ in nothing
//! else.

use git2::{ObjectType, Odb, Oid, TreeEntry};
use gitward_core::evaluate::{ContentId, Edited};

use crate::tree::{below, is_regular};
use crate::{CommitId, Error, Limits, Repository, Result, Selection};

impl Repository {
    /// The selected files that a commit's tree holds with other contents than the tree of an id does. `None` if
    /// that tree is not there, if anything else differs, as a name or a mode, or if more than `limit` files do.
    ///
    /// # Errors
    /// [`Error::Object`] if a part of the commit's tree is missing.
    pub fn edited(
        &self,
        before: &ContentId,
        commit: &CommitId,
        selection: &Selection,
        limits: &Limits,
        limit: usize,
    ) -> Result<Option<Vec<Edited>>> {
        let broken = |e: &git2::Error| Error::object(commit.as_str(), e);
        let Ok(before) = Oid::from_bytes(before.as_bytes()).and_then(|id| self.git.find_tree(id)) else {
            return Ok(None);
        };
        let now = self.git.find_commit(commit.oid()?).and_then(|c| c.tree()).map_err(|e| broken(&e))?;
        let odb = self.git.odb().map_err(|e| broken(&e))?;
        let mut walk = Walk { git: &self.git, odb, selection, limits, limit, entries: 0, edited: Vec::new() };
        let is_whole = before.id() == now.id() || walk.directory(&before, &now, "", 0)?;
        Ok(is_whole.then_some(walk.edited))
    }
}

struct Walk<'a> {
    git: &'a git2::Repository,
    odb: Odb<'a>,
    selection: &'a Selection,
    limits: &'a Limits,
    /// Files that are found at most.
    limit: usize,
    /// Entries that were looked at: one directory may stand at many places.
    entries: usize,
    edited: Vec<Edited>,
}

impl Walk<'_> {
    /// Whether the two differ in nothing but contents; notes whose.
    fn directory(&mut self, before: &git2::Tree<'_>, now: &git2::Tree<'_>, prefix: &str, depth: usize) -> Result<bool> {
        self.entries += now.len();
        if before.len() != now.len() || depth > self.limits.depth || self.entries > self.limits.entries {
            return Ok(false);
        }
        for (before, now) in before.iter().zip(now) {
            if before.name_bytes() != now.name_bytes() || before.filemode_raw() != now.filemode_raw() {
                return Ok(false);
            }
            if before.id() != now.id() && !self.entry(&before, &now, prefix, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entry(&mut self, before: &TreeEntry<'_>, now: &TreeEntry<'_>, prefix: &str, depth: usize) -> Result<bool> {
        let Ok(name) = std::str::from_utf8(now.name_bytes()) else { return Ok(false) };
        let path = below(prefix, name);
        match now.kind() {
            Some(ObjectType::Tree) => {
                let tree = |id| self.git.find_tree(id);
                let Ok(before) = tree(before.id()) else { return Ok(false) };
                let now = tree(now.id()).map_err(|e| Error::object(&path, &e))?;
                self.directory(&before, &now, &path, depth + 1)
            }
            Some(ObjectType::Blob) if is_regular(now.filemode()) => self.file(before.id(), now.id(), path),
            _ => Ok(false),
        }
    }

    fn file(&mut self, before: Oid, now: Oid, path: String) -> Result<bool> {
        if !Selection::names(&path) || !self.selection.covers(&path) {
            return Ok(true);
        }
        let (size, _) = self.odb.read_header(now).map_err(|e| Error::object(&path, &e))?;
        let id = |id: Oid| ContentId::new(id.as_bytes()).ok_or_else(|| Error::Id(id.to_string()));
        self.edited.push(Edited { path: path.into(), before: id(before)?, now: id(now)?, size: size as u64 });
        Ok(size as u64 <= self.limits.file_bytes && self.edited.len() <= self.limit)
    }
}
