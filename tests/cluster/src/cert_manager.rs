//! The real cert-manager: its controllers and its CA injector, built once and run as processes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::operators::{RunningOperator, copy_files, texts_of};
use crate::process::Process;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::{Error, Result};

const MODULE: &str = "github.com/cert-manager/cert-manager";

const CERT_MANAGER: Tool = Tool {
    folder: "cert-manager",
    name: "cert-manager",
    package: ".",
    go_mod: include_str!("../cert-manager/go.mod"),
    go_sum: include_str!("../cert-manager/go.sum"),
    linker: LINKER,
    main: Some(include_str!("../cert-manager/main.go")),
    c_with_tags: None,
};

/// Where its module keeps the definitions of its kinds.
const DEFINITIONS: &str = "deploy/crds";

/// cert-manager, and the definitions of its kinds.
#[derive(Debug, Clone)]
pub struct CertManager {
    program: PathBuf,
    definitions: PathBuf,
}

/// One of its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Issues what Certificates ask for.
    Controller,
    /// Puts CA bundles where annotations ask for them.
    CaInjector,
}

impl CertManager {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let cache = CERT_MANAGER.provide(sources, progress, keep_definitions)?;
        Ok(Self { program: cache.entry(CERT_MANAGER.name), definitions: cache.entry("definitions") })
    }

    /// The definitions of its kinds, each a file's name and text.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn definitions(&self) -> Result<Vec<(String, String)>> {
        let texts = texts_of(&self.definitions)?;
        Ok(texts.into_iter().filter(|(name, _)| name.ends_with(".yaml")).collect())
    }

    /// Starts one of its programs with a kubeconfig; its log is `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(&self, part: Part, kubeconfig: &Path, log: &Path) -> Result<RunningOperator> {
        let part = match part {
            Part::Controller => "controller",
            Part::CaInjector => "cainjector",
        };
        let arguments = [part.to_owned(), kubeconfig.display().to_string()];
        let folder = log.parent().unwrap_or(Path::new("."));
        Process::start_with(&self.program, &arguments, folder, log, &[]).map(RunningOperator::of)
    }
}

/// Copies the definitions out of Go's own cache.
fn keep_definitions(go: &Go, laid_out: &Path, cache: &Cache) -> Result<()> {
    let list = ["list", "-m", "-f", "{{.Dir}}", MODULE].map(OsStr::new);
    let module = go_build::run(go, laid_out, MODULE, &list)?;
    let (copies, kept) = (laid_out.join("definitions"), cache.entry("definitions"));
    copy_files(&Path::new(&module).join(DEFINITIONS), &copies)?;
    let _ = fs::remove_dir_all(&kept);
    fs::rename(&copies, &kept).map_err(Error::io(format!("move {} into the cache", copies.display())))
}
