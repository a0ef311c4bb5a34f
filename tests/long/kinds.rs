//! Every kind: what the API server makes of a declared object is known, field by field, so that
//! whatever else is written into it stands out.
//!
//! The manifests are no part of this repository. Without them the test counts as ignored.

mod data;
mod edits;
mod generate;
mod relearning;
mod requests;
mod rounds;
mod schema;
mod story;
mod tally;
mod view;

use libtest_mimic::{Failed, Trial};

/// What went otherwise than it should, in words.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The test; ignored where the manifests are not there.
pub(crate) fn trial() -> Trial {
    let folder = data::folder();
    let ignored = folder.is_none();
    let trial = Trial::test("every_edit_of_every_kind_stands_out", move || {
        let folder = folder.clone().ok_or_else(|| Failed::from("the manifests are not there"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(story::play(&folder)).map_err(Failed::from)
    });
    trial.with_ignored_flag(ignored)
}
