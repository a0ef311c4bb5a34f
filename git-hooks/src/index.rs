//! The index: for each environment what its last accepted tree said, file by file, in the repository's own
//! directory. With it a push is judged by the files that it changes; without it by all of them, with the
//! same verdict.
//!
//! Nothing in it is believed that cannot be checked: see [`gitward_core::evaluate::Memory`]. It is written
//! when refs have moved, never before, and read by whoever judges next. Taking it away costs time alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gitward_repo::Repository;
use tempfile::NamedTempFile;

/// Where it is, below the repository's own directory.
const DIRECTORY: &str = "gitward/index";

/// Bytes of an environment's index; what would be larger is not kept.
const LARGEST: u64 = 128 << 20;

/// Environments that are kept, at most; those longest unused go first.
const MOST: usize = 32;

/// When a file that somebody began to write and left is taken away.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// The indexes of a repository.
#[derive(Debug, Clone)]
pub struct Index {
    directory: Option<PathBuf>,
}

impl Index {
    /// None at all: everything is looked at.
    pub fn none() -> Self {
        Self { directory: None }
    }

    /// Those of a repository.
    pub fn of(repository: &Repository) -> Self {
        Self { directory: Some(repository.git_dir().join(DIRECTORY)) }
    }

    /// The bytes that are kept for an environment, if there are any that can be read and are nobody
    /// else's to write.
    pub(crate) fn read(&self, environment: &str) -> Option<Vec<u8>> {
        let path = place(self.directory.as_ref()?, environment);
        // Neither a link nor a pipe is followed or waited for.
        let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
        let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path).ok()?;
        let size = trusted(&file).filter(|size| *size <= LARGEST)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?);
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Keeps bytes for an environment, in the place of what was kept before. Whoever reads meanwhile
    /// reads either the one or the other.
    pub(crate) fn write(&self, environment: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other("it would be too large to be kept"));
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(bytes)?;
        file.persist(place(directory, environment))?;
        tidy(directory)
    }
}

/// Environments may be called anything.
fn place(directory: &Path, environment: &str) -> PathBuf {
    directory.join(blake3::hash(environment.as_bytes()).to_hex().as_str())
}

/// The size of a regular file that is this account's, or the superuser's, and that nobody else may write.
fn trusted(file: &File) -> Option<u64> {
    let about = file.metadata().ok()?;
    let is_ours = [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    (about.is_file() && is_ours && about.mode() & 0o022 == 0).then_some(about.len())
}

/// Takes away what was abandoned, and of the rest the oldest, if there are too many.
fn tidy(directory: &Path) -> io::Result<()> {
    let mut kept: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(written) = entry.metadata().and_then(|about| about.modified()) else { continue };
        let is_finished = entry.file_name().len() == blake3::OUT_LEN * 2;
        if is_finished {
            kept.push((written, entry.path()));
        } else if written.elapsed().is_ok_and(|age| age > ABANDONED) {
            fs::remove_file(entry.path())?;
        }
    }
    kept.sort();
    for (_, path) in kept.iter().rev().skip(MOST) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn index() -> (tempfile::TempDir, Index) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index { directory: Some(folder.path().join("index")) };
        (folder, index)
    }

    #[test]
    fn what_is_kept_last_is_read_and_names_lead_nowhere_else() {
        let (folder, index) = index();
        assert_eq!(index.read("prod"), None);
        for bytes in [b"one", b"two"] {
            index.write("prod", bytes).unwrap();
            index.write("../../prod", b"other").unwrap();
            assert_eq!(index.read("prod").as_deref(), Some(&bytes[..]));
        }
        assert_eq!(fs::read_dir(folder.path().join("index")).unwrap().count(), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(Index::none().read("prod"), None);
    }

    #[test]
    fn a_file_that_others_may_write_and_a_link_are_not_read() {
        let (folder, index) = index();
        index.write("prod", b"kept").unwrap();
        let path = place(index.directory.as_ref().unwrap(), "prod");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(index.read("prod"), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(index.read("prod").is_some());
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(index.read("prod"), None);
    }

    #[test]
    fn there_are_never_many() {
        let (_folder, index) = index();
        for n in 0..MOST + 10 {
            index.write(&n.to_string(), b"kept").unwrap();
        }
        assert_eq!(fs::read_dir(index.directory.as_ref().unwrap()).unwrap().count(), MOST);
        assert!(index.read(&(MOST + 9).to_string()).is_some());
    }
}
