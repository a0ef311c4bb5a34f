//! gitward's hooks among Gitea's own and those of others: installing, renewing, removing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Fleet, Server};
use crate::laptop::{CONFIG_MAP, GITWARD, REFUSED, bad, shows};

/// Somebody else's hook: it writes down each update.
const OTHERS: &str = "pre-receive.d/20-others";

pub(crate) fn story(server: &Server) {
    let fleet = server.unguarded("hooks", "sha1");
    let log = others_hook(&fleet);
    let before = all(&fleet.path.join("hooks"));

    let text = fleet.gitward(GITWARD, "install");
    shows(
        &text,
        &["pre-receive: installed in the directory that the host's own hook runs", "post-receive: installed in"],
    );
    fleet.laptop.good_bad_and_mended();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 3, "the other hook saw all three pushes");
    protects(&fleet);

    // Gitea writes its hooks anew when it is upgraded.
    server.gitea.command(&["admin", "regenerate", "hooks"]).unwrap();
    is_guarded(&fleet);

    // gitward is upgraded, to another place at that.
    let newer = fleet.path.with_file_name("gitward-newer");
    fs::copy(GITWARD, &newer).unwrap();
    shows(&fleet.gitward(newer.to_str().unwrap(), "install"), &["pre-receive: installed already, renewed"]);
    let delegated = fs::read_to_string(fleet.path.join("hooks/pre-receive.d/50-gitward")).unwrap();
    assert!(delegated.contains("gitward-newer"), "{delegated}");
    is_guarded(&fleet);

    shows(&fleet.gitward(GITWARD, "uninstall"), &["pre-receive: removed", "post-receive: removed"]);
    assert_eq!(all(&fleet.path.join("hooks")), before);
    fleet.laptop.write("deploy/web.yaml", &bad());
    let (accepted, text) = fleet.laptop.push();
    assert!(accepted && !text.contains("gitward"), "{text}");
}

/// What Gitea itself refuses, by its own hook, stays refused.
fn protects(fleet: &Fleet<'_>) {
    fleet.ask("POST", "branch_protections", json!({"rule_name": "locked", "enable_push": false})).succeeds();
    let (accepted, text) = fleet.laptop.push_refs(&["main:refs/heads/locked"]);
    assert!(!accepted, "{text}");
    shows(&text, &["protected branch locked"]);
}

fn is_guarded(fleet: &Fleet<'_>) {
    fleet.laptop.write("deploy/web.yaml", &bad());
    let (accepted, text) = fleet.laptop.push();
    assert!(!accepted, "{text}");
    shows(&text, &REFUSED);
    fleet.laptop.write("deploy/web.yaml", &format!("{CONFIG_MAP}\n"));
    fleet.laptop.commit();
}

fn others_hook(fleet: &Fleet<'_>) -> std::path::PathBuf {
    let (log, hook) = (fleet.path.join("others.log"), fleet.path.join("hooks").join(OTHERS));
    fs::write(&hook, format!("#!/bin/sh\ncat >> '{}'\n", log.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    log
}

/// All files of a folder, with what is in them.
fn all(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(all(&entry.path()).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            found.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}
