//! Reading a directory on disk, or the index of a working tree, as a commit's tree would be read.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gitward_core::evaluate::TreeFile;

use crate::tree::Budget;
use crate::{Error, Limits, Repository, Result, Selection, Tree};

/// Reads the selected files under a directory. Ignored and untracked files are read too: what lies
/// there is what the next commit may hold. Hidden directories are passed over.
///
/// # Errors
/// [`Error::Io`] for a directory or file that cannot be read, [`Error::TooLarge`] past the bounds.
pub fn read_directory(root: &Path, selection: &Selection, limits: &Limits) -> Result<Tree> {
    let mut budget = Budget::new(limits, root.display().to_string());
    let mut tree = Tree::default();
    directory(root, "", 0, selection, limits, &mut budget, &mut tree)?;
    Ok(tree)
}

fn directory(
    root: &Path,
    prefix: &str,
    depth: usize,
    selection: &Selection,
    limits: &Limits,
    budget: &mut Budget<'_>,
    tree: &mut Tree,
) -> Result<()> {
    let here = root.join(prefix);
    let entries = fs::read_dir(&here).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|e| Error::io(&here, e))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        budget.entry(depth)?;
        let name = entry.file_name();
        // A name that is no UTF-8 cannot be a manifest's that anybody could refer to.
        let Some(name) = name.to_str() else { continue };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(|e| Error::io(entry.path(), e))?;
        if kind.is_dir() {
            if !name.starts_with('.') && selection.reaches(&path) {
                directory(root, &path, depth + 1, selection, limits, budget, tree)?;
            }
        } else if kind.is_symlink() {
            if selection.covers(&path) {
                tree.skip_symlink(&path);
            }
        } else if kind.is_file() && Selection::names(&path) && selection.covers(&path) {
            let size = entry.metadata().map_err(|e| Error::io(entry.path(), e))?.len();
            if size > limits.file_bytes {
                tree.skip_large(&path, limits.file_bytes);
                continue;
            }
            budget.file(tree.files.len(), size)?;
            let bytes = fs::read(entry.path()).map_err(|e| Error::io(entry.path(), e))?;
            tree.files.push(TreeFile { path: Arc::from(path), bytes: Arc::from(bytes) });
        }
    }
    Ok(())
}

impl Repository {
    /// Reads the selected files as they are staged for the next commit.
    ///
    /// # Errors
    /// [`Error::Object`] for a damaged index, [`Error::TooLarge`] past the bounds.
    pub fn staged(&self, selection: &Selection, limits: &Limits) -> Result<Tree> {
        let index = self.git.index().map_err(|e| Error::object("the index", &e))?;
        let mut budget = Budget::new(limits, "the index".to_owned());
        let mut tree = Tree::default();
        for entry in index.iter() {
            budget.entry(0)?;
            let Ok(path) = String::from_utf8(entry.path) else { continue };
            if !selection.covers(&path) {
                continue;
            }
            if entry.mode == 0o120_000 {
                tree.skip_symlink(&path);
            } else if entry.mode != 0o160_000 && Selection::names(&path) {
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
