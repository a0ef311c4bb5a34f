//! Rules about files that cannot be read as manifests.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "manifest/syntax",
        title: "Manifests are YAML that Kubernetes reads",
        why: "A file that one tool reads and another does not means different things at different gates, so that nothing in it is taken for declared.",
        example: r#"metadata:
  name: "web"#,
        fix: "Mend the YAML at the place named.",
    },
    Row {
        rule: "manifest/duplicate-key",
        title: "A key stands once",
        why: "YAML readers keep the first or the last of two equal keys, each as it likes: what a reviewer read need not be what runs.",
        example: r#"spec:
  replicas: 2
  replicas: 5"#,
        fix: "Remove one of the two.",
    },
    Row {
        rule: "manifest/not-an-object",
        title: "A document is an object",
        why: "Kubernetes takes objects: a list or a text at the top of a document, or in the items of a List, is none.",
        example: r#"- just
- a list"#,
        fix: "Write a mapping with apiVersion, kind and metadata, or move the file out of the environment's path.",
    },
    Row {
        rule: "manifest/missing-kind",
        title: "An object says its kind",
        why: "Without a kind nobody knows what is declared.",
        example: r#"apiVersion: v1
metadata:
  name: web"#,
        fix: "Add `kind`.",
    },
    Row {
        rule: "manifest/missing-api-version",
        title: "An object says its API version",
        why: "The same kind exists in several API groups and versions.",
        example: r#"kind: Deployment
metadata:
  name: web"#,
        fix: "Add `apiVersion`, for example `apps/v1`.",
    },
    Row {
        rule: "manifest/missing-name",
        title: "An object has a name",
        why: "What is declared is found in the cluster by its name. With `generateName` every apply would make another object.",
        example: r#"metadata:
  generateName: job-"#,
        fix: "Give it `metadata.name`.",
    },
    Row {
        rule: "manifest/invalid-name",
        title: "A name is one that the API server takes",
        why: "The API server refuses other names, after the push.",
        example: r#"metadata:
  name: My_App"#,
        fix: "Use lower-case letters, digits, `-` and, where allowed, `.`.",
    },
    Row {
        rule: "manifest/too-large",
        title: "A file stays within bounds",
        why: "Size, nesting and expanded aliases are bounded, since a small file can describe a huge one.",
        example: r#"a: &a [x, x, x]
b: &b [*a, *a, *a]
c: [*b, *b, *b]"#,
        fix: "Split the file, or write the values out.",
    },
    Row {
        rule: "manifest/encoding",
        title: "A file is UTF-8 text",
        why: "Other encodings and control characters are read differently by different tools, and hide what they hold.",
        example: "",
        fix: "Save the file as UTF-8.",
    },
];
