//! What is in the image's file system.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::licences::{self, Package};
use crate::{Error, Result, libraries};

/// Who runs it.
pub const USER: u32 = 65532;

/// Where gitward is.
pub const GITWARD: &str = "usr/bin/gitward";

/// Programs that gitward runs, and that those run. Git's other commands are within `git` itself; it
/// calls `ssh` and whatever gives it a password by way of a shell, and knows no other way.
const PROGRAMS: [&str; 4] = ["/usr/bin/git", "/usr/lib/git-core/git-remote-http", "/usr/bin/ssh", "/usr/bin/dash"];

/// Names under which Git looks for its own parts.
const NAMES: [(&str, &str); 3] = [
    ("usr/lib/git-core/git-remote-https", "git-remote-http"),
    ("usr/bin/git-upload-pack", "git"),
    ("usr/bin/sh", "dash"),
];

/// The authorities that HTTPS trusts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
const AUTHORITIES_PACKAGE: &str = "/usr/sbin/update-ca-certificates";

/// One entry of the file system, by its path without the leading slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder {
        /// Its permissions.
        mode: u32,
        /// Its owner.
        owner: u32,
    },
    /// A file with this content.
    Text(String),
    /// A copy of a file of this machine.
    Copy {
        /// Which.
        of: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A link to another path.
    Link(String),
}

/// All of it.
pub type Root = BTreeMap<String, Entry>;

/// The file system of an image with this binary.
///
/// # Errors
/// A program or library is not there, or nobody knows of which package it is.
pub fn with(gitward: &Path) -> Result<Root> {
    let mut root = Root::new();
    let folder = |mode, owner| Entry::Folder { mode, owner };
    for path in ["dev", "etc", "etc/ssl", "etc/ssl/certs", "proc", "sys", "usr", "usr/bin", "usr/lib", "usr/lib64"] {
        root.insert(path.to_owned(), folder(0o755, 0));
    }
    for path in ["usr/lib/git-core", "usr/share", "usr/share/doc", "usr/share/doc/gitward", "var", "var/lib"] {
        root.insert(path.to_owned(), folder(0o755, 0));
    }
    root.insert("tmp".to_owned(), folder(0o1777, 0));
    root.insert("var/lib/gitward".to_owned(), folder(0o700, USER));
    for name in ["bin", "lib", "lib64"] {
        root.insert(name.to_owned(), Entry::Link(format!("usr/{name}")));
    }
    root.insert("etc/passwd".to_owned(), Entry::Text(format!("gitward:x:{USER}:{USER}:gitward:/tmp:/nonexistent\n")));
    root.insert("etc/group".to_owned(), Entry::Text(format!("gitward:x:{USER}:\n")));
    root.insert("etc/nsswitch.conf".to_owned(), Entry::Text("hosts: files dns\n".to_owned()));
    root.insert(GITWARD.to_owned(), Entry::Copy { of: gitward.to_owned(), mode: 0o755 });
    let mut foreign: BTreeSet<PathBuf> = BTreeSet::from([PathBuf::from(AUTHORITIES_PACKAGE)]);
    copy(&mut root, Path::new(AUTHORITIES), Path::new(AUTHORITIES), 0o644);
    for program in PROGRAMS.map(Path::new) {
        copy(&mut root, program, program, 0o755);
        foreign.insert(program.to_owned());
    }
    for (name, of) in NAMES {
        root.insert(name.to_owned(), Entry::Link(of.to_owned()));
    }
    for (place, file) in libraries::of(PROGRAMS.map(Path::new).into_iter().chain([gitward]))? {
        copy(&mut root, &below_usr(&place), &file, 0o755);
        foreign.insert(file);
    }
    add_licences(&mut root, &licences::of(foreign.iter().map(PathBuf::as_path))?)?;
    Ok(root)
}

/// The folders of libraries are links into `/usr`, here as on Debian.
fn below_usr(place: &Path) -> PathBuf {
    if place.starts_with("/usr") {
        place.to_owned()
    } else {
        Path::new("/usr").join(place.strip_prefix("/").unwrap_or(place))
    }
}

fn copy(root: &mut Root, place: &Path, of: &Path, mode: u32) {
    let place = place.strip_prefix("/").unwrap_or(place);
    for folder in place.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        root.entry(folder.display().to_string()).or_insert(Entry::Folder { mode: 0o755, owner: 0 });
    }
    root.insert(place.display().to_string(), Entry::Copy { of: of.to_owned(), mode });
}

fn add_licences(root: &mut Root, packages: &BTreeSet<Package>) -> Result<()> {
    let mut list = String::new();
    for package in packages {
        list.push_str(&format!("{} {}\n", package.name, package.version));
        let text = std::fs::read_to_string(&package.copyright).map_err(Error::io(&package.copyright))?;
        let folder = format!("usr/share/doc/{}", package.name);
        root.insert(format!("{folder}/copyright"), Entry::Text(text));
        root.insert(folder, Entry::Folder { mode: 0o755, owner: 0 });
    }
    root.insert("usr/share/doc/gitward/packages".to_owned(), Entry::Text(list));
    Ok(())
}
