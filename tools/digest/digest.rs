// The digest of sources, for build scripts: included by them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Lets a crate know the digest of files and directories beside its build script, by the name of a
/// variable.
fn tell(variable: &str, parts: &[&str]) -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut digest = blake3::Hasher::new();
    for part in parts {
        println!("cargo::rerun-if-changed={part}");
        add(&here.join(part), &mut digest)?;
    }
    println!("cargo::rustc-env={variable}={}", digest.finalize().to_hex());
    Ok(())
}

/// Adds a file, or all files of a directory; nothing where there is none.
fn add(path: &Path, digest: &mut blake3::Hasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(entry, digest));
    }
    if path.is_file() {
        let content = fs::read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        digest.update(format!("{name} {}\n", content.len()).as_bytes());
        digest.update(&content);
    }
    Ok(())
}
