//! The push gate as a pusher meets it: real pushes to a real repository with the hooks installed.

mod workspace;

use std::fs;

use workspace::Workspace;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: app
        image: registry.example.org/web:1.0
";

/// Rules of our own and no starter policies, so that these tests mean the gate and nothing else.
const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
policies: [policies]
environments:
- name: prod
  ref: refs/heads/main
  path: deploy
  namespaces: [shop]
";

const POLICY: &str = r#"package gitward.no_latest
import rego.v1
deny contains {"msg": "image has the tag latest", "field": "spec.template.spec.containers[0].image"} if {
	endswith(input.object.spec.template.spec.containers[0].image, ":latest")
}
"#;

/// A server that guards `main`, and a clone with one good commit pushed to it.
fn guarded() -> Workspace {
    let work = Workspace::new();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/no_latest.rego", POLICY);
    work.write("deploy/web.yaml", DEPLOYMENT);
    work.commit("first");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    assert!(push.text.contains("remote: gitward: accepted: prod at refs/heads/main: 1 object"), "{}", push.text);
    assert!(push.text.contains("remote: gitward: prod follows refs/heads/main, now at "), "{}", push.text);
    work
}

#[test]
fn a_good_push_is_accepted() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.commit("scale");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn a_misspelt_field_is_shown_where_it_stands() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    work.commit("typo");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&[
        "remote: error[schema/unknown-field]: ",
        "deploy/web.yaml:7:3",
        "remote: 7 |   replcas: 1",
        "remote:   |   ^",
        "remote: gitward: rejected: 1 error in prod at refs/heads/main",
        "pre-receive hook declined",
    ]);
    assert!(push.longest_remote_line() <= 78 + "remote: ".len(), "{}", push.text);
}

#[test]
fn a_policy_of_the_repository_denies() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("latest");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["policy/no-latest", "image has the tag latest", "deploy/web.yaml:16:16"]);
}

#[test]
fn a_push_is_not_judged_by_the_policies_that_it_brings() {
    let work = guarded();
    fs::remove_file(work.path("policies/no_latest.rego")).unwrap();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("loosen and use it at once");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["policy/no-latest"]);

    work.write("deploy/web.yaml", DEPLOYMENT);
    work.commit("loosen alone");
    assert!(work.push("main").accepted);
    work.write("deploy/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("use it afterwards");
    assert!(work.push("main").accepted);
}

#[test]
fn moving_the_path_does_not_hide_what_is_there() {
    let work = guarded();
    work.write("gitward.yaml", &CONFIGURATION.replace("path: deploy", "path: other"));
    work.write("other/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("move");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["policy/no-latest", "other/web.yaml:16:16"]);
}

#[test]
fn what_was_there_before_stops_nobody() {
    let work = Workspace::without_hooks();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    work.commit("long ago");
    assert!(work.push("main").accepted);
    work.install_hooks();

    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/no_latest.rego", POLICY);
    work.commit("adopt");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["1 object; 1 finding was there before"]);

    // The finding moves to another line and file and is still the same one.
    fs::remove_file(work.path("deploy/web.yaml")).unwrap();
    work.write("deploy/moved.yaml", &format!("# moved\n{}", DEPLOYMENT.replace("replicas: 1", "replcas: 1")));
    work.commit("move");
    assert!(work.push("main").accepted);

    work.write(
        "deploy/second.yaml",
        &DEPLOYMENT.replace("replicas: 1", "replcas: 1").replace("name: web", "name: two"),
    );
    work.commit("one more");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["deploy/second.yaml:7:3", "1 error in prod", "1 finding was there before"]);
    assert!(!push.text.contains("deploy/moved.yaml"), "{}", push.text);
}

#[test]
fn rules_that_cannot_be_read_are_not_accepted() {
    let work = guarded();
    work.write("gitward.yaml", &CONFIGURATION.replace("ref: refs/heads/main", "ref: main"));
    work.commit("bad ref");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["config/ref", "gitward.yaml:7:8", "remote: 7 |   ref: main"]);

    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/broken.rego", "package gitward.broken\nimport rego.v1\ndeny contains \"x\" if {\n");
    work.commit("broken policy");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["policy/", "policies/broken.rego:"]);
}

