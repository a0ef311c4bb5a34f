//! Pushes that try to get something past the gate.

mod workspace;

use std::io::Write;
use std::process::{Command, Stdio};

use workspace::Workspace;

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}
";

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {a: b}\n";

/// A server that guards `main`, and a clone with one good commit pushed to it.
fn guarded() -> Workspace {
    let work = Workspace::new();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("deploy/web.yaml", GOOD);
    work.commit("first");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    work
}

/// Writes an object as its bytes are, as no `git` command would make it.
fn object(work: &Workspace, kind: &str, bytes: &[u8]) -> String {
    let mut child = Command::new("git")
        .current_dir(work.path(""))
        .args(["hash-object", "-t", kind, "-w", "--literally", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// A tree with these entries in this order: mode, name and id.
fn tree(work: &Workspace, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} {name}\0").into_bytes());
        bytes.extend((0..id.len()).step_by(2).map(|i| u8::from_str_radix(&id[i..i + 2], 16).unwrap()));
    }
    object(work, "tree", &bytes)
}

/// The same on top of `main`.
fn commit_tree(work: &Workspace, entries: &[(&str, &str, &str)]) {
    let tree = tree(work, entries);
    let commit = work.git(&["commit-tree", "-p", "main", "-m", "by hand", &tree]);
    work.git(&["update-ref", "refs/heads/main", commit.trim()]);
}

#[test]
fn a_name_that_stands_twice_cannot_show_two_configurations() {
    let work = guarded();
    let deploy = work.git(&["rev-parse", "main:deploy"]);
    let rules = work.git(&["rev-parse", "main:gitward.yaml"]);
    let other = object(&work, "blob", CONFIGURATION.replace("path: deploy", "path: elsewhere").as_bytes());
    let (deploy, rules) = (deploy.trim(), rules.trim());
    for (first, second) in [(rules, other.as_str()), (other.as_str(), rules)] {
        work.git(&["update-ref", "refs/heads/main", "refs/remotes/origin/main"]);
        commit_tree(
            &work,
            &[("40000", "deploy", deploy), ("100644", "gitward.yaml", first), ("100644", "gitward.yaml", second)],
        );
        let push = work.push("main");
        assert!(!push.accepted, "{}", push.text);
        push.shows(&["config/unreadable", "name twice"]);
    }
}

#[test]
fn a_tree_out_of_order_hides_nothing() {
    let work = guarded();
    let deploy = work.git(&["rev-parse", "main:deploy"]);
    let broken = object(&work, "blob", b"apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironment: []\n");
    let other = object(&work, "blob", b"");
    commit_tree(
        &work,
        &[
            ("40000", "deploy", deploy.trim()),
            ("100644", "zz1", &other),
            ("100644", "zz2", &other),
            ("100644", "zz3", &other),
            ("100644", "gitward.yaml", &broken),
        ],
    );
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["config/unknown-field"]);
}

#[test]
fn names_that_differ_in_capitals_alone_are_refused() {
    let work = guarded();
    let blob = object(&work, "blob", GOOD.replace("web", "other").as_bytes());
    work.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},deploy/WEB.yaml")]);
    work.git(&["commit", "--quiet", "-m", "shout"]);
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["tree/name", "are one name where case does not"]);
}

#[test]
fn objects_that_are_replaced_on_the_server_are_judged_as_they_are() {
    let work = guarded();
    let good = work.git(&["rev-parse", "main:deploy/web.yaml"]);
    work.write("deploy/web.yaml", &GOOD.replace("\ndata:", "\ndta:"));
    work.commit("bad");
    let bad = work.git(&["rev-parse", "main:deploy/web.yaml"]);
    let replaced = format!("refs/replace/{}", bad.trim());
    work.git(&["--git-dir", work.server(), "update-ref", &replaced, good.trim()]);
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/unknown-field", "dta"]);
}

