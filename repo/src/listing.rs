//! Listing the tree of a commit: names, ids and sizes of what is asked for, within bounds, past no trick
//! of names.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use git2::{ObjectType, Odb, Oid, TreeEntry};
use gitward_core::evaluate::{ContentId, Leaf, TreeFile};

use crate::tree::{Budget, MODE_SYMLINK, below};
use crate::{CommitId, Error, Limits, Repository, Result, Selection, Tree};

const MODE_SUBMODULE: i32 = 0o160_000;

/// The size of a file of this path and content, if it is known without asking Git.
pub type KnownSize<'a> = &'a dyn Fn(&str, &ContentId) -> Option<u64>;

/// What a tree holds, unread.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The id of the whole tree, selected or not.
    pub id: ContentId,
    /// The selected files, by path.
    pub leaves: Vec<Leaf>,
    /// Symbolic links, submodules, oversized files and names that are not read.
    pub findings: Vec<gitward_core::finding::Finding>,
}

impl Repository {
    /// Lists the selected files of a commit.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit or a part of its tree is missing, [`Error::TooLarge`] past
    /// the bounds.
    pub fn list(
        &self,
        commit: &CommitId,
        selection: &Selection,
        limits: &Limits,
        known_size: KnownSize<'_>,
    ) -> Result<Listing> {
        let broken = |e: &git2::Error| Error::object(commit.as_str(), e);
        let root = self.git.find_commit(commit.oid()?).and_then(|c| c.tree()).map_err(|e| broken(&e))?;
        let id = ContentId::new(root.id().as_bytes()).ok_or_else(|| Error::Id(root.id().to_string()))?;
        let mut walk = Walk {
            git: &self.git,
            odb: self.git.odb().map_err(|e| broken(&e))?,
            selection,
            limits,
            budget: Budget::new(limits, format!("the tree of {}", commit.short())),
            tree: Tree::default(),
            leaves: Vec::new(),
            known_size,
        };
        walk.directory(&root, "", 0)?;
        Ok(Listing { id, leaves: walk.leaves, findings: walk.tree.findings })
    }

    /// Reads a file of a listing.
    ///
    /// # Errors
    /// [`Error::Object`] if it is not there.
    pub fn read(&self, leaf: &Leaf) -> Result<TreeFile> {
        self.content(&leaf.path, &leaf.id)
    }

    /// Reads a file by the id of its content.
    ///
    /// # Errors
    /// [`Error::Object`] if it is not there.
    pub fn content(&self, path: &Arc<str>, id: &ContentId) -> Result<TreeFile> {
        let id = Oid::from_bytes(id.as_bytes());
        let blob = id.and_then(|id| self.git.find_blob(id)).map_err(|e| Error::object(&**path, &e))?;
        Ok(TreeFile { path: path.clone(), bytes: blob.content().into() })
    }
}

struct Walk<'a> {
    git: &'a git2::Repository,
    odb: Odb<'a>,
    selection: &'a Selection,
    limits: &'a Limits,
    budget: Budget<'a>,
    tree: Tree,
    leaves: Vec<Leaf>,
    known_size: KnownSize<'a>,
}

