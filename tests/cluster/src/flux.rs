//! The real Flux: its source-controller and its kustomize-controller, built once and run as processes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Sources;
use crate::operators::{RunningOperator, keep_files, texts_of};
use crate::process::Process;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::{Error, Result, ports};

const SOURCES: Tool = Tool {
    folder: "flux",
    name: "source-controller",
    package: "github.com/fluxcd/source-controller",
    go_mod: include_str!("../flux/go.mod"),
    go_sum: include_str!("../flux/go.sum"),
    linker: LINKER,
    main: None,
    c_with_tags: None,
};

const KUSTOMIZATIONS: Tool =
    Tool { name: "kustomize-controller", package: "github.com/fluxcd/kustomize-controller", ..SOURCES };

/// Where their modules keep the definitions of their kinds.
const DEFINITIONS: &str = "config/crd/bases";

const DEFINITIONS_KEPT: &str = "definitions";

/// The namespace that both controllers believe to be theirs.
const NAMESPACE: &str = "flux-system";

/// Flux, and the definitions of its kinds.
#[derive(Debug, Clone)]
pub struct Flux {
    sources: PathBuf,
    kustomizations: PathBuf,
    definitions: PathBuf,
}

/// Its controllers, which run until this is dropped.
#[derive(Debug)]
pub struct RunningFlux {
    sources: RunningOperator,
    kustomizations: RunningOperator,
}

impl Flux {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or a module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let first = SOURCES.provide(sources, progress, |_, _, _| Ok(()))?.entry(SOURCES.name);
        let cache = KUSTOMIZATIONS.provide(sources, progress, |go, laid_out, cache| {
            let modules = [SOURCES.package, KUSTOMIZATIONS.package];
            keep_files(go, laid_out, cache, (&modules, DEFINITIONS), DEFINITIONS_KEPT)
        })?;
        Ok(Self {
            sources: first,
            kustomizations: cache.entry(KUSTOMIZATIONS.name),
            definitions: cache.entry(DEFINITIONS_KEPT),
        })
    }

    /// The definitions of its kinds, each a file's name and text.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn definitions(&self) -> Result<Vec<(String, String)>> {
        texts_of(&self.definitions)
    }

    /// Starts both controllers for all namespaces, each with the kubeconfig of its own account; what they
    /// keep and their logs go into `folder`.
    ///
    /// # Errors
    /// Where there is no port for what they hand to each other, or one cannot be started.
    pub fn start(&self, of_sources: &Path, of_kustomizations: &Path, folder: &Path) -> Result<RunningFlux> {
        let handed_over_at = format!("127.0.0.1:{}", ports::free()?);
        let kept = folder.join("flux-sources");
        fs::create_dir_all(&kept).map_err(Error::io(format!("create {}", kept.display())))?;
        let arguments = [
            format!("--storage-path={}", kept.display()),
            format!("--storage-addr={handed_over_at}"),
            format!("--storage-adv-addr={handed_over_at}"),
        ];
        let sources = start(&self.sources, SOURCES.name, &arguments, of_sources, folder)?;
        let kustomizations = start(&self.kustomizations, KUSTOMIZATIONS.name, &[], of_kustomizations, folder)?;
        Ok(RunningFlux { sources, kustomizations })
    }
}

impl RunningFlux {
    /// The ends of both logs.
    pub fn log_tails(&self) -> String {
        format!("{}\n{}", self.sources.log_tail(), self.kustomizations.log_tail())
    }
}

fn start(
    program: &Path,
    name: &str,
    arguments: &[String],
    kubeconfig: &Path,
    folder: &Path,
) -> Result<RunningOperator> {
    // What it holds for a moment; it clears away what its like left behind there, also another test's.
    let passing = folder.join(format!("{name}-passing"));
    fs::create_dir_all(&passing).map_err(Error::io(format!("create {}", passing.display())))?;
    let nowhere = ["--metrics-addr=0", "--health-addr=0", "--events-addr="].map(str::to_owned);
    let arguments = [&nowhere, arguments].concat();
    let environment = [
        ("KUBECONFIG", kubeconfig.as_os_str()),
        ("RUNTIME_NAMESPACE", OsStr::new(NAMESPACE)),
        ("TMPDIR", passing.as_os_str()),
    ];
    let log = folder.join(format!("{name}.log"));
    Process::start_with(program, &arguments, folder, &log, &environment).map(RunningOperator::of)
}
