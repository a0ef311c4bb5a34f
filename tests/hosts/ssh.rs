//! Bare repositories behind OpenSSH, with nothing else between Git and the pusher.

use std::fs;
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
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir_all(home.join(".ssh")).unwrap();
    key(folder.path(), "ann");
    fs::copy(folder.path().join("ann.pub"), home.join(".ssh/authorized_keys")).unwrap();

    let server = folder.path().join("fleet.git");
    let format = format!("--object-format={hash}");
    said(Command::new("git").args(["init", "--quiet", "--bare", "--initial-branch=main", &format]).arg(&server));
    said(Command::new(GITWARD).args(["hook", "install", "--repo"]).arg(&server));

    let sshd = Sshd::start(programs, folder.path(), &home, &std::env::var("PATH").unwrap());
    let url = sshd.url(server.to_str().unwrap().trim_start_matches('/'));
    let laptop = Laptop::new(folder.path(), hash, &url, sshd.client("ann"));
    laptop.good_bad_and_mended();
}
