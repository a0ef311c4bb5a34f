//! `git push` over HTTP and over ssh.

use std::fs;

use serde_json::json;

use super::{Fleet, Server};
use crate::laptop::shows;
use crate::sshd;

pub(crate) fn story(server: &Server) {
    judged(&server.guarded("pushes", "sha1"));
}

/// Gitea's own ssh server knows the pusher by the key.
pub(crate) fn over_ssh(server: &Server) {
    let mut fleet = server.guarded("pushes-over-ssh", "sha1");
    let keys = tempfile::tempdir().unwrap();
    sshd::key(keys.path(), "ann");
    let public = fs::read_to_string(keys.path().join("ann.pub")).unwrap();
    server.ann.ask("POST", "user/keys", json!({"title": "laptop", "key": public})).succeeds();
    let address = format!("{}/{}.git", server.gitea.ssh_url(), fleet.called);
    fleet.laptop.moves_to(&address, sshd::client(&keys.path().join("ann")));
    judged(&fleet);
}

pub(crate) fn sha256(server: &Server) {
    judged(&server.guarded("pushes-sha256", "sha256"));
}

fn judged(fleet: &Fleet<'_>) {
    let [_, rejected, mended] = fleet.laptop.good_bad_and_mended();
    shows(&rejected, &["remote: gitward: pushed by ann (Gitea)"]);
    shows(&mended, &["remote: gitward: prod follows refs/heads/main"]);
    assert!(fleet.path.join("gitward/index").exists(), "what was accepted is kept for the next push");
    fleet.laptop.rewrites_nothing();
    fleet.laptop.is_free_elsewhere();
}
