//! Every kind: what the API server makes of a declared object is known, field by field, so that
//! whatever else is written into it stands out.

mod data;
mod story;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let folder = data::folder();
    let ignored = folder.is_none();
    let trial = Trial::test("every_kind_is_held_to_what_git_says", move || {
        let folder = folder.clone().ok_or_else(|| Failed::from("the manifests are not there"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(story::play(&folder)).map_err(Failed::from)
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(ignored)]).exit();
}
