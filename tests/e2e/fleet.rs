//! The demo's repository, which most stories start from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gitward_test_cluster::{Options, Result, Stage, WorkTree};

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
    let mut stage = Stage::set(gitward(), options).await?;
    stage.install_hooks()?;
    plant(&stage);
    add(&stage.work)?;
    let (commit, pushed) = stage.push("The whole shop")?;
    assert!(pushed.success(), "{}", pushed.stderr);
    stage.create_environment().await?;
    stage.start_reconciler().await?;
    stage.start_webhook().await?;
    stage.wait_converged(&commit, Duration::from_secs(120)).await?;
    Ok((stage, commit))
}
