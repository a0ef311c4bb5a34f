//! The servers' programs: the machine's own, or those of Debian's packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gitward_test_cluster::{Debian, Error, Progress, Sources};

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
            let made = Command::new("unshare").args(["--mount", "true"]).status();
            made.is_ok_and(|status| status.success()).then_some(()).ok_or("there are no mount namespaces here")?;
        }
        let (sshd, gitolite) = (PathBuf::from("/usr/sbin/sshd"), PathBuf::from("/usr/bin"));
        if sshd.is_file() && gitolite.join("gitolite").is_file() {
            return Ok(Self { sshd, libraries: String::new(), gitolite });
        }
        let debian = Debian::provide(&PACKAGES, &Sources::from_env(), &Progress::default(), point_gitolite_to_itself);
        let debian = debian.map_err(|error| error.to_string())?;
        Ok(Self { sshd: debian.path("usr/sbin/sshd"), libraries: debian.libraries(), gitolite: debian.path("usr/bin") })
    }
}

fn point_gitolite_to_itself(made: &Path, root: &Path) -> Result<(), Error> {
    for program in ["usr/bin/gitolite", "usr/share/gitolite3/gitolite-shell"] {
        let path = made.join(program);
        let io = |source| Error::Io { doing: format!("change {}", path.display()), source };
        let here = format!("{}{GITOLITE}", root.display());
        let text = fs::read_to_string(&path).map_err(io)?;
        fs::write(&path, text.replace(&format!("'{GITOLITE}'"), &format!("'{here}'"))).map_err(io)?;
    }
    Ok(())
}
