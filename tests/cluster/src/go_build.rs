//! Building the programs from their Go modules.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::Program;
use crate::cache::Cache;
use crate::progress::Progress;
use crate::version::{self, GO_AT_LEAST, KUBERNETES, Version};
use crate::{Error, Result};

const GO_MOD: &str = include_str!("../go.mod");
const GO_SUM: &str = include_str!("../go.sum");
const FLAGS: [&str; 2] = ["-trimpath", "-buildvcs=false"];
/// Lines kept of what a failed build printed.
const LINES_KEPT: usize = 15;

/// Everything that goes into the built files.
pub(crate) fn inputs() -> Vec<String> {
    let mut inputs = vec![GO_MOD.to_owned(), GO_SUM.to_owned(), FLAGS.join(" ")];
    inputs.extend(Program::ALL.map(linker_flags));
    inputs.push(format!("{}/{}", env::consts::OS, env::consts::ARCH));
    inputs
}

fn package(program: Program) -> &'static str {
    match program {
        Program::Etcd => "go.etcd.io/etcd/server/v3",
        Program::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
        Program::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
        Program::KubeScheduler => "k8s.io/kubernetes/cmd/kube-scheduler",
        Program::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
        Program::Kwok => "sigs.k8s.io/kwok/cmd/kwok",
        Program::Kubelet => "k8s.io/kubernetes/cmd/kubelet",
        Program::KubeProxy => "k8s.io/kubernetes/cmd/kube-proxy",
    }
}

/// Without these a Kubernetes program calls itself v0.0.0-master.
fn linker_flags(program: Program) -> String {
    let versions = match program {
        Program::Etcd | Program::Kwok => String::new(),
        _ => {
            let minor = KUBERNETES.split('.').nth(1).unwrap_or_default();
            let at = "k8s.io/component-base/version";
            format!(" -X {at}.gitVersion=v{KUBERNETES} -X {at}.gitMajor=1 -X {at}.gitMinor={minor}")
        }
    };
    format!("-s -w{versions}")
}

/// A Go toolchain that is new enough.
pub(crate) struct Go {
    program: PathBuf,
    /// Whether packages may hold C, which takes the machine's C compiler.
    with_c: bool,
    /// Build tags, separated by commas.
    tags: &'static str,
}

impl Go {
    /// Finds `go` on a search path.
    pub(crate) fn find(search_path: Option<&OsStr>) -> Result<Self> {
        let refused = |why: String| Error::GoBuild { package: "(none yet)".into(), why };
        let candidates = search_path.into_iter().flat_map(env::split_paths).map(|folder| folder.join("go"));
        let go = candidates.into_iter().find(|path| path.is_file());
        let go = go.ok_or_else(|| refused("there is no go on PATH".into()))?;
        let answer = version::ask(&go, &["version"]).unwrap_or_default();
        match Version::find(&answer) {
            Some(version) if version >= GO_AT_LEAST => Ok(Self { program: go, with_c: false, tags: "" }),
            _ => Err(refused(format!("{} is not Go 1.26 or later ({})", go.display(), answer.trim()))),
        }
    }

    /// The same toolchain, for packages that hold C and are built with these tags.
    pub(crate) fn with_c(self, tags: &'static str) -> Self {
        Self { with_c: true, tags, ..self }
    }
}

/// Builds `programs` into the cache, one after the other. The caller holds the cache's lock.
pub(crate) fn build(go: &Go, programs: &[Program], cache: &Cache, progress: &Progress) -> Result<()> {
    let workshop = cache.workshop()?;
    lay_out(workshop.path(), GO_MOD, GO_SUM)?;
    for &program in programs {
        progress.line(&format!("building {} (once; minutes if nothing of it was built before)", program.name()));
        let finished = build_one(go, program, workshop.path())?;
        cache.put(program, &finished)?;
    }
    Ok(())
}

/// Makes a folder a Go module.
pub(crate) fn lay_out(folder: &Path, go_mod: &str, go_sum: &str) -> Result<()> {
    for (name, text) in [("go.mod", go_mod), ("go.sum", go_sum)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
    }
    Ok(())
}

fn build_one(go: &Go, program: Program, module: &Path) -> Result<PathBuf> {
    let finished = module.join(program.name());
    build_package(go, module, package(program), &linker_flags(program), &finished)?;
    Ok(finished)
}

/// Builds a package of the module in `module` into the file `finished`.
pub(crate) fn build_package(go: &Go, module: &Path, package: &str, linker: &str, finished: &Path) -> Result<()> {
    let mut arguments: Vec<&OsStr> = vec![OsStr::new("build")];
    arguments.extend(FLAGS.map(OsStr::new));
    arguments.extend(["-ldflags", linker, "-o"].map(OsStr::new));
    arguments.extend([finished.as_os_str(), OsStr::new(package)]);
    run(go, module, package, &arguments).map(drop)
}

/// Runs `go` in a module; what it printed.
pub(crate) fn run(go: &Go, module: &Path, package: &str, arguments: &[&OsStr]) -> Result<String> {
    let c = if go.with_c { "1" } else { "0" };
    let flags = if go.tags.is_empty() { String::new() } else { format!("-tags={}", go.tags) };
    let output = Command::new(&go.program)
        .current_dir(module)
        .args(arguments)
        // The user's own settings for Go work (workspace, vendoring, cross-compilation) are not for this module.
        .envs([("GOFLAGS", flags.as_str()), ("GOWORK", "off"), ("CGO_ENABLED", c), ("GOTOOLCHAIN", "local")])
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .output()
        .map_err(Error::io(format!("run {}", go.program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    let why = lines[lines.len().saturating_sub(LINES_KEPT)..].join("\n");
    Err(Error::GoBuild { package: package.into(), why })
}
