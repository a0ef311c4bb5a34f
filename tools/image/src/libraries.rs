//! Which libraries a program loads: what it needs, and what that needs, as the loader finds it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::{Error, Result};

/// Where the loader of Debian looks, by architecture.
pub fn folders() -> [PathBuf; 2] {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    [PathBuf::from(format!("/lib/{triplet}")), PathBuf::from(format!("/usr/lib/{triplet}"))]
}

/// What a program or library asks of the loader.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    libraries: Vec<String>,
    /// The loader itself.
    interpreter: Option<PathBuf>,
}

/// The libraries of all these programs, by the path at which the loader looks for each, with the
/// file that is there. A program that is linked statically has none.
///
/// # Errors
/// A program cannot be read, or a library is not there.
pub fn of<'a>(programs: impl IntoIterator<Item = &'a Path>) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut to_read: Vec<PathBuf> = programs.into_iter().map(Path::to_owned).collect();
    while let Some(path) = to_read.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let needs = needs(&path)?;
        if let Some(loader) = needs.interpreter {
            let file = loader.canonicalize().map_err(Error::io(&loader))?;
            found.insert(loader, file);
        }
        for needed in needs.libraries {
            let place = folders().into_iter().map(|folder| folder.join(&needed)).find(|p| p.exists());
            let place = place.ok_or_else(|| Error::NoLibrary { needed, by: path.clone() })?;
            let file = place.canonicalize().map_err(Error::io(&place))?;
            to_read.push(file.clone());
            found.insert(place, file);
        }
    }
    Ok(found)
}

fn needs(path: &Path) -> Result<Needs> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    read(&bytes).map_err(|error| Error::Elf { path: path.to_owned(), error })
}

fn read(bytes: &[u8]) -> object::Result<Needs> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, bytes)? {
        if let Some(path) = segment.interpreter(endian, bytes)? {
            needs.interpreter = Some(PathBuf::from(text(path)));
        }
    }
    let sections = header.sections(endian, bytes)?;
    if let Some((entries, link)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, link)?;
        for entry in entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
            needs.libraries.push(text(entry.string(endian, strings)?));
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_brings_its_loader_and_the_libraries_of_its_libraries() {
        let git = Path::new("/usr/lib/git-core/git-remote-https");
        let found = of([git]).unwrap();
        let names: Vec<_> = found.keys().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
        for part in ["ld-linux", "libc.so", "libcurl", "libnettle"] {
            assert!(names.iter().any(|name| name.starts_with(part)), "{part}: {names:?}");
        }
    }

    #[test]
    fn what_is_no_program_is_told_by_its_path() {
        let error = of([Path::new("/etc/passwd")]).unwrap_err().to_string();
        assert!(error.contains("/etc/passwd is no program or library"), "{error}");
    }
}
