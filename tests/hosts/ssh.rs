//! Bare repositories behind OpenSSH, with nothing else between Git and the pusher.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::Programs;
use crate::laptop::{GITWARD, Laptop};
use crate::sshd::{Sshd, key, said};

pub(crate) fn plain_git(programs: &Programs) {
    story(programs, "sha1");
}

pub(crate) fn sha256(programs: &Programs) {
    story(programs, "sha256");
}

fn story(programs: &Programs, hash: &str) {
    let host = Host::start(programs, &[&format!("--object-format={hash}")]);
    host.laptop(hash).good_bad_and_mended();
}

/// A server with one guarded repository, and the one account that may push to it.
pub(crate) struct Host {
    sshd: Sshd,
    folder: tempfile::TempDir,
}

impl Host {
    /// The repository is made with these arguments of `git init`.
    pub(crate) fn start(programs: &Programs, init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join(".ssh")).unwrap();
        key(folder.path(), "ann");
        fs::copy(folder.path().join("ann.pub"), home.join(".ssh/authorized_keys")).unwrap();
        let sshd = Sshd::start(programs, folder.path(), &home, &std::env::var("PATH").unwrap());
        let host = Self { sshd, folder };
        said(
            Command::new("git")
                .args(["init", "--quiet", "--bare", "--initial-branch=main"])
                .args(init)
                .arg(host.repository()),
        );
        said(Command::new(GITWARD).args(["hook", "install", "--repo"]).arg(host.repository()));
        host
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("fleet.git")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        self.sshd.url(self.repository().to_str().unwrap().trim_start_matches('/'))
    }

    /// `GIT_SSH_COMMAND` of the account.
    pub(crate) fn client(&self) -> String {
        self.sshd.client("ann")
    }

    /// An empty clone.
    pub(crate) fn laptop(&self, hash: &str) -> Laptop {
        Laptop::new(self.folder(), hash, &self.url(), self.client())
    }
}
