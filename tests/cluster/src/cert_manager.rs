//! The real cert-manager: its controllers and its CA injector, built once and run as processes.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::binaries::Sources;
use crate::operators::{RunningOperator, keep_files, texts_of};
use crate::process::Process;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};

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

const DEFINITIONS_KEPT: &str = "definitions";

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
        let cache = CERT_MANAGER.provide(sources, progress, |go, laid_out, cache| {
            keep_files(go, laid_out, cache, (&[MODULE], DEFINITIONS), DEFINITIONS_KEPT)
        })?;
        Ok(Self { program: cache.entry(CERT_MANAGER.name), definitions: cache.entry(DEFINITIONS_KEPT) })
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
