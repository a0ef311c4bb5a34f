//! Real operators, built once and run as processes: simulated nodes run no containers.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::process::Process;
use crate::progress::Progress;
use crate::{Error, Result};

const GO_MOD: &str = include_str!("../operators/go.mod");
const GO_SUM: &str = include_str!("../operators/go.sum");
const MODULE: &str = "github.com/prometheus-operator/prometheus-operator";
const LINKER: &str = "-s -w";

/// What it would run beside a Prometheus; a build of ours knows no version of its own.
const RELOADER: &str = "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0";

/// Where its module keeps the definitions of its kinds.
const DEFINITIONS: &str = "example/prometheus-operator-crd";

const OPERATOR: &str = "prometheus-operator";
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
        let inputs = vec![GO_MOD.to_owned(), GO_SUM.to_owned(), LINKER.to_owned()];
        let cache = Cache::of(&sources.cache, "operators", inputs);
        let this = Self { program: cache.entry(OPERATOR), definitions: cache.entry(DEFINITIONS_KEPT) };
        if this.is_there() {
            return Ok(this);
        }
        let _alone = cache.lock(progress)?;
        if !this.is_there() {
            progress.line(&format!("building {OPERATOR} (once; minutes if nothing of it was built before)"));
            this.build(&Go::find(sources.search_path.as_deref())?, &cache)?;
        }
        Ok(this)
    }

    /// Its file comes last.
    fn is_there(&self) -> bool {
        self.program.is_file()
    }

    fn build(&self, go: &Go, cache: &Cache) -> Result<()> {
        let workshop = cache.workshop()?;
        let at = workshop.path();
        go_build::lay_out(at, GO_MOD, GO_SUM)?;
        let (program, definitions) = (at.join(OPERATOR), at.join(DEFINITIONS_KEPT));
        go_build::build_package(go, at, &format!("{MODULE}/cmd/operator"), LINKER, &program)?;
        let list = ["list", "-m", "-f", "{{.Dir}}", MODULE].map(OsStr::new);
        let module = go_build::run(go, at, MODULE, &list)?;
        copy_files(&Path::new(&module).join(DEFINITIONS), &definitions)?;
        let _ = fs::remove_dir_all(&self.definitions);
        for (from, to) in [(definitions, &self.definitions), (program, &self.program)] {
            fs::rename(&from, to).map_err(Error::io(format!("move {} into the cache", from.display())))?;
        }
        Ok(())
    }

    /// The definitions of its kinds, each a file's name and text.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn definitions(&self) -> Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        for path in files(&self.definitions)? {
            let text = fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            all.push((name, text));
        }
        all.sort();
        Ok(all)
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
        let process = Process::start_with(&self.program, &arguments, folder, log, &environment)?;
        Ok(RunningOperator { process })
    }
}

impl RunningOperator {
    /// The end of its log.
    pub fn log_tail(&self) -> String {
        crate::process::tail(self.process.log())
    }
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
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
