//! The name under which a reconciler is a candidate.

use std::fs;
use std::io;
use std::path::Path;

use rand::RngExt;

/// File of the state directory that makes the name this directory's own.
const FILE: &str = "identity";

/// The host's name and a word that is kept in the state directory.
///
/// A process works with its state directory alone, so the one that is started again with the same
/// directory is the successor of the one before, and need not wait for the end of its Lease. A copy
/// of the directory on another host has another name.
///
/// # Errors
/// The directory can be neither read nor written.
pub(super) fn of(state_dir: &Path) -> io::Result<String> {
    let path = state_dir.join(FILE);
    let kept = match fs::read_to_string(&path) {
        Ok(kept) => Some(kept).filter(|kept| is_word(kept)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let word = match kept {
        Some(kept) => kept,
        None => {
            let word = format!("{:016x}", rand::rng().random::<u64>());
            fs::write(&path, &word)?;
            word
        }
    };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(format!("{host}_{word}"))
}

fn is_word(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_name_and_two_have_two() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = of(one.path()).unwrap();
        assert_eq!(of(one.path()).unwrap(), name);
        assert_ne!(of(other.path()).unwrap(), name);
        fs::write(one.path().join(FILE), "half").unwrap();
        assert_ne!(of(one.path()).unwrap(), name, "what cannot be read is made anew");
    }
}
