//! Commits on branches of their own, in repositories made by the `git` program.

use std::path::Path;
use std::process::Command;

use gitward_repo::{Error, NewBranch, Repository};
use tempfile::TempDir;

fn git(at: &Path, args: &[&str]) -> String {
    let output = Command::new("git").current_dir(at).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> (TempDir, Repository) {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "--quiet", "--initial-branch=main"]);
    for (key, value) in [("user.name", "Ann"), ("user.email", "ann@example.org"), ("commit.gpgsign", "false")] {
        git(dir.path(), &["config", key, value]);
    }
    let repository = Repository::open(dir.path()).unwrap();
    (dir, repository)
}

fn new<'a>(name: &'a str, files: &'a [(String, Vec<u8>)]) -> NewBranch<'a> {
    NewBranch { name, base: None, files, message: "Adopt\n", replace: false }
}

#[test]
fn a_branch_is_made_and_nothing_else_changes() {
    let (dir, repository) = repository();
    let at = dir.path();
    std::fs::write(at.join("a.yaml"), "a").unwrap();
    git(at, &["add", "--all"]);
    git(at, &["commit", "--quiet", "-m", "first"]);
    std::fs::write(at.join("staged"), "s").unwrap();
    git(at, &["add", "staged"]);
    std::fs::write(at.join("a.yaml"), "edited").unwrap();
    let before = (git(at, &["status", "--porcelain"]), git(at, &["rev-parse", "main"]));

    let base = repository.head().unwrap().unwrap();
    let files = [("shop/web.yaml".to_owned(), b"web\n".to_vec())];
    let wanted = NewBranch { base: Some(&base), ..new("adopt/shop", &files) };
    let commit = repository.commit_on_branch(&wanted).unwrap();
    assert_eq!(git(at, &["rev-parse", "adopt/shop"]), commit.as_str());
    assert_eq!(git(at, &["show", "adopt/shop:shop/web.yaml"]), "web");
    assert_eq!(git(at, &["show", "adopt/shop:a.yaml"]), "a");
    assert_eq!(git(at, &["log", "--format=%an %s", "adopt/shop"]), "Ann Adopt\nAnn first");
    assert_eq!((git(at, &["status", "--porcelain"]), git(at, &["rev-parse", "main"])), before);
    assert_eq!(git(at, &["symbolic-ref", "HEAD"]), "refs/heads/main");

    assert!(matches!(repository.commit_on_branch(&wanted), Err(Error::BranchThere { .. })));
    repository.commit_on_branch(&NewBranch { replace: true, ..wanted }).unwrap();
    let checked_out = NewBranch { name: "main", replace: true, ..wanted };
    assert!(matches!(repository.commit_on_branch(&checked_out), Err(Error::CheckedOut { .. })));
    git(at, &["worktree", "add", "--quiet", "-b", "elsewhere", dir.path().join("wt").to_str().unwrap()]);
    let elsewhere = NewBranch { name: "elsewhere", replace: true, ..wanted };
    assert!(matches!(repository.commit_on_branch(&elsewhere), Err(Error::CheckedOut { .. })));
    let there = [("a.yaml".to_owned(), Vec::new())];
    let over = NewBranch { files: &there, name: "other", ..wanted };
    assert!(matches!(repository.commit_on_branch(&over), Err(Error::FileThere { path }) if path == "a.yaml"));
    for bad in ["", "a..b", "-x", "a b"] {
        let bad = repository.commit_on_branch(&NewBranch { name: bad, ..wanted });
        assert!(matches!(bad, Err(Error::BranchName(_))), "{bad:?}");
    }
}

#[test]
fn an_empty_repository_gets_its_first_commit_on_the_branch() {
    let (dir, repository) = repository();
    let files = [("x.yaml".to_owned(), b"x".to_vec())];
    repository.commit_on_branch(&new("adopt/shop", &files)).unwrap();
    assert_eq!(git(dir.path(), &["show", "adopt/shop:x.yaml"]), "x");
    assert!(repository.head().unwrap().is_none());
    let unborn = repository.commit_on_branch(&new("main", &files));
    assert!(matches!(unborn, Err(Error::CheckedOut { .. })), "{unborn:?}");
}
