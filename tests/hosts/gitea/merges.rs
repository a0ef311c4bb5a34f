//! Pull requests: what they would make of the branch is judged when they are merged.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use ureq::http::StatusCode;

use super::api::Answer;
use super::commits::{REFUSED, named};
use super::{Fleet, Server};
use crate::laptop::{CONFIG_MAP, GITWARD, bad};

/// All ways of Gitea to merge that write to the branch.
const WAYS: [&str; 5] = ["merge", "rebase", "rebase-merge", "squash", "fast-forward-only"];

/// How long Gitea may take to find out whether a pull request has conflicts.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn story(server: &Server) {
    let fleet = server.guarded("merges", "sha1");
    fleet.laptop.good_bad_and_mended();
    for way in WAYS {
        is_judged_when_merged(&fleet, way);
    }
    is_judged_with_what_the_branch_has_by_then(&fleet);
    may_come_without_a_branch(&fleet);
    forks_are_judged_when_they_catch_up(server);
}

fn is_judged_when_merged(fleet: &Fleet<'_>, way: &str) {
    branches_off(fleet, way);
    pushes(fleet, way, way, &bad());
    let number = opened(fleet, way);
    let before = fleet.laptop.on_server("refs/heads/main");
    merged(fleet, number, way).refused(&[&REFUSED[..], &[&format!("deploy/{way}.yaml:4:1")]].concat());
    assert_eq!(fleet.laptop.on_server("refs/heads/main"), before, "{way}");

    pushes(fleet, way, way, CONFIG_MAP);
    merged(fleet, number, way).succeeds();
    assert_ne!(fleet.laptop.on_server("refs/heads/main"), before, "{way}");
}

/// Neither side has anything wrong by itself.
fn is_judged_with_what_the_branch_has_by_then(fleet: &Fleet<'_>) {
    branches_off(fleet, "one");
    pushes(fleet, "one", "same", CONFIG_MAP);
    branches_off(fleet, "other");
    fleet.laptop.write("deploy/again.yaml", &named("same", CONFIG_MAP));
    fleet.laptop.commit();
    fleet.laptop.push_refs(&["other"]);
    let (one, other) = (opened(fleet, "one"), opened(fleet, "other"));
    merged(fleet, one, "merge").succeeds();
    merged(fleet, other, "merge").refused(&["deploy/again.yaml", "gitward: rejected: 1 error in prod"]);
}

/// A push to `refs/for/main` opens a pull request, and is not yet one to `main`.
fn may_come_without_a_branch(fleet: &Fleet<'_>) {
    branches_off(fleet, "without");
    fleet.laptop.write("deploy/without.yaml", &named("without", &bad()));
    fleet.laptop.commit();
    let (accepted, text) = fleet.laptop.push_refs(&["HEAD:refs/for/main", "-o", "topic=without"]);
    assert!(accepted && !text.contains("gitward"), "{text}");
    let open = fleet.ask("GET", "pulls?state=open&sort=recentupdate", json!({})).succeeds();
    let number = open.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).max().unwrap();
    merged(fleet, number, "merge").refused(&REFUSED);
}

/// A fork has no hooks but Gitea's until they are installed in it too.
fn forks_are_judged_when_they_catch_up(server: &Server) {
    let upstream = server.unguarded("upstream", "sha1");
    upstream.laptop.write("deploy/web.yaml", CONFIG_MAP);
    assert!(upstream.laptop.push().0);
    upstream.knows("main");
    server.ann.ask("POST", "orgs", json!({"username": "forks"})).succeeds();
    upstream.ask("POST", "forks", json!({"organization": "forks"})).succeeds();
    let fork = server.there("forks", "upstream", "sha1");
    fork.gitward(GITWARD, "install");

    let catch_up = || fork.ask("POST", "merge-upstream", json!({"branch": "main"}));
    for (text, passes) in [(bad(), false), (named("again", CONFIG_MAP), true)] {
        upstream.laptop.write("deploy/web.yaml", &text);
        assert!(upstream.laptop.push().0);
        upstream.knows("main");
        let before = fork.laptop.on_server("refs/heads/main");
        let answer = catch_up();
        assert_eq!(answer.status.is_success(), passes, "{answer:?}");
        assert_eq!(fork.laptop.on_server("refs/heads/main") != before, passes);
    }
}

fn branches_off(fleet: &Fleet<'_>, topic: &str) {
    fleet.laptop.git(&["fetch", "--quiet", "origin", "main"]);
    fleet.laptop.git(&["checkout", "--quiet", "-b", topic, "FETCH_HEAD"]);
}

/// Brings the object `name` in a file of that name on `topic`.
fn pushes(fleet: &Fleet<'_>, topic: &str, name: &str, text: &str) {
    fleet.laptop.write(&format!("deploy/{name}.yaml"), &named(name, text));
    fleet.laptop.commit();
    let (accepted, text) = fleet.laptop.push_refs(&[topic]);
    assert!(accepted && !text.contains("gitward"), "{text}");
    fleet.knows(topic);
}

fn opened(fleet: &Fleet<'_>, topic: &str) -> u64 {
    fleet.knows("main");
    let pull = json!({"base": "main", "head": topic, "title": topic});
    fleet.ask("POST", "pulls", pull).succeeds()["number"].as_u64().unwrap()
}

fn merged(fleet: &Fleet<'_>, number: u64, way: &str) -> Answer {
    let started = Instant::now();
    loop {
        let answer = fleet.ask("POST", &format!("pulls/{number}/merge"), json!({"Do": way}));
        // It has not found out yet whether it can be merged.
        let is_early = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        if !is_early || started.elapsed() > LOOKED_AT_WITHIN {
            return answer;
        }
        thread::sleep(Duration::from_millis(100));
    }
}
