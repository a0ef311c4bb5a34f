//! Where the programs of a control plane come from.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::download::{self, Mirrors};
use crate::go_build::{self, Go};
use crate::progress::Progress;
use crate::version;
use crate::{Error, Result};

/// What to do when a program cannot be had.
pub(crate) const HELP: &str = "install Go 1.26 or later (the programs are then built once and kept), or put \
etcd 3.5 or later, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl of Kubernetes 1.36, and kwok \
0.6 or later, on PATH or into the folder that KUBEBUILDER_ASSETS names, or name a reachable mirror in \
GITWARD_KUBE_MIRROR, GITWARD_ETCD_MIRROR and GITWARD_KWOK_MIRROR";

/// A program of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// The store.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The built-in controllers.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// The command line client.
    Kubectl,
    /// Simulated nodes.
    Kwok,
    /// What runs Pods on a real node.
    Kubelet,
    /// What leads Services to Pods on a real node.
    KubeProxy,
}

impl Program {
    /// Every program.
    pub const ALL: [Program; 8] = [
        Program::Etcd,
        Program::KubeApiserver,
        Program::KubeControllerManager,
        Program::KubeScheduler,
        Program::Kubectl,
        Program::Kwok,
        Program::Kubelet,
        Program::KubeProxy,
    ];

    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Program::Etcd => "etcd",
            Program::KubeApiserver => "kube-apiserver",
            Program::KubeControllerManager => "kube-controller-manager",
            Program::KubeScheduler => "kube-scheduler",
            Program::Kubectl => "kubectl",
            Program::Kwok => "kwok",
            Program::Kubelet => "kubelet",
            Program::KubeProxy => "kube-proxy",
        }
    }
}

/// Where programs are looked for, in this order: the assets folder, the search path, the cache;
/// then built into the cache, or downloaded into it.
#[derive(Clone, Debug)]
pub struct Sources {
    /// A folder of programs (`KUBEBUILDER_ASSETS`).
    pub assets: Option<PathBuf>,
    /// A search path in the form of `PATH`. It is also where `go` is looked for.
    pub search_path: Option<OsString>,
    /// The folder that what was built or downloaded is kept in.
    pub cache: PathBuf,
    /// Where to download from if building is not possible.
    pub mirrors: Mirrors,
}

impl Sources {
    /// The sources that the environment names: `KUBEBUILDER_ASSETS`, `PATH`, `GITWARD_CACHE` (else
    /// `gitward` in `XDG_CACHE_HOME` or in `~/.cache`), and the mirrors.
    pub fn from_env() -> Self {
        Self {
            assets: non_empty("KUBEBUILDER_ASSETS").map(PathBuf::from),
            search_path: non_empty("PATH"),
            cache: cache_folder(),
            mirrors: Mirrors::from_env(),
        }
    }
}

fn non_empty(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}

fn cache_folder() -> PathBuf {
    non_empty("GITWARD_CACHE")
        .map(PathBuf::from)
        .or_else(|| non_empty("XDG_CACHE_HOME").map(|home| PathBuf::from(home).join("gitward")))
        .or_else(|| non_empty("HOME").map(|home| PathBuf::from(home).join(".cache/gitward")))
        .unwrap_or_else(|| env::temp_dir().join("gitward-cache"))
}

/// The programs, each at a path that can be run.
#[derive(Clone, Debug)]
pub struct Binaries(BTreeMap<Program, PathBuf>);

impl Binaries {
    /// Finds `needed` in `sources`, and builds or downloads what is nowhere. Building all of them
    /// takes minutes; `progress` gets a line before each. Blocks; concurrent callers, in whatever
    /// process, build once.
    ///
    /// # Errors
    /// [`Error::NoProgram`], which says what to install.
    pub fn provide(needed: &[Program], sources: &Sources, progress: &Progress) -> Result<Self> {
        let cache = Cache::new(&sources.cache);
        let mut found = BTreeMap::new();
        let mut missing = Vec::new();
        for &program in needed {
            match find(program, sources, &cache) {
                Some(path) => drop(found.insert(program, path)),
                None => missing.push(program),
            }
        }
        if !missing.is_empty() {
            make(&missing, sources, &cache, progress)?;
            found.extend(missing.into_iter().map(|program| (program, cache.path(program))));
        }
        Ok(Self(found))
    }

    /// Where `program` is.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it was not among those asked for.
    pub fn path(&self, program: Program) -> Result<&Path> {
        self.0
            .get(&program)
            .map(PathBuf::as_path)
            .ok_or_else(|| Error::Invalid(format!("{} was not asked for", program.name())))
    }
}

fn find(program: Program, sources: &Sources, cache: &Cache) -> Option<PathBuf> {
    let folders = sources.assets.iter().cloned();
    let folders = folders.chain(sources.search_path.iter().flat_map(env::split_paths));
    folders
        .map(|folder| folder.join(program.name()))
        .find(|path| path.is_file() && version::is_suitable(program, path))
        .or_else(|| cache.get(program))
}

fn make(missing: &[Program], sources: &Sources, cache: &Cache, progress: &Progress) -> Result<()> {
    let _alone = cache.lock(progress)?;
    // Whoever held the lock before may have made them.
    let missing: Vec<Program> = missing.iter().copied().filter(|&program| cache.get(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let built = Go::find(sources.search_path.as_deref()).and_then(|go| go_build::build(&go, &missing, cache, progress));
    let Err(not_built) = built else { return Ok(()) };
    progress.line(&format!("cannot build ({}); downloading instead", first_line(&not_built)));
    let missing: Vec<Program> = missing.into_iter().filter(|&program| cache.get(program).is_none()).collect();
    download::download(&missing, &sources.mirrors, cache, progress).map_err(|not_downloaded| Error::NoProgram {
        missing: missing.iter().map(|program| program.name()).collect::<Vec<_>>().join(", "),
        why: format!("not found; building: {not_built}; downloading: {not_downloaded}"),
    })
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
