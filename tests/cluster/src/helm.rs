//! The real Helm, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::output::Output;
use crate::progress::Progress;
use crate::{Error, Result};

const GO_MOD: &str = include_str!("../helm/go.mod");
const GO_SUM: &str = include_str!("../helm/go.sum");
const PACKAGE: &str = "helm.sh/helm/v3/cmd/helm";
const LINKER: &str = "-s -w";
const HELM: &str = "helm";

/// Helm's program.
#[derive(Debug, Clone)]
pub struct Helm(PathBuf);

impl Helm {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let platform = format!("{}/{}", env::consts::OS, env::consts::ARCH);
        let inputs = vec![GO_MOD.to_owned(), GO_SUM.to_owned(), LINKER.to_owned(), platform];
        let cache = Cache::of(&sources.cache, "helm", inputs);
        let program = cache.entry(HELM);
        if program.is_file() {
            return Ok(Self(program));
        }
        let _alone = cache.lock(progress)?;
        if !program.is_file() {
            progress.line(&format!("building {HELM} (once; minutes if nothing of it was built before)"));
            let go = Go::find(sources.search_path.as_deref())?;
            let workshop = cache.workshop()?;
            go_build::lay_out(workshop.path(), GO_MOD, GO_SUM)?;
            let finished = workshop.path().join(HELM);
            go_build::build_package(&go, workshop.path(), PACKAGE, LINKER, &finished)?;
            fs::rename(&finished, &program).map_err(Error::io("move helm into the cache"))?;
        }
        Ok(Self(program))
    }

    /// Runs it to its end with a kubeconfig; what it keeps besides goes into `folder`, and nothing of the
    /// user's own settings counts.
    ///
    /// # Errors
    /// If it cannot be run; that it fails is in the [`Output`].
    pub fn run(&self, kubeconfig: &Path, folder: &Path, arguments: &[&str]) -> Result<Output> {
        let mut helm = Command::new(&self.0);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("HELM_") {
                helm.env_remove(name);
            }
        }
        helm.args(arguments).env("KUBECONFIG", kubeconfig);
        for (name, of) in [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")] {
            helm.env(name, folder.join("helm").join(of));
        }
        let command = format!("helm {}", arguments.join(" "));
        let output = helm.output().map_err(Error::io(format!("run {command}")))?;
        Ok(Output::new(command, output))
    }
}
