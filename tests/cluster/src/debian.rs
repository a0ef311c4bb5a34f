//! Programs of Debian's packages, taken apart into the cache without installing anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::output::Output;
use crate::progress::Progress;
use crate::{Error, Result};

/// The name of the folder of the cache that the packages are taken apart in.
const ROOT: &str = "root";

/// The files of some packages, below a folder of the cache that stands for `/`.
#[derive(Clone, Debug)]
pub struct Debian {
    root: PathBuf,
}

impl Debian {
    /// Fetches `packages` with `apt-get`, unless the same ones were fetched before. What they depend on
    /// is not fetched: name what a machine may lack. `finish` gets the folder that the files are in and
    /// the one that they will be in. Blocks; concurrent callers fetch once.
    ///
    /// # Errors
    /// Where `apt-get` or `dpkg` is not there or fails.
    pub fn provide(
        packages: &[&str],
        sources: &Sources,
        progress: &Progress,
        finish: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<Self> {
        let cache = Cache::of(&sources.cache, "debian", packages.iter().map(|name| (*name).to_owned()).collect());
        let root = cache.entry(ROOT);
        if root.is_dir() {
            return Ok(Self { root });
        }
        let alone = cache.lock(progress)?;
        if !root.is_dir() {
            progress.line(&format!("fetching Debian's {} (once)", packages.join(", ")));
            let workshop = cache.workshop()?;
            download(packages, workshop.path())?;
            let made = workshop.path().join(ROOT);
            take_apart(workshop.path(), &made)?;
            finish(&made, &root)?;
            fs::rename(&made, &root).map_err(Error::io(format!("move {} into the cache", made.display())))?;
        }
        drop(alone);
        Ok(Self { root })
    }

    /// Where the file of the packages is that would be at this path without its leading slash.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The folders of libraries, as `LD_LIBRARY_PATH` takes them.
    pub fn libraries(&self) -> String {
        let within = |at: &str| fs::read_dir(self.root.join(at)).ok().into_iter().flatten().flatten();
        let folders = within("usr/lib").chain(within("lib")).map(|entry| entry.path()).filter(|path| path.is_dir());
        folders.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
    }
}

fn download(packages: &[&str], folder: &Path) -> Result<()> {
    let fetch = || run(Command::new("apt-get").arg("download").args(packages).current_dir(folder));
    if fetch().is_err() {
        // Its lists may be old, or not there at all.
        run(Command::new("apt-get").arg("update"))?;
        fetch()?;
    }
    Ok(())
}

fn take_apart(folder: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(format!("read {}", folder.display())))?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(entry.path()).arg(root))?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let words = format!("{command:?}");
    let output = command.output().map_err(Error::io(&words))?;
    Output::new(words, output).checked().map(drop)
}
