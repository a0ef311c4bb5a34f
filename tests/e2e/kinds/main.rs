//! Every kind: what the API server makes of a declared object is known, field by field, so that
//! whatever else is written into it stands out.
//!
//! The manifests are no part of this repository. Without them the test counts as ignored.

#![allow(clippy::print_stdout, reason = "the figures are what a reader of the test's output is after")]

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

use libtest_mimic::{Arguments, Failed, Trial};

/// What went otherwise than it should, in words.
pub(crate) type Result<T> = std::result::Result<T, String>;

fn main() {
    let arguments = Arguments::from_args();
    let folder = data::folder();
    let ignored = folder.is_none();
    let trial = Trial::test("every_edit_of_every_kind_stands_out", move || {
        let folder = folder.clone().ok_or_else(|| Failed::from("the manifests are not there"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(story::play(&folder)).map_err(Failed::from)
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(ignored)]).exit();
}
