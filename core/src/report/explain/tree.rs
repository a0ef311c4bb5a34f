//! Rules about the tree as a whole.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "tree/duplicate-object",
        title: "An object is declared once",
        why: "Of two declarations only one can be true, and which one would depend on the order of files.",
        example: r#"# a.yaml and b.yaml both
kind: ConfigMap
metadata: {name: settings, namespace: shop}"#,
        fix: "Remove one of the two.",
    },
    Row {
        rule: "tree/missing-namespace",
        title: "A namespaced object says its namespace",
        why: "Otherwise the namespace would depend on who applies it, and how.",
        example: r#"kind: ConfigMap
metadata:
  name: settings"#,
        fix: "Add `metadata.namespace`.",
    },
    Row {
        rule: "tree/wrong-namespace",
        title: "An object lives where its environment governs",
        why: "An environment governs the namespaces and cluster-scoped kinds that gitward.yaml gives it, and nothing else.",
        example: r#"metadata:
  namespace: someone-elses"#,
        fix: "Move the object to its own environment, or add the namespace to this one in gitward.yaml.",
    },
    Row {
        rule: "tree/no-configuration",
        title: "The repository has a gitward.yaml",
        why: "Without it nobody knows which paths feed which environment, and what holds for them.",
        example: "",
        fix: "Add gitward.yaml at the root of the repository.",
    },
    Row {
        rule: "tree/not-rendered",
        title: "Everything declared can be read",
        why: "What is not rendered is not declared, and would be removed from the cluster.",
        example: "kustomization.yaml",
        fix: "Commit the rendered manifests, or point the environment's path elsewhere.",
    },
    Row {
        rule: "tree/symlink",
        title: "The tree holds files, not links to them",
        why: "A symbolic link reads differently for git, for a checkout and for a renderer.",
        example: "",
        fix: "Put the file itself in the tree.",
    },
    Row {
        rule: "tree/submodule",
        title: "The tree holds files, not other repositories",
        why: "A submodule's content is in another repository, whose pushes are judged by nobody here.",
        example: "",
        fix: "Put the files themselves in the tree.",
    },
    Row {
        rule: "tree/too-large",
        title: "Files of a tree stay within bounds",
        why: "Reading a tree is bounded in bytes and files, so that a push cannot hold up the others.",
        example: "",
        fix: "Split the file, or move what is no manifest out of the environment's path.",
    },
    Row {
        rule: "tree/too-deep",
        title: "Directories are not nested without end",
        why: "Reading a tree is bounded in depth; what lies deeper is not read, and so not declared.",
        example: "",
        fix: "Move the directory up, or out of the environment's path.",
    },
    Row {
        rule: "tree/name",
        title: "Names of files can be told apart",
        why: "Names that are no text, go beyond the tree, stand twice in a directory or differ in capital letters alone cannot be shown, reviewed or checked out alike everywhere.",
        example: "",
        fix: "Rename or remove the file.",
    },
];
