//! Real input from its first state to its last: sixty states of kube-prometheus, each pushed over
//! HTTP through the hooks, each brought to the cluster through a webhook that fails closed, each
//! compared with Git by means other than gitward's; then every object is edited and has to come
//! back.
//!
//! The input is no part of this repository. Without it the test counts as ignored.

mod denials;
mod edits;
mod equal;
mod figures;
mod live;
mod story;

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

/// Where the data is looked for, beside the checkout, unless `GITWARD_TEST_DATA` names a directory.
const BESIDE: &str = "../../shared/data";
const BUNDLE: &str = "kube-prometheus.bundle";

fn bundle() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join(BESIDE);
    std::env::var_os("GITWARD_TEST_DATA").map_or_else(beside, PathBuf::from).join(BUNDLE)
}

fn play(bundle: &Path) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(story::play(bundle)).map_err(Failed::from)
}

/// The test; ignored where the bundle is not there.
pub(crate) fn trial() -> Trial {
    let bundle = bundle();
    let there = bundle.is_file();
    let trial = Trial::test("every_state_converges_and_every_edit_is_reverted", move || play(&bundle));
    trial.with_ignored_flag(!there)
}
