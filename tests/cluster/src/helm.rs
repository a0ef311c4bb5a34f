//! The real Helm, built once.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::Sources;
use crate::output::Output;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::{Error, Result};

const HELM: Tool = Tool {
    folder: "helm",
    name: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    go_mod: include_str!("../helm/go.mod"),
    go_sum: include_str!("../helm/go.sum"),
    linker: LINKER,
    main: None,
    c_with_tags: None,
};

/// Helm's program.
#[derive(Debug, Clone)]
pub struct Helm(PathBuf);

impl Helm {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        HELM.provide(sources, progress, |_, _, _| Ok(())).map(|cache| Self(cache.entry(HELM.name)))
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