#[test]
fn broken_rules_let_those_pass_who_mend_them() {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/broken.rego", "package gitward.broken\ndeny contains {");
    work.write("deploy/web.yaml", DEPLOYMENT);
    work.commit("broken long ago");
    assert!(work.push("main").accepted);
    work.install_hooks();

    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.commit("something else");
    assert!(!work.push("main").accepted);

    work.write("policies/broken.rego", POLICY);
    work.commit("mend and something else");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["push/broken-rules", "deploy/web.yaml"]);

    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.write("policies/broken.rego", POLICY);
    work.commit("mend");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["mends the rules"]);
}

#[test]
fn a_guarded_ref_is_neither_rewound_nor_deleted() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.git(&["commit", "--quiet", "--amend", "-a", "-m", "rewritten"]);
    let push = work.push("+main");
    assert!(!push.accepted);
    push.shows(&["push/force", "does not follow from"]);
    let push = work.push(":main");
    assert!(!push.accepted);
    push.shows(&["push/deletion", "feeds environment prod"]);

    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.write("gitward.yaml", &CONFIGURATION.replace("  path:", "  allowForcePush: true\n  path:"));
    work.commit("allow it");
    assert!(work.push("main").accepted);
    work.git(&["commit", "--quiet", "--amend", "-m", "rewritten"]);
    let push = work.push("+main");
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn refs_that_would_replace_objects_are_refused_with_the_whole_push() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 3"));
    work.commit("good");
    for git_ref in ["refs/replace/0123456789012345678901234567890123456789", "refs/gitward/accepted/prod"] {
        let push = work.push_refs(&["main", &format!("main:{git_ref}")]);
        assert!(!push.accepted);
        push.shows(&["push/reserved-ref", "main -> main (pre-receive hook declined)"]);
    }
}

#[test]
fn refs_that_feed_nothing_are_left_alone() {
    let work = guarded();
    work.write("deploy/web.yaml", "not a manifest at all: [");
    work.commit("work in progress");
    let push = work.push_refs(&["main:refs/heads/topic", "main:refs/tags/wip"]);
    assert!(push.accepted, "{}", push.text);
    assert!(!push.text.contains("gitward"), "{}", push.text);
    let push = work.push_refs(&["+main~1:refs/heads/topic", ":refs/tags/wip"]);
    assert!(push.accepted, "{}", push.text);
}

#[test]
fn a_new_ref_cannot_slip_past_the_rules_of_the_default_branch() {
    let work = guarded();
    let second = "- {name: stage, ref: refs/heads/stage, path: deploy, namespaces: [shop]}\n";
    work.write("gitward.yaml", &format!("{CONFIGURATION}{second}"));
    work.commit("a second environment");
    assert!(work.push("main").accepted);
    fs::remove_file(work.path("gitward.yaml")).unwrap();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    work.commit("without rules");
    let push = work.push("main:refs/heads/stage");
    assert!(!push.accepted);
    push.shows(&["schema/unknown-field", "in stage at refs/heads/stage"]);
}

#[test]
fn the_first_push_to_an_empty_repository_is_judged_by_its_own_rules() {
    let work = Workspace::new();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/no_latest.rego", POLICY);
    work.write("deploy/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("first");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["policy/no-latest"]);
    work.write("gitward.yaml", "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironment: []\n");
    work.commit("broken");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["config/unknown-field", "gitward.yaml:3:1"]);
}

#[test]
fn the_first_push_of_an_existing_repository_passes_with_what_was_there() {
    let work = Workspace::new();
    work.write("deploy/old.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1").replace("name: web", "name: old"));
    work.commit("long ago");
    work.write("gitward.yaml", CONFIGURATION);
    work.write("policies/no_latest.rego", POLICY);
    work.commit("adopt");
    work.write("deploy/web.yaml", DEPLOYMENT);
    work.commit("go on");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["accepted: prod at refs/heads/main: 2 objects; 1 finding was there before"]);

    let other = Workspace::new();
    other.write("deploy/old.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    other.commit("long ago");
    other.write("gitward.yaml", CONFIGURATION);
    other.commit("adopt");
    other.write("deploy/new.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1").replace("name: web", "name: new"));
    other.commit("a mistake since");
    let push = other.push("main");
    assert!(!push.accepted);
    push.shows(&["deploy/new.yaml:7:3", "1 error in prod", "1 finding was there before"]);
}

