//! Reading the tree of a commit: only what is asked for, within bounds, past no trick of names.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{ObjectType, Oid, TreeEntry};
use gitward_core::evaluate::TreeFile;
use gitward_core::finding::{Finding, Place};

use crate::{CommitId, Error, Repository, Result};

pub(crate) const MODE_SYMLINK: i32 = 0o120_000;
const MODE_TREE: i32 = 0o040_000;

/// Whether a mode is a regular file's, executable or not.
pub(crate) fn is_regular(mode: i32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// The path of an entry of a directory; that of the root is empty.
pub(crate) fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Bounds on what is read of one tree.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries of all directories together, read or not.
    pub entries: usize,
    /// Files that are read.
    pub files: usize,
    /// Bytes of one file; a larger one becomes a finding.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Nesting of directories.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 500_000, files: 50_000, file_bytes: 8 << 20, total_bytes: 512 << 20, depth: 64 }
    }
}

/// Which files of a tree are read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Directories or files, relative to the root; an empty string means everything.
    pub roots: Vec<String>,
}

/// Ends of the names of files that gitward understands.
const SUFFIXES: [&str; 4] = [".yaml", ".yml", ".json", ".rego"];

impl Selection {
    /// Manifests, policies and configuration anywhere in the tree.
    pub fn everything() -> Self {
        Self { roots: vec![String::new()] }
    }

    /// Manifests, policies and configuration under the given roots.
    pub fn under(roots: impl IntoIterator<Item = String>) -> Self {
        Self { roots: roots.into_iter().collect() }
    }

    /// Whether a file is one that gitward reads, by its name alone.
    pub fn names(path: &str) -> bool {
        SUFFIXES.iter().any(|s| path.ends_with(s)) || path.rsplit('/').next() == Some("Kustomization")
    }

    /// Whether a path is under one of the roots.
    pub fn covers(&self, path: &str) -> bool {
        self.roots.iter().any(|root| is_under(path, root))
    }

    /// Whether a directory may hold something that is covered.
    pub(crate) fn reaches(&self, directory: &str) -> bool {
        self.roots.iter().any(|root| is_under(directory, root) || is_under(root, directory))
    }
}

fn is_under(path: &str, root: &str) -> bool {
    root.is_empty() || path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Files of a tree, and what of it was not read.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The files, by path.
    pub files: Vec<TreeFile>,
    /// Symbolic links, submodules, oversized files and names that are not read.
    pub findings: Vec<Finding>,
}

impl Tree {
    pub(crate) fn skip(&mut self, rule: &'static str, path: &str, message: String, hint: &str) {
        let place = Place { file: Arc::from(path), line: 1, column: 1 };
        self.findings.push(Finding::error(rule, message).with_place(Some(place)).with_hint(hint));
    }

    pub(crate) fn skip_symlink(&mut self, path: &str) {
        // A link to a directory has any name; only names of files that are read for sure are told.
        if Selection::names(path) {
            let message = "symbolic links are not followed, so what this one points to is not read".to_owned();
            self.skip("tree/symlink", path, message, "put the file itself in the tree");
        }
    }

    pub(crate) fn skip_submodule(&mut self, path: &str) {
        let message = "submodules are not read, so what this one holds is not known".to_owned();
        self.skip("tree/submodule", path, message, "put the files themselves in the tree");
    }

    pub(crate) fn skip_deep(&mut self, path: &str, limit: usize) {
        let message = format!("the directory lies below {limit} others and is not read");
        self.skip("tree/too-deep", path, message, "move it up");
    }

    pub(crate) fn skip_large(&mut self, path: &str, limit: u64) {
        let message = format!("the file is larger than {limit} bytes and is not read");
        self.skip("tree/too-large", path, message, "split the file");
    }
}

/// Counts what a walk has read and stops it at the bounds.
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    what: String,
    entries: usize,
    bytes: u64,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits, what: String) -> Self {
        Self { limits, what, entries: 0, bytes: 0 }
    }

    fn exceeded(&self, limit: u64, unit: &'static str) -> Error {
        Error::TooLarge { what: self.what.clone(), limit, unit }
    }

    pub(crate) fn entry(&mut self) -> Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.exceeded(self.limits.entries as u64, "entries"));
        }
        Ok(())
    }

    pub(crate) fn file(&mut self, files: usize, bytes: u64) -> Result<()> {
        self.bytes += bytes;
        if files >= self.limits.files {
            return Err(self.exceeded(self.limits.files as u64, "files"));
        }
        if self.bytes > self.limits.total_bytes {
            return Err(self.exceeded(self.limits.total_bytes, "bytes of manifests"));
        }
        Ok(())
    }
}

impl Repository {
    /// Reads the selected files of a commit.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit or a part of its tree is missing, [`Error::TooLarge`] past
    /// the bounds.
    pub fn files(&self, commit: &CommitId, selection: &Selection, limits: &Limits) -> Result<Tree> {
        let listing = self.list(commit, selection, limits, &|_, _| None)?;
        let files = listing.leaves.iter().map(|leaf| self.read(leaf)).collect::<Result<_>>()?;
        Ok(Tree { files, findings: listing.findings })
    }

