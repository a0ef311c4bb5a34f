//! Rules about gitward.yaml.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "config/unreadable",
        title: "gitward.yaml can be read",
        why: "Without it nobody knows which rules hold.",
        example: "",
        fix: "Make it a plain file of UTF-8 text at the root of the repository.",
    },
    Row {
        rule: "config/unknown-field",
        title: "gitward.yaml has no unknown fields",
        why: "A misspelt field would silently not hold.",
        example: "enviroments: []",
        fix: "Correct the name; the reference of the configuration lists the fields.",
    },
    Row {
        rule: "config/missing-field",
        title: "gitward.yaml has all it needs",
        why: "A default for this field could only be wrong.",
        example: r#"environments:
  - name: prod    # no ref"#,
        fix: "Add the field.",
    },
    Row {
        rule: "config/wrong-type",
        title: "Values in gitward.yaml have their field's type",
        why: "A value of another type cannot be meant.",
        example: r#"kubernetes: 1.36    # a list of texts: ["1.36"]"#,
        fix: "Write the value as the reference of the configuration shows it.",
    },
    Row {
        rule: "config/version",
        title: "gitward.yaml is of a version that this gitward knows",
        why: "An older gitward would not know what a newer configuration asks for.",
        example: "apiVersion: gitward.dev/v2",
        fix: "Use a gitward of that version.",
    },
    Row {
        rule: "config/kind",
        title: "gitward.yaml is a Configuration",
        why: "Another kind of object is not read as configuration.",
        example: "kind: Environment",
        fix: "Write `kind: Configuration`.",
    },
    Row {
        rule: "config/kubernetes",
        title: "Kubernetes versions are minor versions",
        why: "Manifests are checked against the schemas of these versions.",
        example: r#"kubernetes: ["latest"]"#,
        fix: "Name minor versions, for example `1.36`.",
    },
    Row {
        rule: "config/path",
        title: "Directories are relative to the root",
        why: "A path beyond the repository, or none at all, cannot be what is meant.",
        example: "path: ../other",
        fix: "Write it relative to the root, like `deploy/prod`.",
    },
    Row {
        rule: "config/environment-name",
        title: "Environments have names of their own",
        why: "The cluster's Environment resource is found by it.",
        example: r#"environments:
  - name: Prod East"#,
        fix: "Use lower-case letters, digits and `-`, and every name once.",
    },
    Row {
        rule: "config/ref",
        title: "Refs are full names",
        why: "`main` might be a branch or a tag.",
        example: "ref: main",
        fix: "Write `refs/heads/main`.",
    },
    Row {
        rule: "config/namespace",
        title: "A namespace belongs to one environment",
        why: "Two environments that govern one namespace would undo each other's work.",
        example: r#"environments:
  - {name: a, namespaces: [shop]}
  - {name: b, namespaces: [shop]}"#,
        fix: "Leave it in one of them.",
    },
    Row {
        rule: "config/system-namespace",
        title: "The cluster's own namespaces are not governed",
        why: "The cluster, and gitward in it, need them to start: a mistake there could not be mended any more.",
        example: "namespaces: [kube-system]",
        fix: "Leave it out, or put it into `sharedNamespaces`: there only what Git declares is governed.",
    },
    Row {
        rule: "config/shared",
        title: "What is shared is not governed as a whole as well",
        why: "Where others live too, only what Git declares is governed; where nobody else may, everything is.",
        example: r#"namespaces: [shop]
sharedNamespaces: [shop]"#,
        fix: "Keep the namespace or kind in one of the two lists.",
    },
    Row {
        rule: "config/kind-name",
        title: "Kinds are written as `Kind` or `Kind.group`",
        why: "Plural resource names mean nothing here.",
        example: "clusterKinds: [clusterroles]",
        fix: "Write `ClusterRole` or `ClusterRole.rbac.authorization.k8s.io`.",
    },
    Row {
        rule: "config/exemption",
        title: "An exemption says who may do what, and why",
        why: "An exemption that is too wide, or that nobody can judge later, is a hole.",
        example: r#"exemptions:
  - name: all
    accounts: ["*"]"#,
        fix: "Name accounts, kinds, and a reason; limit fields and time where you can.",
    },
    Row {
        rule: "config/delegation",
        title: "A delegation bounds what an operator may do",
        why: "What an operator makes is in no template, so only its bounds keep it from being anything at all.",
        example: r#"delegations:
  - name: monitoring
    accounts: ["system:serviceaccount:monitoring:operator"]
    reason: makes what a Prometheus asks for
    makes:
      - kinds: [StatefulSet.apps]"#,
        fix: "Name owners and images; a `*` stands at the end of a name only. Declare RBAC and admission configuration in Git. A policy under `policies` stands in a directory that the `policies` of the file names, and judges one of the kinds.",
    },
    Row {
        rule: "config/expired",
        title: "Exemptions and delegations that are over are taken out",
        why: "After its `until` an exemption or a delegation lets nothing through, and what it left in the cluster is brought back to Git. Whoever reads gitward.yaml should see what holds, and whoever still needs it should hear of it before the next denial.",
        example: r#"exemptions:
  - name: restarts
    until: 2020-01-01T00:00:00Z"#,
        fix: "Remove it, or move `until` if it is still needed.",
    },
    Row {
        rule: "config/break-glass",
        title: "A break-glass declaration says who may, and for how long",
        why: "Where nobody is named it helps nobody, and without a bound it would not end.",
        example: r#"breakGlass:
  - name: on-call
    maximum: 900h"#,
        fix: "Give it a name of its own, accounts or groups, and a maximum of up to 24 hours.",
    },
    Row {
        rule: "config/nothing-there",
        title: "What gitward.yaml names is there",
        why: "A misspelt path makes an environment that declares nothing, policies that nobody evaluates, or schemas that nobody reads. A warning.",
        example: "path: prdo",
        fix: "Correct the path, or put there what it should hold.",
    },
];
