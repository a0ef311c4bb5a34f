//! Programs beside the control plane that tests need, each built once from a Go module of its own.

use std::path::Path;
use std::{env, fs};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::progress::Progress;
use crate::{Error, Result};

/// What the linker is told of a program that has no version to be told.
pub(crate) const LINKER: &str = "-s -w";

/// A program and where it comes from.
pub(crate) struct Tool {
    /// The subfolder of the cache.
    pub(crate) folder: &'static str,
    /// The name of its file.
    pub(crate) name: &'static str,
    /// The package that it is built from.
    pub(crate) package: &'static str,
    pub(crate) go_mod: &'static str,
    pub(crate) go_sum: &'static str,
    /// Flags of the linker.
    pub(crate) linker: &'static str,
    /// The text of `main.go`, where the module is a program of its own.
    pub(crate) main: Option<&'static str>,
    /// Its build tags, separated by commas, where it holds C: the machine's C compiler is needed then.
    pub(crate) c_with_tags: Option<&'static str>,
}

impl Tool {
    /// The cache with the program in it, built unless it was before. `beside` puts into the cache what
    /// else is needed of the module, which is laid out in the folder that it gets; the program's own file
    /// comes last.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub(crate) fn provide(
        &self,
        sources: &Sources,
        progress: &Progress,
        beside: impl FnOnce(&Go, &Path, &Cache) -> Result<()>,
    ) -> Result<Cache> {
        let platform = format!("{}/{}", env::consts::OS, env::consts::ARCH);
        let mut inputs = vec![self.go_mod.to_owned(), self.go_sum.to_owned(), self.linker.to_owned(), platform];
        inputs.extend(self.main.map(str::to_owned));
        inputs.extend(self.c_with_tags.map(str::to_owned));
        let cache = Cache::of(&sources.cache, self.folder, inputs);
        let program = cache.entry(self.name);
        if program.is_file() {
            return Ok(cache);
        }
        let alone = cache.lock(progress)?;
        if !program.is_file() {
            progress.line(&format!("building {} (once; minutes if nothing of it was built before)", self.name));
            let go = Go::find(sources.search_path.as_deref())?;
            let go = self.c_with_tags.into_iter().fold(go, Go::with_c);
            let workshop = cache.workshop()?;
            go_build::lay_out(workshop.path(), self.go_mod, self.go_sum)?;
            if let Some(main) = self.main {
                let path = workshop.path().join("main.go");
                fs::write(&path, main).map_err(Error::io(format!("write {}", path.display())))?;
            }
            let finished = workshop.path().join(self.name);
            go_build::build_package(&go, workshop.path(), self.package, self.linker, &finished)?;
            beside(&go, workshop.path(), &cache)?;
            fs::rename(&finished, &program).map_err(Error::io(format!("move {} into the cache", self.name)))?;
        }
        drop(alone);
        Ok(cache)
    }
}
