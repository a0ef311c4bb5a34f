//! Programs that judge manifests as gitward does, built once, for benchmarks side by side.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::operators::copy_files;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::version::KUBERNETES;
use crate::{Error, Result};

const GO_MOD: &str = include_str!("../peers/go.mod");
const GO_SUM: &str = include_str!("../peers/go.sum");

const CONFTEST: Tool = Tool {
    folder: "peers",
    name: "conftest",
    package: "github.com/open-policy-agent/conftest",
    go_mod: GO_MOD,
    go_sum: GO_SUM,
    linker: LINKER,
    main: None,
    c_with_tags: None,
};

const KUBECONFORM: Tool =
    Tool { name: "kubeconform", package: "github.com/yannh/kubeconform/cmd/kubeconform", ..CONFTEST };

/// Where Kubernetes' own module keeps what its API server says of all kinds.
const OPENAPI: &str = "api/openapi-spec/v3";

const OPENAPI_KEPT: &str = "openapi";

/// Programs that judge manifests, and the descriptions of Kubernetes' kinds.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Evaluates Rego policies.
    pub conftest: PathBuf,
    /// Validates against schemas.
    pub kubeconform: PathBuf,
    /// A directory of OpenAPI documents, one for each group and version of Kubernetes.
    pub openapi: PathBuf,
}

impl Peers {
    /// Builds them, unless they were built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go, or a module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let conftest = CONFTEST.provide(sources, progress, |_, _, _| Ok(()))?.entry(CONFTEST.name);
        let cache = KUBECONFORM.provide(sources, progress, keep_openapi)?;
        Ok(Self { conftest, kubeconform: cache.entry(KUBECONFORM.name), openapi: cache.entry(OPENAPI_KEPT) })
    }
}

/// Copies the descriptions out of Go's own cache.
fn keep_openapi(go: &Go, laid_out: &Path, cache: &Cache) -> Result<()> {
    let module = format!("k8s.io/kubernetes@v{KUBERNETES}");
    let answer = go_build::run(go, laid_out, &module, &["mod", "download", "-json", &module].map(OsStr::new))?;
    let unclear = || Error::GoBuild { package: module.clone(), why: "go mod download did not say where it is".into() };
    let answer: serde_json::Value = serde_json::from_str(&answer).map_err(|_| unclear())?;
    let directory = answer["Dir"].as_str().ok_or_else(unclear)?;
    let (copies, kept) = (laid_out.join(OPENAPI_KEPT), cache.entry(OPENAPI_KEPT));
    copy_files(&Path::new(directory).join(OPENAPI), &copies)?;
    let _ = fs::remove_dir_all(&kept);
    fs::rename(&copies, &kept).map_err(Error::io(format!("move {} into the cache", copies.display())))
}
