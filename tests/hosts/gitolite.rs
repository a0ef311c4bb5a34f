//! gitolite, with its rights, its own `update` hook, and gitward's hooks beside it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::debian::Programs;
use crate::laptop::{GITWARD, Laptop, shows};
use crate::sshd::{Sshd, key, said};

const CONFIGURATION: &str = "repo gitolite-admin\n    RW+ = admin\nrepo fleet\n    RW+ = ann\n    R = bob\n";

pub(crate) fn story(programs: &Programs) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    for name in ["admin", "ann", "bob"] {
        key(folder.path(), name);
    }
    let path = format!("{}:{}", programs.gitolite.display(), std::env::var("PATH").unwrap());
    let gitolite = |arguments: &[&str]| said(as_gitolite(&home, &path, "gitolite").args(arguments));
    gitolite(&["setup", "-pk", folder.path().join("admin.pub").to_str().unwrap()]);
    // Hooks of all repositories, those to come included, are gitolite's to hand out.
    let common = home.join(".gitolite/hooks/common");
    said(as_gitolite(&home, &path, GITWARD).args(["hook", "install", "--directory"]).arg(&common));

    let sshd = Sshd::start(programs, folder.path(), &home, &path);
    administrate(&sshd, folder.path());
    gitolite(&["setup", "--hooks-only"]);

    let laptop = Laptop::new(folder.path(), "sha1", &sshd.url("fleet"), sshd.client("ann"));
    let [_, rejected, _] = laptop.good_bad_and_mended();
    shows(&rejected, &["remote: gitward: pushed by ann (gitolite)"]);
    assert!(home.join("repositories/fleet.git/hooks/update").exists(), "gitolite's own hook stays");

    // gitolite's word comes first: who may not write never gets to the hooks.
    let stranger = folder.path().join("stranger");
    fs::create_dir(&stranger).unwrap();
    let laptop = Laptop::new(&stranger, "sha1", &sshd.url("fleet"), sshd.client("bob"));
    let (accepted, said) = laptop.push();
    assert!(!accepted && said.contains("DENIED by fallthru") && !said.contains("gitward"), "{said}");
}

fn as_gitolite(home: &Path, path: &str, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", home).env("USER", "git").env("PATH", path).env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Says who there is and who may what, by a push to gitolite's own repository.
fn administrate(sshd: &Sshd, folder: &Path) {
    let clone = folder.join("admin-clone");
    let git = |at: &Path, arguments: &[&str]| {
        said(
            Command::new("git")
                .current_dir(at)
                .args(["-c", "user.name=Admin", "-c", "user.email=admin@example.org", "-c", "commit.gpgsign=false"])
                .args(arguments)
                .env("HOME", folder)
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_SSH_COMMAND", sshd.client("admin")),
        )
    };
    git(folder, &["clone", "--quiet", &sshd.url("gitolite-admin"), clone.to_str().unwrap()]);
    for name in ["ann", "bob"] {
        let public = format!("{name}.pub");
        fs::copy(folder.join(&public), clone.join("keydir").join(&public)).unwrap();
    }
    fs::write(clone.join("conf/gitolite.conf"), CONFIGURATION).unwrap();
    git(&clone, &["add", "--all"]);
    git(&clone, &["commit", "--quiet", "-m", "The fleet"]);
    git(&clone, &["push", "--quiet", "origin", "HEAD"]);
}
