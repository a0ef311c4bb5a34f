//! The real vertical Pod autoscaler: its recommender and its updater, built once and run as processes.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::binaries::Sources;
use crate::operators::{RunningOperator, keep_files, texts_of};
use crate::process::Process;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};

const MODULE: &str = "k8s.io/autoscaler/vertical-pod-autoscaler";

const RECOMMENDER: Tool = Tool {
    folder: "vertical-pod-autoscaler",
    name: "recommender",
    package: "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender",
    go_mod: include_str!("../vertical-pod-autoscaler/go.mod"),
    go_sum: include_str!("../vertical-pod-autoscaler/go.sum"),
    linker: LINKER,
    main: None,
    c_with_tags: None,
};

const UPDATER: Tool =
    Tool { name: "updater", package: "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater", ..RECOMMENDER };

/// Where its module keeps the definitions of its kinds, beside other things.
const DEFINITIONS: &str = "deploy";

const DEFINITIONS_KEPT: &str = "definitions";

/// How often its programs look.
const INTERVAL: &str = "2s";

/// The vertical Pod autoscaler, and the definitions of its kinds.
#[derive(Debug, Clone)]
pub struct VerticalPodAutoscaler {
    recommender: PathBuf,
    updater: PathBuf,
    definitions: PathBuf,
}

impl VerticalPodAutoscaler {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let cache = RECOMMENDER.provide(sources, progress, |go, laid_out, cache| {
            keep_files(go, laid_out, cache, (&[MODULE], DEFINITIONS), DEFINITIONS_KEPT)
        })?;
        let of_updater = UPDATER.provide(sources, progress, |_, _, _| Ok(()))?;
        Ok(Self {
            recommender: cache.entry(RECOMMENDER.name),
            updater: of_updater.entry(UPDATER.name),
            definitions: cache.entry(DEFINITIONS_KEPT),
        })
    }

    /// The definitions of its kinds.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn definitions(&self) -> Result<String> {
        let texts = texts_of(&self.definitions)?.into_iter();
        Ok(texts.filter(|(name, _)| name.contains("-crd-")).map(|(_, text)| text).collect())
    }

    /// Starts the recommender with a kubeconfig; its log is `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn recommend(&self, kubeconfig: &Path, log: &Path) -> Result<RunningOperator> {
        let arguments = [format!("--recommender-interval={INTERVAL}"), "--address=127.0.0.1:0".to_owned()];
        start(&self.recommender, &arguments, kubeconfig, log)
    }

    /// Starts the updater with a kubeconfig, which waits for no admission controller; its log is `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn update(&self, kubeconfig: &Path, log: &Path) -> Result<RunningOperator> {
        let arguments = [
            format!("--updater-interval={INTERVAL}"),
            "--use-admission-controller-status=false".to_owned(),
            "--address=127.0.0.1:0".to_owned(),
        ];
        start(&self.updater, &arguments, kubeconfig, log)
    }
}

fn start(program: &Path, arguments: &[String], kubeconfig: &Path, log: &Path) -> Result<RunningOperator> {
    let mut arguments = arguments.to_vec();
    arguments.push(format!("--kubeconfig={}", kubeconfig.display()));
    let folder = log.parent().unwrap_or(Path::new("."));
    Process::start_with(program, &arguments, folder, log, &[]).map(RunningOperator::of)
}