    /// Reads one file of a commit; `None` if there is nothing of that name.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit or the blob is missing or if the path is no regular file,
    /// [`Error::TooLarge`] if it is larger than `limit` bytes.
    pub fn file(&self, commit: &CommitId, path: &str, limit: u64) -> Result<Option<TreeFile>> {
        let what = || format!("{path} at {}", commit.short());
        let mut tree = self
            .git
            .find_commit(commit.oid()?)
            .and_then(|c| c.tree())
            .map_err(|e| Error::object(commit.as_str(), &e))?;
        let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
        for directory in directories.split('/').filter(|d| !d.is_empty()) {
            let Some(entry) = only_entry(&tree, directory, what)? else { return Ok(None) };
            if entry.kind() != Some(ObjectType::Tree) {
                return Ok(None);
            }
            let below = self.git.find_tree(entry.id()).map_err(|e| Error::object(what(), &e))?;
            drop(entry);
            tree = below;
        }
        let Some(entry) = only_entry(&tree, name, what)? else { return Ok(None) };
        if entry.kind() != Some(ObjectType::Blob) || entry.filemode() == MODE_SYMLINK {
            return Err(Error::Object { what: what(), reason: "is no regular file".to_owned() });
        }
        let header = self.git.odb().and_then(|odb| odb.read_header(entry.id()));
        if header.map_err(|e| Error::object(what(), &e))?.0 as u64 > limit {
            return Err(Error::TooLarge { what: what(), limit, unit: "bytes" });
        }
        let blob = self.git.find_blob(entry.id()).map_err(|e| Error::object(what(), &e))?;
        Ok(Some(TreeFile { path: Arc::from(path), bytes: Arc::from(blob.content()) }))
    }

    /// Paths that differ between two commits, at most `limit` of them; renamed files count under
    /// both names.
    ///
    /// # Errors
    /// [`Error::Object`] if a commit is missing, [`Error::TooLarge`] past `limit`.
    pub fn changed_paths(&self, old: &CommitId, new: &CommitId, limit: usize) -> Result<Vec<String>> {
        let tree = |id: &CommitId| {
            self.git.find_commit(id.oid()?).and_then(|c| c.tree()).map_err(|e| Error::object(id.as_str(), &e))
        };
        let what = format!("{}..{}", old.short(), new.short());
        let mut changed = Changed { git: &self.git, what, limit, looked_at: 0, paths: Vec::new() };
        changed.between(Some(&tree(old)?), Some(&tree(new)?), "")?;
        Ok(changed.paths)
    }
}

/// Looks for what differs between two trees, within bounds: a tree of a few objects may stand for
/// millions of paths.
struct Changed<'a> {
    git: &'a git2::Repository,
    what: String,
    /// Paths that are found at most; so many entries for each are looked at.
    limit: usize,
    looked_at: usize,
    paths: Vec<String>,
}

type Entries = BTreeMap<Vec<u8>, Vec<(Oid, i32)>>;

impl Changed<'_> {
    const ENTRIES_A_PATH: usize = 20;

    fn between(&mut self, old: Option<&git2::Tree<'_>>, new: Option<&git2::Tree<'_>>, prefix: &str) -> Result<()> {
        let entries = |tree: Option<&git2::Tree<'_>>| {
            let mut entries = Entries::new();
            for entry in tree.into_iter().flatten() {
                entries.entry(entry.name_bytes().to_vec()).or_default().push((entry.id(), entry.filemode()));
            }
            entries
        };
        let (old, mut new) = (entries(old), entries(new));
        for (name, before) in &old {
            let after = new.remove(name).unwrap_or_default();
            self.entry(prefix, name, before, &after)?;
        }
        new.iter().try_for_each(|(name, after)| self.entry(prefix, name, &[], after))
    }

    fn entry(&mut self, prefix: &str, name: &[u8], before: &[(Oid, i32)], after: &[(Oid, i32)]) -> Result<()> {
        self.looked_at += 1;
        if self.looked_at > self.limit.saturating_mul(Self::ENTRIES_A_PATH) {
            return Err(self.too_many());
        }
        if before == after {
            return Ok(());
        }
        let name = String::from_utf8_lossy(name);
        let path = below(prefix, &name);
        let is_tree = |side: &[(Oid, i32)]| matches!(side, [(_, MODE_TREE)]);
        if (is_tree(before) || before.is_empty()) && (is_tree(after) || after.is_empty()) {
            let tree = |side: &[(Oid, i32)]| match side {
                [(id, _)] => self.git.find_tree(*id).map(Some).map_err(|e| Error::object(&path, &e)),
                _ => Ok(None),
            };
            let (before, after) = (tree(before)?, tree(after)?);
            return self.between(before.as_ref(), after.as_ref(), &path);
        }
        self.paths.push(path);
        if self.paths.len() > self.limit { Err(self.too_many()) } else { Ok(()) }
    }

    fn too_many(&self) -> Error {
        Error::TooLarge { what: self.what.clone(), limit: self.limit as u64, unit: "changed paths" }
    }
}

/// The one entry of that name, looked for from the first to the last: a tree that was made by hand may
/// be out of order or hold a name twice, and then readers of Git disagree about what it holds.
fn only_entry<'t>(tree: &'t git2::Tree<'_>, name: &str, what: impl Fn() -> String) -> Result<Option<TreeEntry<'t>>> {
    let mut named = tree.iter().filter(|entry| entry.name_bytes() == name.as_bytes());
    let first = named.next();
    if named.next().is_some() {
        return Err(Error::Object { what: what(), reason: "the tree holds that name twice".to_owned() });
    }
    Ok(first)
}