#[test]
fn links_and_submodules_cannot_stand_for_manifests() {
    let work = guarded();
    std::os::unix::fs::symlink("/etc/passwd", work.path("deploy/link.yaml")).unwrap();
    work.git(&["add", "--all"]);
    let head = work.git(&["rev-parse", "main"]);
    work.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},deploy/sub", head.trim())]);
    work.git(&["commit", "--quiet", "-m", "elsewhere"]);
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["tree/symlink", "deploy/link.yaml", "tree/submodule", "deploy/sub"]);
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_with_its_bound() {
    let work = guarded();
    work.write("deploy/large.yaml", &"# a comment, and nothing but comments\n".repeat(300_000));
    work.commit("large");
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["tree/too-large", "deploy/large.yaml", "8388608 bytes"]);

    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.write(&format!("deploy/{}web.yaml", "d/".repeat(70)), GOOD);
    work.commit("deep");
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["tree/too-deep", "below 64 others"]);
}

const BAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: shop}\ndata: {a: 1}\n";

#[test]
fn what_was_taken_for_a_schema_is_judged_when_it_declares_something() {
    let work = guarded();
    work.write("gitward.yaml", &format!("{CONFIGURATION}crds: [deploy/bad.yaml]\n"));
    work.write("deploy/bad.yaml", BAD);
    work.commit("hidden");
    assert!(work.push("main").accepted);
    work.write("gitward.yaml", CONFIGURATION);
    work.commit("shown");
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/type", "deploy/bad.yaml:4:11"]);
}

#[test]
fn a_symbolic_ref_is_the_ref_that_it_leads_to() {
    let work = guarded();
    git_at_server(&work, &["symbolic-ref", "refs/heads/master", "refs/heads/main"]);
    work.write("deploy/more.yaml", &GOOD.replace("web", "more"));
    work.commit("good");
    let push = work.push("main:master");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["accepted: prod at refs/heads/main", "prod follows refs/heads/main"]);
    work.write("deploy/bad.yaml", BAD);
    work.commit("bad");
    let push = work.push("main:master");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/type", "deploy/bad.yaml:4:11"]);
}

#[test]
fn rules_count_though_the_default_branch_is_not_there() {
    let work = guarded();
    let both = "- {name: dev, ref: refs/heads/dev, path: dev, namespaces: [shop]}\n";
    work.write("gitward.yaml", &format!("{CONFIGURATION}{both}"));
    work.write("dev/good.yaml", GOOD);
    work.commit("one more environment");
    assert!(work.push("main").accepted);
    git_at_server(&work, &["symbolic-ref", "HEAD", "refs/heads/nobodys"]);
    work.git(&["checkout", "--quiet", "--orphan", "other"]);
    work.git(&["rm", "-r", "-q", "-f", "."]);
    work.write("dev/bad.yaml", BAD);
    work.commit("no rules");
    work.write("gitward.yaml", &format!("{CONFIGURATION}{both}"));
    work.commit("rules");
    let push = work.push("other:dev");
    assert!(!push.accepted, "{}", push.text);
    push.shows(&["schema/type", "dev/bad.yaml:4:11"]);
}

/// A few objects that stand for a hundred million paths.
#[test]
fn a_tree_that_stands_for_millions_is_bounded() {
    let work = guarded();
    let mut bomb = object(&work, "blob", GOOD.as_bytes());
    for level in 0..8 {
        let mode = if level == 0 { "100644" } else { "40000" };
        let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        bomb = tree(&work, &names.map(|name| (mode, name, bomb.as_str())));
    }
    let deploy = work.git(&["rev-parse", "main:deploy"]);
    let rules = work.git(&["rev-parse", "main:gitward.yaml"]);
    commit_tree(
        &work,
        &[("40000", "bomb", &bomb), ("40000", "deploy", deploy.trim()), ("100644", "gitward.yaml", rules.trim())],
    );
    let push = work.push("main");
    assert!(push.accepted, "nothing of it is asked for: {}", push.text);
}

fn git_at_server(work: &Workspace, arguments: &[&str]) {
    let server = work.path("").parent().unwrap().join("server.git");
    let done = Command::new("git").arg("-C").arg(server).args(arguments).status().unwrap();
    assert!(done.success());
}
