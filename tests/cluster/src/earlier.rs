//! The API server of the release before, for stories of an upgrade. Only these ask for it, and only then it is built.

use std::path::PathBuf;

use crate::binaries::{Program, Sources};
use crate::progress::Progress;
use crate::tool::Tool;
use crate::{Error, Result};

/// The Kubernetes release that clusters are upgraded from, without the `v`.
pub const KUBERNETES_BEFORE: &str = "1.35.3";

/// Without its version the program would call itself v0.0.0-master.
const API_SERVER: Tool = Tool {
    folder: "earlier",
    name: "kube-apiserver",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    go_mod: include_str!("../earlier/go.mod"),
    go_sum: include_str!("../earlier/go.sum"),
    linker: "-s -w -X k8s.io/component-base/version.gitVersion=v1.35.3 \
             -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35",
    main: None,
    c_with_tags: None,
};

/// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
///
/// # Errors
/// Where there is no Go, or the module cannot be fetched or built.
pub(crate) async fn provide(sources: &Sources, progress: &Progress) -> Result<PathBuf> {
    let (sources, progress) = (sources.clone(), progress.clone());
    let build = move || API_SERVER.provide(&sources, &progress, |_, _, _| Ok(()));
    let built = tokio::task::spawn_blocking(build).await;
    let cache = built.map_err(|error| Error::Invalid(format!("building kube-apiserver: {error}")))??;
    Ok(cache.entry(Program::KubeApiserver.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_go_mod() {
        assert!(API_SERVER.go_mod.contains(&format!("k8s.io/kubernetes v{KUBERNETES_BEFORE}")));
        assert!(API_SERVER.linker.contains(&format!("gitVersion=v{KUBERNETES_BEFORE} ")));
        let minor = KUBERNETES_BEFORE.split('.').nth(1).unwrap();
        assert!(API_SERVER.linker.ends_with(&format!("gitMinor={minor}")));
    }
}
