//! `git push` over HTTP.

use super::Server;
use crate::laptop::shows;

pub(crate) fn story(server: &Server) {
    judged(server, "pushes", "sha1");
}

pub(crate) fn sha256(server: &Server) {
    judged(server, "pushes-sha256", "sha256");
}

fn judged(server: &Server, name: &str, hash: &str) {
    let fleet = server.guarded(name, hash);
    let [_, rejected, mended] = fleet.laptop.good_bad_and_mended();
    shows(&rejected, &["remote: gitward: pushed by ann (Gitea)"]);
    shows(&mended, &["remote: gitward: prod follows refs/heads/main"]);
    assert!(fleet.path.join("gitward/index").exists(), "what was accepted is kept for the next push");
    fleet.laptop.rewrites_nothing();
    fleet.laptop.is_free_elsewhere();
}
