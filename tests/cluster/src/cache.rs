//! The folder that built and downloaded programs are kept in.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::binaries::Program;
use crate::go_build;
use crate::progress::Progress;
use crate::{Error, Result};

/// How the names of folders begin in which a program is not ready yet.
const WORKSHOP: &str = "making-";

/// The programs of exactly these versions, built in exactly this way.
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The subfolder of `root` that is named by a digest of all that goes into the programs, so that
    /// a change of version or flags never meets an old file.
    pub(crate) fn new(root: &Path) -> Self {
        Self::of(root, "control-plane", go_build::inputs())
    }

    /// The same for other programs than those of the control plane.
    pub(crate) fn of(root: &Path, what: &str, inputs: Vec<String>) -> Self {
        let mut digest = Sha256::new();
        for part in inputs {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let name = hex(&digest.finalize());
        Self { folder: root.join(what).join(&name[..16]) }
    }

    /// Where `program` is or will be.
    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.entry(program.name())
    }

    /// Where the file or folder of that name is or will be.
    pub(crate) fn entry(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of `program`, if it is there. Files come here whole, so being there is enough.
    pub(crate) fn get(&self, program: Program) -> Option<PathBuf> {
        Some(self.path(program)).filter(|path| path.is_file())
    }

    /// Waits until no other process builds or downloads into this folder.
    pub(crate) fn lock(&self, progress: &Progress) -> Result<File> {
        fs::create_dir_all(&self.folder).map_err(Error::io(format!("create {}", self.folder.display())))?;
        let path = self.folder.join("lock");
        let doing = format!("lock {}", path.display());
        let file = File::options().create(true).append(true).open(&path).map_err(Error::io(&doing))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                progress.line("waiting for another process that is building");
                file.lock().map_err(Error::io(&doing))?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(Error::io(&doing)(error)),
        }
        Ok(file)
    }

    /// A temporary folder on the same file system; what is ready in it is moved here by [`put`](Self::put).
    /// The caller holds the lock, so other such folders are of processes that were killed: they go.
    pub(crate) fn workshop(&self) -> Result<tempfile::TempDir> {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(WORKSHOP) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        tempfile::Builder::new()
            .prefix(WORKSHOP)
            .tempdir_in(&self.folder)
            .map_err(Error::io(format!("create a folder in {}", self.folder.display())))
    }

    /// Moves a finished program in, at once and whole.
    pub(crate) fn put(&self, program: Program, finished: &Path) -> Result<()> {
        let put = || -> io::Result<()> {
            fs::set_permissions(finished, fs::Permissions::from_mode(0o755))?;
            fs::rename(finished, self.path(program))
        };
        put().map_err(Error::io(format!("move {} into the cache", finished.display())))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
