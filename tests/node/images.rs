//! The images that the node's Pods run, made here and given to containerd: no registry is asked.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use gitward_image::archive;
use gitward_image::root::{self, Entry, GITWARD, Root};

/// gitward's, as a user would name it, in the version that is installed first.
pub(crate) const NAME: &str = "registry.example.org/gitward";
/// The tag of what is installed first.
pub(crate) const FIRST: &str = "first";
/// The tag of what is rolled out later: the same image.
pub(crate) const SECOND: &str = "second";
/// What holds a Pod's namespaces.
pub(crate) const PAUSE: &str = "registry.example.org/pause:test";

/// Writes gitward's image, by `tools/image`.
pub(crate) fn gitward(folder: &Path) -> PathBuf {
    let root = root::with(Path::new(env!("CARGO_BIN_EXE_gitward"))).unwrap();
    write(&root, &format!("{NAME}:{FIRST}"), folder.join("gitward.tar"))
}

/// Writes the image of a program that waits. What an image of `tools/image` runs is called gitward.
pub(crate) fn pause(program: &Path, folder: &Path) -> PathBuf {
    let directory = || Entry::Folder { mode: 0o755, owner: 0 };
    let root: Root = BTreeMap::from([
        ("usr".to_owned(), directory()),
        ("usr/bin".to_owned(), directory()),
        (GITWARD.to_owned(), Entry::Copy { of: program.to_owned(), mode: 0o755 }),
    ]);
    write(&root, PAUSE, folder.join("pause.tar"))
}

fn write(root: &Root, name: &str, path: PathBuf) -> PathBuf {
    archive::write(root, name, File::create(&path).unwrap()).unwrap();
    path
}
