//! What the documentation says of Gitea: it renames and deletes branches without asking hooks, but does
//! neither to branches that it protects; and what a mirror fetches no hook sees.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Fleet, Server};
use crate::laptop::{CONFIG_MAP, GITWARD, bad};

/// How long a mirror may take to fetch.
const FETCHED_WITHIN: Duration = Duration::from_secs(60);

/// `prod` follows a branch that is not the default one.
const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/prod, path: deploy, namespaces: [shop]}
";

pub(crate) fn story(server: &Server) {
    let fleet = server.guarded("without-hooks", "sha1");
    fleet.laptop.write("gitward.yaml", CONFIGURATION);
    let (accepted, text) = fleet.laptop.push();
    assert!(accepted, "{text}");
    fleet.laptop.write("deploy/web.yaml", &bad());
    fleet.laptop.commit();
    let (accepted, text) = fleet.laptop.push_refs(&["main:refs/heads/elsewhere"]);
    assert!(accepted, "{text}");

    fleet.knows("main");
    fleet.knows("elsewhere");
    let started = fleet.ask("POST", "branches", json!({"new_branch_name": "prod", "old_ref_name": "elsewhere"}));
    assert!(!started.status.is_success(), "{started:?}");
    let started = json!({"new_branch_name": "prod", "old_ref_name": "main"});
    fleet.ask("POST", "branches", started).succeeds();

    protect(&fleet);
    is_neither_deleted_nor_made_by_renaming(&fleet);
    fleet.ask("DELETE", "branch_protections/prod", json!({})).succeeds();
    is_deleted_and_made_by_renaming(&fleet);
    is_fetched(server);
}

fn protect(fleet: &Fleet<'_>) {
    let rule = json!({"rule_name": "prod", "enable_push": true, "enable_push_whitelist": true, "push_whitelist_usernames": []});
    fleet.ask("POST", "branch_protections", rule).succeeds();
}

fn is_neither_deleted_nor_made_by_renaming(fleet: &Fleet<'_>) {
    let before = fleet.laptop.on_server("refs/heads/prod");
    let deleted = fleet.ask("DELETE", "branches/prod", json!({}));
    assert!(deleted.status.is_client_error(), "{deleted:?}");
    let (accepted, text) = fleet.laptop.push_refs(&[":prod"]);
    assert!(!accepted, "{text}");
    assert_eq!(fleet.laptop.on_server("refs/heads/prod"), before);
}

fn is_deleted_and_made_by_renaming(fleet: &Fleet<'_>) {
    fleet.ask("DELETE", "branches/prod", json!({})).succeeds();
    protect(fleet);
    let renamed = || fleet.ask("PATCH", "branches/elsewhere", json!({"name": "prod"}));
    assert!(renamed().status.is_client_error());
    fleet.ask("DELETE", "branch_protections/prod", json!({})).succeeds();
    renamed().succeeds();
    assert!(!fleet.laptop.on_server("refs/heads/prod").is_empty());
}

fn is_fetched(server: &Server) {
    let mirrored = server.unguarded("mirrored", "sha1");
    mirrored.laptop.write("deploy/web.yaml", CONFIG_MAP);
    assert!(mirrored.laptop.push().0);
    mirrored.knows("main");
    let address = format!("{}/ann/mirrored.git", server.gitea.url());
    let wanted = json!({"clone_addr": address, "repo_name": "mirror", "mirror": true});
    server.ann.ask("POST", "repos/migrate", wanted).succeeds();
    let mirror = server.there("ann", "mirror", "sha1");
    mirror.gitward(GITWARD, "install");

    mirrored.laptop.write("deploy/web.yaml", &bad());
    assert!(mirrored.laptop.push().0);
    mirror.ask("POST", "mirror-sync", json!({})).succeeds();
    let (bad, started) = (mirrored.laptop.on_server("refs/heads/main"), Instant::now());
    while mirror.laptop.on_server("refs/heads/main") != bad {
        assert!(started.elapsed() < FETCHED_WITHIN, "the mirror does not follow");
        thread::sleep(Duration::from_millis(100));
    }
}
