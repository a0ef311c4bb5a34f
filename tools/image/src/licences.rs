//! Which Debian packages the files of the image are of, and under which licences they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result};

/// A package of which something is in the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file with its licence.
    pub copyright: PathBuf,
}

/// The packages that these files are of.
///
/// # Errors
/// A file is of none, or this is no Debian machine.
pub fn of<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<BTreeSet<Package>> {
    files.into_iter().map(package_of).collect()
}

fn package_of(file: &Path) -> Result<Package> {
    // Since /lib is a link to /usr/lib, dpkg knows a file by one of two paths.
    let mut last = String::new();
    let without_usr = file.strip_prefix("/usr").ok().map(|rest| Path::new("/").join(rest));
    for path in std::iter::once(file.to_owned()).chain(without_usr) {
        match ask(&["--search".as_ref(), path.as_os_str()]) {
            Ok(line) => {
                let name = line.split(':').next().unwrap_or_default().to_owned();
                let version = ask(&["--show".as_ref(), "--showformat=${Version}".as_ref(), name.as_ref()]);
                let version = version.map_err(|why| Error::NoPackage { path: file.to_owned(), why })?;
                let copyright = PathBuf::from(format!("/usr/share/doc/{name}/copyright"));
                return Ok(Package { name, version, copyright });
            }
            Err(why) => last = why,
        }
    }
    Err(Error::NoPackage { path: file.to_owned(), why: last })
}

fn ask(arguments: &[&std::ffi::OsStr]) -> Result<String, String> {
    let output = Command::new("dpkg-query").args(arguments).output().map_err(|e| format!("dpkg-query: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
