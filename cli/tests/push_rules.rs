//! Ways round the rules: pushes that change them together with what they forbid.

mod workspace;

use std::fs;

use workspace::{Push, Workspace};

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
crds: [schemas]
environments:
- name: prod
  ref: refs/heads/main
  path: deploy
  namespaces: [shop]
  clusterKinds: [CustomResourceDefinition]
";

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, maximum: 9}}}}}}
";

const WIDGET: &str =
    "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 3}\n";

/// A server that guards `main`, with a custom resource and where its definition stands.
fn guarded(definition: &str) -> Workspace {
    let work = Workspace::new();
    work.write("gitward.yaml", CONFIGURATION);
    work.write(definition, CRD);
    work.write("deploy/widget.yaml", WIDGET);
    work.commit("first");
    accepted(&work);
    work
}

fn accepted(work: &Workspace) -> Push {
    let push = work.push("main");
    assert!(push.accepted, "{}", push.text);
    push
}

fn denied(work: &Workspace, parts: &[&str]) {
    let push = work.push("main");
    assert!(!push.accepted, "{}", push.text);
    // Told lines are wrapped to the width of a terminal.
    let text = push.text.replace("\nremote:  ", "");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_kept_schema_is_not_loosened_together_with_the_object_that_needs_it() {
    let work = guarded("schemas/widgets.yaml");
    work.write("schemas/widgets.yaml", &CRD.replace(", maximum: 9", ""));
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 30"));
    work.commit("loosen and use it");
    denied(
        &work,
        &["schema/invalid", "deploy/widget.yaml:4:14", "push the schema alone, then the object", "push/effect"],
    );

    work.write("deploy/widget.yaml", WIDGET);
    work.commit("loosen alone");
    accepted(&work);
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 30"));
    work.commit("use it afterwards");
    accepted(&work);
}

#[test]
fn a_kept_schema_is_not_replaced_by_one_in_another_place() {
    let work = guarded("schemas/widgets.yaml");
    fs::remove_file(work.path("schemas/widgets.yaml")).unwrap();
    work.write("gitward.yaml", &CONFIGURATION.replace("crds: [schemas]", "crds: [other]"));
    work.write("other/widgets.yaml", &CRD.replace(", maximum: 9", ""));
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 30"));
    work.commit("move and loosen");
    denied(&work, &["schema/invalid", "deploy/widget.yaml:4:14"]);
}

#[test]
fn a_declared_definition_is_not_replaced_by_a_looser_one_that_only_says_so() {
    let work = guarded("deploy/widgets.yaml");
    fs::remove_file(work.path("deploy/widgets.yaml")).unwrap();
    work.write("schemas/widgets.yaml", &CRD.replace(", maximum: 9", ""));
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 30"));
    work.commit("take out and loosen");
    denied(&work, &["schema/invalid", "deploy/widget.yaml:4:14"]);
}

#[test]
fn a_declared_definition_may_be_upgraded_together_with_its_objects() {
    let work = guarded("deploy/widgets.yaml");
    work.write("deploy/widgets.yaml", &CRD.replace("size: {", "colour: {type: string}, size: {"));
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "colour: red"));
    work.commit("upgrade and use it");
    accepted(&work);
}

#[test]
fn a_tightened_schema_is_told_with_what_it_finds() {
    let work = guarded("schemas/widgets.yaml");
    work.write("schemas/widgets.yaml", &CRD.replace("maximum: 9", "maximum: 2"));
    work.commit("tighten");
    let push = accepted(&work);
    push.shows(&["push/effect", "deploy/widget.yaml:4:14"]);
}