impl Walk<'_> {
    fn directory(&mut self, tree: &git2::Tree<'_>, prefix: &str, depth: usize) -> Result<()> {
        let mut names = Names::of_at_most(tree.len());
        for entry in tree {
            self.budget.entry()?;
            let name = match std::str::from_utf8(entry.name_bytes()) {
                Ok(name) if is_plain_name(name) => name,
                _ => {
                    self.refuse_name(prefix, &entry);
                    continue;
                }
            };
            let path = below(prefix, name);
            if let Some(other) = names.taken(name).filter(|_| self.would_read(&entry, &path)) {
                let message = format!("{name:?} and {other:?} are one name where case does not count");
                self.tree.skip("tree/name", &path, message, "rename or remove one of the two");
            }
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Tree), _) if self.selection.reaches(&path) && depth >= self.limits.depth => {
                    self.tree.skip_deep(&path, self.limits.depth);
                }
                (Some(ObjectType::Tree), _) if self.selection.reaches(&path) => {
                    let below = self.git.find_tree(entry.id()).map_err(|e| Error::object(&path, &e))?;
                    self.directory(&below, &path, depth + 1)?;
                }
                (_, MODE_SUBMODULE) if self.selection.covers(&path) => {
                    self.tree.skip_submodule(&path);
                }
                (_, MODE_SYMLINK) if self.selection.covers(&path) => self.tree.skip_symlink(&path),
                (Some(ObjectType::Blob), _) if Selection::names(&path) && self.selection.covers(&path) => {
                    self.file(&entry, path)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &TreeEntry<'_>, path: String) -> Result<()> {
        let id = entry.id();
        let Some(id) = ContentId::new(id.as_bytes()) else { return Err(Error::Id(id.to_string())) };
        let size = match (self.known_size)(&path, &id) {
            Some(size) => size,
            None => self.odb.read_header(entry.id()).map_err(|e| Error::object(&path, &e))?.0 as u64,
        };
        if size > self.limits.file_bytes {
            self.tree.skip_large(&path, self.limits.file_bytes);
            return Ok(());
        }
        self.budget.file(self.leaves.len(), size)?;
        self.leaves.push(Leaf { path: path.into(), id, size });
        Ok(())
    }

    fn would_read(&self, entry: &TreeEntry<'_>, path: &str) -> bool {
        match entry.kind() {
            Some(ObjectType::Tree) => self.selection.reaches(path),
            _ => Selection::names(path) && self.selection.covers(path),
        }
    }

    fn refuse_name(&mut self, prefix: &str, entry: &TreeEntry<'_>) {
        let directory = if prefix.is_empty() { "the root" } else { prefix };
        if !self.selection.reaches(prefix) {
            return;
        }
        let shown = String::from_utf8_lossy(entry.name_bytes()).chars().take(80).collect::<String>();
        let message = format!("{directory} has an entry named {shown:?}, which is no plain file name");
        self.tree.skip("tree/name", if prefix.is_empty() { "." } else { prefix }, message, "rename or remove it");
    }
}

/// The names of a directory, as a file system sees them to which capital and small letters are one.
struct Names(HashMap<String, Option<String>>);

impl Names {
    fn of_at_most(count: usize) -> Self {
        Self(HashMap::with_capacity(count))
    }

    /// The name that was there before and is the same; remembers this one.
    fn taken(&mut self, name: &str) -> Option<String> {
        let small = name.to_lowercase();
        // Most names are written so.
        let written = (small != name).then(|| name.to_owned());
        match self.0.entry(small) {
            Entry::Vacant(slot) => {
                slot.insert(written);
                None
            }
            Entry::Occupied(mut slot) => {
                let before = slot.insert(written);
                Some(before.unwrap_or_else(|| slot.key().clone()))
            }
        }
    }
}

/// Whether a tree entry's name is one path component and nothing else on any system.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !is_git_directory(name)
        && !name.contains(['/', '\\'])
        && *gitward_core::report::harmless(name) == *name
}

/// Whether some system takes a name for `.git`: Windows ignores dots and blanks at the end and what
/// follows a colon, and gives long names a short one. What macOS leaves out of names is no plain
/// character in the first place.
fn is_git_directory(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_something_else_on_some_system_are_not_plain() {
        for plain in ["web.yaml", ".github", ".gitignore", "a b", "größe.yaml", "git~10"] {
            assert!(is_plain_name(plain), "{plain}");
        }
        for other in [
            "",
            ".",
            "..",
            ".git",
            ".GIT",
            ".git ",
            ".git.",
            ".git::$INDEX_ALLOCATION",
            "GIT~1",
            ".g\u{200c}it",
            "a\\b",
            "a\nb",
        ] {
            assert!(!is_plain_name(other), "{other:?}");
        }
    }
}
