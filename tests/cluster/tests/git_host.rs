//! The Git host: pushes over HTTP through real hooks.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use gitward_test_cluster::{Error, GitHost, Repository, WorkTree};
use tempfile::TempDir;

struct Fixture {
    host: GitHost,
    repository: Repository,
    folder: TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let host = GitHost::start(folder.path().join("host")).unwrap();
    let repository = host.create_repository("team/app").unwrap();
    Fixture { host, repository, folder }
}

impl Fixture {
    fn work_tree(&self, name: &str) -> WorkTree {
        WorkTree::clone(self.repository.url(), self.folder.path().join(name)).unwrap()
    }
}

#[test]
fn what_one_pushes_another_pulls() {
    let fixture = fixture();
    let ada = fixture.work_tree("ada");
    ada.write("apps/web.yaml", "kind: Deployment\n").unwrap();
    let first = ada.commit("Add the web").unwrap();
    let pushed = ada.push().unwrap();
    assert!(pushed.success(), "{}", pushed.stderr);
    assert_eq!(fixture.repository.git(&["rev-parse", "main"]).unwrap().checked().unwrap().trim(), first);

    let bob = fixture.work_tree("bob");
    assert_eq!(bob.read("apps/web.yaml").unwrap(), "kind: Deployment\n");
    bob.remove("apps/web.yaml").unwrap();
    bob.commit_as("Bob", "bob@example.org", "Remove the web").unwrap();
    bob.push().unwrap().checked().unwrap();

    ada.pull().unwrap().checked().unwrap();
    assert!(ada.read("apps/web.yaml").is_err());
    let author = ada.git(&["log", "-1", "--format=%an <%ae>"]).unwrap().checked().unwrap();
    assert_eq!(author, "Bob <bob@example.org>\n");
}

#[test]
fn a_hook_that_rejects_is_heard_by_the_pusher() {
    let fixture = fixture();
    let hook =
        "#!/bin/sh\nwhile read -r old new ref; do echo \"not $ref\" >&2; git show \"$new:bad\" >&2; done\nexit 1\n";
    fixture.repository.install_hook("pre-receive", hook).unwrap();
    let tree = fixture.work_tree("tree");
    tree.write("bad", "really bad\n").unwrap();
    tree.commit("Do harm").unwrap();
    let pushed = tree.push().unwrap();
    assert!(!pushed.success());
    for line in ["remote: not refs/heads/main", "remote: really bad", "pre-receive hook declined"] {
        assert!(pushed.stderr.contains(line), "{line:?} is missing from {}", pushed.stderr);
    }
    assert!(!fixture.repository.git(&["rev-parse", "--verify", "main"]).unwrap().success());

    fixture.repository.install_hook("pre-receive", "#!/bin/sh\nexit 0\n").unwrap();
    assert!(tree.push().unwrap().success());
}

/// More than any buffer on the way, and more than Git sends without chunks.
#[test]
fn large_pushes_stream() {
    let fixture = fixture();
    let tree = fixture.work_tree("tree");
    let mut noise = 88_172_645_463_325_252_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise.to_le_bytes()
    })
    .take(1 << 20)
    .flatten()
    .collect();
    tree.write("large", &bytes).unwrap();
    tree.commit("Add something large").unwrap();
    tree.push().unwrap().checked().unwrap();
    let again = fixture.work_tree("again");
    assert!(std::fs::read(again.path().join("large")).unwrap() == bytes);
}

#[test]
fn many_at_once() {
    let fixture = fixture();
    let tree = fixture.work_tree("tree");
    tree.write("file", "text").unwrap();
    tree.commit("Begin").unwrap();
    tree.push().unwrap().checked().unwrap();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let fixture = &fixture;
            scope.spawn(move || {
                let tree = fixture.work_tree(&format!("tree-{number}"));
                tree.git(&["checkout", "--quiet", "-b", &format!("branch-{number}")]).unwrap().checked().unwrap();
                tree.commit("Go on").unwrap();
                tree.push().unwrap().checked().unwrap();
            });
        }
    });
    let branches = fixture.repository.git(&["branch", "--list", "branch-*"]).unwrap().checked().unwrap();
    assert_eq!(branches.lines().count(), 12);
}

#[test]
fn stopped_it_refuses_and_started_again_it_serves_the_same() {
    let mut fixture = fixture();
    let tree = fixture.work_tree("tree");
    tree.commit("Begin").unwrap();
    tree.push().unwrap().checked().unwrap();

    fixture.host.stop();
    tree.commit("Go on").unwrap();
    let refused = tree.push().unwrap();
    assert!(!refused.success() && refused.stderr.contains("connect"), "{}", refused.stderr);

    fixture.host.start_again().unwrap();
    assert!(tree.push().unwrap().success());
    assert!(fixture.repository.url().starts_with(&fixture.host.url()));
}

/// Git compresses large requests of a fetch; here one is made by hand.
#[test]
fn compressed_requests_are_understood() {
    let fixture = fixture();
    let tree = fixture.work_tree("tree");
    let commit = tree.commit("Begin").unwrap();
    tree.push().unwrap().checked().unwrap();

    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let request = format!("{}0000{}", line(&format!("want {commit}\n")), line("done\n"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(request.as_bytes()).unwrap();
    let answer = ureq::post(format!("{}/git-upload-pack", fixture.repository.url()))
        .header("Content-Type", "application/x-git-upload-pack-request")
        .header("Content-Encoding", "gzip")
        .send(&gzip.finish().unwrap()[..])
        .unwrap()
        .body_mut()
        .read_to_vec()
        .unwrap();
    assert!(answer.starts_with(b"0008NAK\nPACK"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let fixture = fixture();
    for name in ["", "..", "../other", "/etc", "a//b", "a b", ".hidden", "a/../b"] {
        assert!(matches!(fixture.host.create_repository(name), Err(Error::Invalid(_))), "{name:?}");
    }
    let tree = fixture.work_tree("tree");
    for file in ["", "/etc/passwd", "../outside", "a/../../b"] {
        assert!(matches!(tree.write(file, ""), Err(Error::Invalid(_))), "{file:?}");
    }
    let missing = ureq::get(format!("{}/missing.git/info/refs?service=git-upload-pack", fixture.host.url())).call();
    assert!(matches!(missing, Err(ureq::Error::StatusCode(404))));
}
