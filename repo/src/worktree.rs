//! Reading a directory on disk, or the index of a working tree, as a commit's tree would be read.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gitward_core::evaluate::TreeFile;

use crate::tree::{Budget, below};
use crate::{Error, Limits, Repository, Result, Selection, Tree};

const SUBMODULE: u32 = 0o160_000;

/// Reads the selected files under a directory. Hidden directories are passed over.
///
/// # Errors
/// [`Error::Io`] for a directory or file that cannot be read, [`Error::TooLarge`] past the bounds.
pub fn read_directory(root: &Path, selection: &Selection, limits: &Limits) -> Result<Tree> {
    Walk::over(root, selection, limits, &|_| false, &|_| false)
}

struct Walk<'a> {
    root: &'a Path,
    selection: &'a Selection,
    limits: &'a Limits,
    /// Whether a path, relative to the root, is passed over.
    ignored: &'a dyn Fn(&str) -> bool,
    /// Whether a directory is another repository's, of which a commit holds the name alone.
    submodule: &'a dyn Fn(&str) -> bool,
    budget: Budget<'a>,
    tree: Tree,
}

impl<'a> Walk<'a> {
    fn over(
        root: &'a Path,
        selection: &'a Selection,
        limits: &'a Limits,
        ignored: &'a dyn Fn(&str) -> bool,
        submodule: &'a dyn Fn(&str) -> bool,
    ) -> Result<Tree> {
        let budget = Budget::new(limits, root.display().to_string());
        let mut walk = Self { root, selection, limits, ignored, submodule, budget, tree: Tree::default() };
        walk.directory("", 0)?;
        Ok(walk.tree)
    }

    fn directory(&mut self, prefix: &str, depth: usize) -> Result<()> {
        let here = self.root.join(prefix);
        let entries = fs::read_dir(&here).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|e| Error::io(&here, e))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.budget.entry()?;
            let name = entry.file_name();
            // A name that is no UTF-8 cannot be a manifest's that anybody could refer to.
            let Some(name) = name.to_str() else { continue };
            let path = below(prefix, name);
            let kind = entry.file_type().map_err(|e| Error::io(entry.path(), e))?;
            if kind.is_dir() {
                if (self.submodule)(&path) {
                    if self.selection.covers(&path) {
                        self.tree.skip_submodule(&path);
                    }
                } else if !name.starts_with('.') && self.selection.reaches(&path) && !(self.ignored)(&path) {
                    if depth >= self.limits.depth {
                        self.tree.skip_deep(&path, self.limits.depth);
                    } else {
                        self.directory(&path, depth + 1)?;
                    }
                }
            } else if Selection::names(&path) && self.selection.covers(&path) && !(self.ignored)(&path) {
                self.file(&entry, kind, &path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &fs::DirEntry, kind: fs::FileType, path: &str) -> Result<()> {
        if kind.is_symlink() {
            self.tree.skip_symlink(path);
        }
        if !kind.is_file() {
            return Ok(());
        }
        let size = entry.metadata().map_err(|e| Error::io(entry.path(), e))?.len();
        if size > self.limits.file_bytes {
            self.tree.skip_large(path, self.limits.file_bytes);
            return Ok(());
        }
        self.budget.file(self.tree.files.len(), size)?;
        let bytes = fs::read(entry.path()).map_err(|e| Error::io(entry.path(), e))?;
        self.tree.files.push(TreeFile { path: Arc::from(path), bytes: Arc::from(bytes) });
        Ok(())
    }
}

impl Repository {
    /// Reads the selected files of the working tree: tracked ones and those that are not ignored,
    /// since that is what the next commit may hold.
    ///
    /// # Errors
    /// As [`read_directory`]; [`Error::Open`] for a bare repository.
    pub fn working_tree(&self, selection: &Selection, limits: &Limits) -> Result<Tree> {
        let Some(root) = self.git.workdir() else {
            return Err(Error::Open { path: self.git.path().to_owned(), reason: "it has no working tree".to_owned() });
        };
        let index = self.git.index().map_err(|e| Error::object("the index", &e))?;
        let ignored = |path: &str| {
            // In the order of what is quick to tell.
            index.get_path(Path::new(path), 0).is_none()
                && index.find_prefix(Path::new(&format!("{path}/"))).is_err()
                && self.git.is_path_ignored(path).unwrap_or(false)
        };
        let submodule = |path: &str| index.get_path(Path::new(path), 0).is_some_and(|e| e.mode == SUBMODULE);
        Walk::over(root, selection, limits, &ignored, &submodule)
    }

    /// Reads the selected files as they are staged for the next commit.
    ///
    /// # Errors
    /// [`Error::Object`] for a damaged index, [`Error::TooLarge`] past the bounds.
    pub fn staged(&self, selection: &Selection, limits: &Limits) -> Result<Tree> {
        let index = self.git.index().map_err(|e| Error::object("the index", &e))?;
        let mut budget = Budget::new(limits, "the index".to_owned());
        let mut tree = Tree::default();
        for entry in index.iter() {
            budget.entry()?;
            let Ok(path) = String::from_utf8(entry.path) else { continue };
            if !selection.covers(&path) {
                continue;
            }
            if entry.mode == 0o120_000 {
                tree.skip_symlink(&path);
            } else if entry.mode == SUBMODULE {
                tree.skip_submodule(&path);
            } else if Selection::names(&path) {
                let blob = self.git.find_blob(entry.id).map_err(|e| Error::object(&path, &e))?;
                if blob.size() as u64 > limits.file_bytes {
                    tree.skip_large(&path, limits.file_bytes);
                    continue;
                }
                budget.file(tree.files.len(), blob.size() as u64)?;
                tree.files.push(TreeFile { path: Arc::from(path), bytes: Arc::from(blob.content()) });
            }
        }
        Ok(tree)
    }
}
