//! The repositories that stories start from: most from the demo's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gitward_test_cluster::{Options, Result, Stage, WorkTree};

use crate::edits;

/// One environment of one namespace.
pub(crate) const SHOP_ALONE: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: prod, namespaces: [shop]}
";

/// The namespace, and a ConfigMap in it.
pub(crate) const SETTINGS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {open: 'yes'}
";

/// Message of the first commit.
const FIRST: &str = "The whole shop";

/// How long convergence may take.
const WITHIN: Duration = Duration::from_secs(120);

/// The binary under test.
pub(crate) fn gitward() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gitward"))
}

/// Copies the demo's repository into the work tree.
pub(crate) fn plant(stage: &Stage) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/fleet");
    copy(stage, &root, &root);
}

fn copy(stage: &Stage, root: &Path, folder: &Path) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            copy(stage, root, &path);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            stage.work.write(name, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

/// A stage with the demo's repository pushed, webhook and reconciler running, converged.
pub(crate) async fn converged() -> Result<(Stage, String)> {
    converged_with(Options::with_nodes(2), |_| Ok(())).await
}

/// The same with other options and with what `add` puts into the repository besides.
pub(crate) async fn converged_with(
    options: Options,
    add: impl FnOnce(&WorkTree) -> Result<()>,
) -> Result<(Stage, String)> {
    let mut stage = planted(options, add).await?;
    let commit = stage.open(FIRST, WITHIN).await?;
    Ok((stage, commit))
}

/// The same with the fence kept up, and administrators who may try to take it away.
pub(crate) async fn fenced_with(options: Options, add: impl FnOnce(&WorkTree) -> Result<()>) -> Result<Stage> {
    let mut stage = planted(options, add).await?;
    stage.keep_fence(true);
    edits::empower(&stage).await?;
    stage.open(FIRST, WITHIN).await?;
    stage.wait_condition("Guarded", "True", WITHIN).await?;
    Ok(stage)
}

async fn planted(options: Options, add: impl FnOnce(&WorkTree) -> Result<()>) -> Result<Stage> {
    let stage = Stage::set(gitward(), options).await?;
    stage.install_hooks()?;
    plant(&stage);
    add(&stage.work)?;
    Ok(stage)
}