#[test]
fn the_guard_is_taken_away_only_where_that_was_announced() {
    let work = guarded("schemas/widgets.yaml");
    let other = "- {name: stage, ref: refs/heads/stage, path: stage, namespaces: [shop]}\n";
    let without_it = format!("{}environments:\n{other}", CONFIGURATION.split("environments:").next().unwrap());
    for rules in [None, Some(&without_it)] {
        work.git(&["reset", "--quiet", "--hard", "origin/main"]);
        match rules {
            Some(rules) => work.write("gitward.yaml", rules),
            None => fs::remove_file(work.path("gitward.yaml")).unwrap(),
        }
        work.commit("no guard");
        denied(&work, &["push/unguarded", "environment prod", "allowRemoval: true"]);
        // Nor by way of a commit that brings it back.
        work.write("deploy/bad.yaml", &WIDGET.replace("size: 3", "size: 30").replace("name: w", "name: bad"));
        work.commit("unjudged");
        assert!(!work.push("main").accepted);
        work.write("gitward.yaml", CONFIGURATION);
        work.commit("back");
        denied(&work, &["schema/invalid", "deploy/bad.yaml:4:14"]);
    }

    work.git(&["reset", "--quiet", "--hard", "origin/main"]);
    work.write("gitward.yaml", &CONFIGURATION.replace("name: prod\n", "name: production\n"));
    work.commit("another name");
    accepted(&work);
    work.write("gitward.yaml", &CONFIGURATION.replace("  path:", "  allowRemoval: true\n  path:"));
    work.commit("announced");
    accepted(&work);
    fs::remove_file(work.path("gitward.yaml")).unwrap();
    work.commit("meant");
    accepted(&work).shows(&["warning[push/unguarded]", "gitward.yaml is gone"]);
}

#[test]
fn what_the_rules_name_and_is_not_there_is_told_with_the_push_that_brings_it() {
    let work = guarded("schemas/widgets.yaml");
    work.write(
        "gitward.yaml",
        &CONFIGURATION.replace("crds: [schemas]", "policies: [polcies]\ncrds: [schemas, schema]"),
    );
    work.commit("misspelt");
    let push = accepted(&work);
    push.shows(&["warning[config/nothing-there]", "gitward.yaml:4:12", "gitward.yaml:5:17"]);
    work.write("gitward.yaml", &CONFIGURATION.replace("crds: [schemas]", "policies: [policies]\ncrds: [schemas]"));
    let idle = "package gitward.size\n\nkinds := {\"Widgt\"}\n\ndeyn contains \"no\" if input.object.spec.size > 2\n";
    work.write("policies/size.rego", idle);
    work.commit("comes to nothing");
    accepted(&work).shows(&["warning[policy/judges-nothing]", "policies/size.rego:1:1"]);
    work.write("policies/size.rego", &idle.replace("deyn", "deny"));
    work.commit("for no kind");
    let push = accepted(&work);
    let text = push.text.replace("\nremote:  ", "");
    assert!(text.contains("policy/judges-nothing +1") && text.contains("policies/size.rego:3:1"), "{text}");
}

#[test]
fn a_custom_resource_is_compared_with_what_it_was() {
    let crd = CRD.replace(
        "size: {type: integer, maximum: 9}",
        "size: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: it only grows}]}",
    );
    let work = Workspace::new();
    work.write("gitward.yaml", CONFIGURATION);
    work.write("deploy/widgets.yaml", &crd);
    work.write("deploy/widget.yaml", WIDGET);
    work.commit("first");
    accepted(&work);
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 2"));
    work.commit("shrink");
    denied(&work, &["schema/rule", "it only grows", "deploy/widget.yaml:4:14"]);
    // Nor from another file, nor by way of a commit that goes further back.
    fs::remove_file(work.path("deploy/widget.yaml")).unwrap();
    work.write("deploy/moved.yaml", &WIDGET.replace("size: 3", "size: 1"));
    work.commit("move and shrink");
    denied(&work, &["schema/rule", "deploy/moved.yaml:4:14"]);
    work.write("deploy/moved.yaml", &WIDGET.replace("size: 3", "size: 4"));
    work.commit("move and grow");
    accepted(&work);
    // Back to what an earlier push had, which may be remembered.
    work.write("deploy/moved.yaml", WIDGET);
    work.commit("back");
    denied(&work, &["it only grows", "deploy/moved.yaml:4:14"]);
    fs::remove_file(work.path("deploy/moved.yaml")).unwrap();
    work.commit("away");
    accepted(&work);
    work.write("deploy/widget.yaml", &WIDGET.replace("size: 3", "size: 1"));
    work.commit("made anew");
    accepted(&work);
}