#[test]
fn a_change_of_the_rules_is_told_with_what_it_does() {
    let work = guarded();
    work.write(
        "deploy/second.yaml",
        &DEPLOYMENT.replace("name: web", "name: two").replace("image: reg", "image: other/reg"),
    );
    work.commit("another registry");
    assert!(work.push("main").accepted);
    let policy =
        POLICY.replace("no_latest", "registry").replace("image has the tag latest", "another registry").replace(
            r#"endswith(input.object.spec.template.spec.containers[0].image, ":latest")"#,
            r#"not startswith(input.object.spec.template.spec.containers[0].image, "registry.example.org/")"#,
        );
    work.write("policies/registry.rego", &policy);
    work.commit("tighten");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    let text = push.text.replace("\nremote:  ", "");
    for part in
        ["info[push/effect]", "prod has 1 error more and none fewer: policy/registry +1", "deploy/second.yaml:16:16"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.commit("scale");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["1 finding was there before"]);
    assert!(!push.text.contains("push/effect"), "{}", push.text);
}

#[test]
fn a_custom_resource_may_come_with_its_schema() {
    let work = guarded();
    work.write(
        "deploy/widget.yaml",
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: big}\n",
    );
    work.commit("a widget");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["schema/unknown-kind", "deploy/widget.yaml:1:13", "gitward schema add"]);

    work.write(
        "../crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec:\n  \
         group: example.org\n  names: {kind: Widget, plural: widgets}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
         storage: true\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}\n",
    );
    let text = work.gitward(&["schema", "add", "../crd.yaml"]);
    for part in [
        "wrote schemas/widgets.example.org.yaml: Widget of example.org/v1",
        "gitward.yaml names schemas under `crds` now",
    ] {
        assert!(text.contains(part), "{text}");
    }
    work.commit("its schema");
    let push = work.push("main");
    assert!(!push.accepted);
    push.shows(&["schema/type", "deploy/widget.yaml:4:14"]);
    work.write(
        "deploy/widget.yaml",
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 3}\n",
    );
    work.commit("a whole number");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    assert_eq!(work.gitward(&["schema", "add", "../crd.yaml"]).lines().count(), 1, "nothing more to be done");
}

#[test]
fn a_repository_without_rules_is_told_so() {
    let work = Workspace::new();
    work.write("deploy/web.yaml", "anything: [\n");
    work.commit("first");
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push.shows(&["remote: gitward: refs/heads/main has no gitward.yaml: nothing is judged"]);
}

#[test]
fn a_verdict_that_does_not_come_in_time_rejects() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.commit("scale");
    let push = work.push_with(&["main"], &[("GITWARD_HOOK_TIMEOUT", "0.001")]);
    assert!(!push.accepted);
    push.shows(&["gitward: rejected: no verdict within 0.001 s", "hint: "]);
}

#[test]
fn the_update_hook_rejects_one_ref_and_lets_the_others_pass() {
    let work = Workspace::without_hooks();
    work.gitward(&["hook", "install", "--repo", work.server(), "--hooks", "update"]);
    work.write("gitward.yaml", CONFIGURATION);
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    work.commit("first");
    let push = work.push_refs(&["main", "main:refs/heads/topic"]);
    assert!(!push.accepted);
    push.shows(&["schema/unknown-field", "main -> main (hook declined)", "[new branch]      main -> topic"]);
}

#[test]
fn hooks_stand_beside_those_that_were_there() {
    let work = Workspace::without_hooks();
    let log = work.path("../log");
    fs::write(work.hook("pre-receive"), format!("#!/bin/sh\ncat >> '{}'\n", log.display())).unwrap();
    work.make_executable(&work.hook("pre-receive"));
    work.install_hooks();
    work.install_hooks();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("deploy/web.yaml", DEPLOYMENT);
    work.commit("first");
    assert!(work.push("main").accepted);
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 1);
    work.write("deploy/web.yaml", "kind: [");
    work.commit("broken");
    assert!(!work.push("main").accepted);
    work.gitward(&["hook", "uninstall", "--repo", work.server()]);
    assert!(work.push("main").accepted);
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 3, "the former hook is back");
}

#[test]
fn the_range_on_a_laptop_gets_the_servers_verdict() {
    let work = guarded();
    work.write("deploy/web.yaml", &DEPLOYMENT.replace(":1.0", ":latest"));
    work.commit("latest");
    let check = work.try_gitward(&["check", "--range", "origin/main..HEAD"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&[
        "policy/no-latest",
        "deploy/web.yaml:16:16",
        "gitward: rejected: 1 error in prod at refs/heads/main",
    ]);
    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.write("deploy/web.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 2"));
    work.commit("good");
    assert_eq!(work.try_gitward(&["check", "--range", "origin/main..HEAD"]).code, Some(0));
}
