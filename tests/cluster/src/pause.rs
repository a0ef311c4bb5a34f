//! A static program that waits: what holds a Pod's namespaces on a real node, and all that a Pod of a
//! test need do.

use std::path::PathBuf;

use crate::Result;
use crate::binaries::Sources;
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};

const PAUSE: Tool = Tool {
    folder: "pause",
    name: "pause",
    package: ".",
    go_mod: include_str!("../pause/go.mod"),
    go_sum: "",
    main: Some(include_str!("../pause/main.go")),
    c_with_tags: None,
    linker: LINKER,
};

/// The program, built unless it was built before: it waits to be told to end.
///
/// # Errors
/// Where there is no Go.
pub fn pause(sources: &Sources, progress: &Progress) -> Result<PathBuf> {
    Ok(PAUSE.provide(sources, progress, |_, _, _| Ok(()))?.entry(PAUSE.name))
}
