//! What the objects that a push changes were before it.

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::evaluate::{self, Earlier};
use gitward_repo::{CommitId, Error, Limits, Repository, Selection};

use crate::Result;
use crate::changes;

/// Files that are read one by one; of more the whole tree is read.
const FEW: usize = 500;

/// The objects of the files that differ, as the environment had them at the old commit.
///
/// # Errors
/// If the repository cannot be read.
pub(crate) fn earlier(
    repository: &Repository,
    (old, new): (&CommitId, &CommitId),
    (rules, environment): (&Configuration, &EnvironmentConfig),
    limits: &Limits,
) -> Result<Earlier> {
    let declares = |path: &str| environment.holds(path) && !evaluate::is_taken_out(rules, environment, path);
    let changed = match repository.changed_paths(old, new, changes::PATHS) {
        Err(Error::TooLarge { .. }) => None,
        changed => Some(changed?),
    };
    let few = changed.map(|changed| changed.into_iter().filter(|path| is_manifest(path) && declares(path)));
    if let Some(few) = few.map(Iterator::collect::<Vec<String>>).filter(|few| few.len() <= FEW) {
        // What cannot be read declared nothing.
        let read = |path: String| repository.file(old, &path, limits.file_bytes).ok().flatten();
        return Ok(Earlier::of(few.into_iter().filter_map(read).collect()));
    }
    let mut tree = repository.files(old, &Selection::under([environment.path.clone()]), limits)?;
    tree.files.retain(|file| is_manifest(&file.path) && declares(&file.path));
    Ok(Earlier::of(tree.files))
}

fn is_manifest(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}
