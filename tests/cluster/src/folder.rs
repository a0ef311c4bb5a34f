//! The temporary folder of a control plane, which goes even if its owner is killed.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{Error, Result};

/// The folder of a control plane. A lock on it shows that its owner lives.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    _alive: File,
}

const FOLDER_PREFIX: &str = "gitward-control-plane-";
const ALIVE: &str = "alive";
/// A folder this young may not have its lock yet.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

impl Folder {
    /// A new, empty one; those of processes that were killed are removed.
    pub(crate) fn new() -> Result<Self> {
        remove_what_the_dead_left();
        let mut builder = tempfile::Builder::new();
        let folder = builder.prefix(FOLDER_PREFIX).tempdir().map_err(Error::io("create a temporary folder"))?;
        let path = folder.path().join(ALIVE);
        let alive = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let alive = alive.map_err(Error::io(format!("lock {}", path.display())))?;
        Ok(Self { folder, _alive: alive })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A process that was killed could not remove its folders; the next one does.
fn remove_what_the_dead_left() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    let ours = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX));
    for folder in ours.map(|entry| entry.path()) {
        let alive = folder.join(ALIVE);
        let made = fs::metadata(&alive).and_then(|metadata| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
        let settled = made.elapsed().is_ok_and(|age| age > SETTLED_AFTER);
        let free = || File::open(&alive).is_ok_and(|file| file.try_lock().is_ok());
        if settled && free() {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}
