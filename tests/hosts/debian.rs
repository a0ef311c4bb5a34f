//! The servers' programs: the machine's own, or those of Debian's packages, taken apart into the cache
//! without installing anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sshd;

/// What the stories run.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) sshd: PathBuf,
    /// Folders of libraries that `sshd` needs besides the machine's.
    pub(crate) libraries: String,
    /// The folder with the program `gitolite`.
    pub(crate) gitolite: PathBuf,
}

const PACKAGES: [&str; 4] = ["openssh-server", "libwrap0", "libnsl2", "gitolite3"];

/// Where gitolite's programs look for each other in Debian's package.
const GITOLITE: &str = "/usr/share/gitolite3";

impl Programs {
    pub(crate) fn provide() -> Result<Self, String> {
        if sshd::is_root() {
            run(Command::new("unshare").args(["--mount", "true"]))?;
        }
        let (sshd, gitolite) = (PathBuf::from("/usr/sbin/sshd"), PathBuf::from("/usr/bin"));
        if sshd.is_file() && gitolite.join("gitolite").is_file() {
            return Ok(Self { sshd, libraries: String::new(), gitolite });
        }
        let root = cache()?.join("root");
        if !root.is_dir() {
            unpack(&root)?;
        }
        let library = |at: &str| fs::read_dir(root.join(at)).ok().into_iter().flatten().flatten().map(|e| e.path());
        let folders = library("usr/lib").chain(library("lib")).filter(|p| p.is_dir());
        let libraries: Vec<String> = folders.map(|p| p.display().to_string()).collect();
        Ok(Self { sshd: root.join("usr/sbin/sshd"), libraries: libraries.join(":"), gitolite: root.join("usr/bin") })
    }
}

fn cache() -> Result<PathBuf, String> {
    let own = std::env::var_os("GITWARD_CACHE").map(PathBuf::from);
    let users = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/gitward"));
    Ok(own.or_else(users).ok_or("there is no HOME")?.join("debian"))
}

fn unpack(root: &Path) -> Result<(), String> {
    let folder = root.parent().ok_or("the cache has no folder")?;
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let workshop = tempfile::tempdir_in(folder).map_err(|e| e.to_string())?;
    let download = || run(Command::new("apt-get").arg("download").args(PACKAGES).current_dir(workshop.path()));
    if download().is_err() {
        run(Command::new("apt-get").arg("update"))?;
        download()?;
    }
    let made = workshop.path().join("root");
    for entry in fs::read_dir(workshop.path()).map_err(|e| e.to_string())?.flatten() {
        if entry.path().extension().is_some_and(|e| e == "deb") {
            run(Command::new("dpkg").arg("-x").arg(entry.path()).arg(&made))?;
        }
    }
    for program in ["usr/bin/gitolite", "usr/share/gitolite3/gitolite-shell"] {
        let path = made.join(program);
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let here = format!("{}{GITOLITE}", root.display());
        fs::write(&path, text.replace(&format!("'{GITOLITE}'"), &format!("'{here}'"))).map_err(|e| e.to_string())?;
    }
    fs::rename(&made, root).map_err(|e| e.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
