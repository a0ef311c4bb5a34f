//! Commits, branches and moves of branches that Gitea makes itself, as its pages do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Fleet, Server};
use crate::laptop::{CONFIG_MAP, bad};

/// What the API's message says of [`bad`], which is at line 4 of its file.
pub(super) const REFUSED: [&str; 3] = [
    "error[schema/unknown-field]: `dta` is not a field of ConfigMap",
    ".yaml:4:1",
    "gitward: rejected: 1 error in prod at refs/heads/main",
];

pub(crate) fn story(server: &Server) {
    let fleet = server.guarded("commits", "sha1");
    fleet.laptop.good_bad_and_mended();
    fleet.knows("main");
    makes_files(&fleet);
    makes_commits_of_many_files(&fleet);
    moves_branches(&fleet);
}

fn makes_files(fleet: &Fleet<'_>) {
    let before = fleet.laptop.on_server("refs/heads/main");
    let answer = fleet.ask("POST", "contents/deploy/other.yaml", file(&named("other", &bad()), "main"));
    answer.refused(&[&REFUSED[..], &["deploy/other.yaml", "gitward: pushed by ann (Gitea)"]].concat());
    assert_eq!(fleet.laptop.on_server("refs/heads/main"), before);
    fleet.ask("POST", "contents/deploy/other.yaml", file(&named("other", CONFIG_MAP), "main")).succeeds();
    assert_ne!(fleet.laptop.on_server("refs/heads/main"), before);
}

fn makes_commits_of_many_files(fleet: &Fleet<'_>) {
    let change = |text: &str| {
        let files = ["third", "fourth"].map(|name| {
            let content = STANDARD.encode(named(name, text));
            json!({"operation": "create", "path": format!("deploy/{name}.yaml"), "content": content})
        });
        json!({"files": files, "branch": "main", "message": "Two files"})
    };
    let answer = fleet.ask("POST", "contents", change(&bad()));
    answer.refused(&["deploy/third.yaml:4:1", "deploy/fourth.yaml:4:1", "gitward: rejected: 2 errors in prod"]);
    fleet.ask("POST", "contents", change(CONFIG_MAP)).succeeds();
}

/// To a commit that a branch which nobody guards has brought already, and back.
fn moves_branches(fleet: &Fleet<'_>) {
    let first = fleet.laptop.git(&["rev-list", "--max-parents=0", "main"]).trim().to_owned();
    let mut elsewhere = file(&named("fifth", &bad()), "main");
    elsewhere["new_branch"] = json!("elsewhere");
    fleet.ask("POST", "contents/deploy/fifth.yaml", elsewhere).succeeds();
    let (before, there) = (fleet.laptop.on_server("refs/heads/main"), fleet.laptop.on_server("refs/heads/elsewhere"));
    let moved = |to: &str| fleet.ask("PUT", "branches/main", json!({"new_commit_id": to, "force": true}));
    moved(&there).refused(&REFUSED);
    moved(&first).refused(&["push/force"]);
    assert_eq!(fleet.laptop.on_server("refs/heads/main"), before);
}

pub(super) fn named(name: &str, text: &str) -> String {
    text.replace("web", name)
}

fn file(text: &str, branch: &str) -> Value {
    json!({"content": STANDARD.encode(text), "branch": branch, "message": "A file"})
}
