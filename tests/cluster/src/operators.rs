//! Real operators, built once and run as processes: simulated nodes run no containers.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::process::Process;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::{Error, Result};

const MODULE: &str = "github.com/prometheus-operator/prometheus-operator";

const OPERATOR: Tool = Tool {
    folder: "operators",
    name: "prometheus-operator",
    package: "github.com/prometheus-operator/prometheus-operator/cmd/operator",
    go_mod: include_str!("../operators/go.mod"),
    go_sum: include_str!("../operators/go.sum"),
    linker: LINKER,
    main: None,
    c_with_tags: None,
};

/// What it would run beside a Prometheus; a build of ours knows no version of its own.
const RELOADER: &str = "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0";

/// Where its module keeps the definitions of its kinds.
const DEFINITIONS: &str = "example/prometheus-operator-crd";

const DEFINITIONS_KEPT: &str = "prometheus-operator-definitions";

/// The prometheus-operator, and the definitions of its kinds.
#[derive(Debug, Clone)]
pub struct PrometheusOperator {
    program: PathBuf,
    definitions: PathBuf,
}

/// An operator that runs until this is dropped.
#[derive(Debug)]
pub struct RunningOperator {
    process: Process,
}

impl PrometheusOperator {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let cache = OPERATOR.provide(sources, progress, |go, laid_out, cache| {
            keep_files(go, laid_out, cache, (&[MODULE], DEFINITIONS), DEFINITIONS_KEPT)
        })?;
        Ok(Self { program: cache.entry(OPERATOR.name), definitions: cache.entry(DEFINITIONS_KEPT) })
    }

    /// The definitions of its kinds, each a file's name and text.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn definitions(&self) -> Result<Vec<(String, String)>> {
        texts_of(&self.definitions)
    }

    /// Starts it with a kubeconfig, for the resources of one namespace; its log is `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(&self, kubeconfig: &Path, namespace: &str, log: &Path) -> Result<RunningOperator> {
        let arguments = [
            format!("--namespaces={namespace}"),
            format!("--prometheus-config-reloader={RELOADER}"),
            "--kubelet-endpoints=false".to_owned(),
            "--web.listen-address=127.0.0.1:0".to_owned(),
        ];
        let folder = log.parent().unwrap_or(Path::new("."));
        let environment = [("KUBECONFIG", kubeconfig.as_os_str())];
        Process::start_with(&self.program, &arguments, folder, log, &environment).map(RunningOperator::of)
    }
}

impl RunningOperator {
    pub(crate) fn of(process: Process) -> Self {
        Self { process }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        crate::process::tail(self.process.log())
    }
}

/// Copies the files in a folder of each of some modules out of Go's own cache, under a name of their own.
pub(crate) fn keep_files(
    go: &Go,
    laid_out: &Path,
    cache: &Cache,
    (modules, folder): (&[&str], &str),
    kept: &str,
) -> Result<()> {
    let (copies, kept) = (laid_out.join(kept), cache.entry(kept));
    for module in modules {
        let list = ["list", "-m", "-f", "{{.Dir}}", module].map(OsStr::new);
        let found = go_build::run(go, laid_out, module, &list)?;
        copy_files(&Path::new(&found).join(folder), &copies)?;
    }
    let _ = fs::remove_dir_all(&kept);
    fs::rename(&copies, &kept).map_err(Error::io(format!("move {} into the cache", copies.display())))
}

/// The files of a folder, each its name and text, by name.
pub(crate) fn texts_of(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for path in files(folder)? {
        let text = fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
        all.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
    }
    all.sort();
    Ok(all)
}

pub(crate) fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io(format!("create {}", to.display())))?;
    for path in files(from)? {
        // The copy may be written, unlike what is in Go's own cache.
        let text = fs::read(&path).map_err(Error::io(format!("read {}", path.display())))?;
        let copy = to.join(path.file_name().unwrap_or_default());
        fs::write(&copy, text).map_err(Error::io(format!("write {}", copy.display())))?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = format!("read {}", folder.display());
    let entries = fs::read_dir(folder).map_err(Error::io(&doing))?;
    entries.map(|entry| entry.map(|e| e.path()).map_err(Error::io(&doing))).collect()
}
