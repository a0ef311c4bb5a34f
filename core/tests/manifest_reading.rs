//! What a user of the manifest reader notices: objects, places, findings.

use std::sync::Arc;

use gitward_core::finding::Finding;
use gitward_core::manifest::{self, Limits, Manifest, parse_document};
use gitward_core::path::{FieldPath, Step};
use serde_json::json;

fn read(text: &str) -> (Vec<Manifest>, Vec<Finding>) {
    manifest::read(&Arc::from("app.yaml"), text.as_bytes(), &Limits::default())
}

fn objects(text: &str) -> Vec<Manifest> {
    let (manifests, findings) = read(text);
    assert_eq!(findings, []);
    manifests
}

fn one(text: &str) -> Manifest {
    objects(text).pop().unwrap()
}

/// `line:column rule message`, one a line.
fn findings(text: &str) -> Vec<String> {
    let (_, findings) = read(text);
    findings
        .into_iter()
        .map(|f| {
            assert!(f.hint.is_some(), "no hint: {}", f.message);
            let place = f.place.unwrap();
            format!("{}:{} {} {}", place.line, place.column, f.rule, f.message)
        })
        .collect()
}

fn at(manifest: &Manifest, path: &FieldPath) -> (u32, u32) {
    let place = manifest.place(path);
    (place.line, place.column)
}

fn key_at(manifest: &Manifest, path: &FieldPath) -> (u32, u32) {
    let place = manifest.key_place(path);
    (place.line, place.column)
}

fn named(name: &str) -> Step {
    Step::Key(vec![("name".to_owned(), json!(name))])
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web, \"tier\": 'front'}
spec:
  template:
    spec:
      containers:
        - name: side
          image: side:1
        - name: app
          image: &img !!str \"app:1.2\" # the app
          command:
          - sh
          - -c
          - |
            echo é
            exit
          env: []
        - image: *img
          name: copy
";

fn containers() -> FieldPath {
    FieldPath::of(["spec", "template", "spec", "containers"])
}

#[test]
fn every_value_and_key_has_its_place() {
    let m = one(DEPLOYMENT);
    assert_eq!(m.key.to_string(), "Deployment/web in shop");
    assert_eq!(m.gvk.to_string(), "apps/v1 Deployment");
    assert_eq!(at(&m, &FieldPath::root()), (1, 1));
    assert_eq!(at(&m, &FieldPath::of(["metadata", "name"])), (4, 9));
    assert_eq!(key_at(&m, &FieldPath::of(["metadata", "name"])), (4, 3));
    assert_eq!(at(&m, &FieldPath::of(["metadata", "labels"])), (6, 11));
    assert_eq!(at(&m, &FieldPath::of(["metadata", "labels", "tier"])), (6, 30));
    assert_eq!(key_at(&m, &FieldPath::of(["metadata", "labels", "tier"])), (6, 22));
    assert_eq!(at(&m, &containers().with(named("side"))), (11, 11));
    assert_eq!(at(&m, &containers().with(named("app")).field("image")), (14, 29));
    assert_eq!(at(&m, &containers().index(1).field("command")), (16, 11));
    assert_eq!(at(&m, &containers().index(1).field("command").index(2)), (18, 13));
    assert_eq!(at(&m, &containers().index(1).field("env")), (21, 16));
}

#[test]
fn an_alias_stands_where_its_value_is_written() {
    let m = one(DEPLOYMENT);
    let image = containers().with(named("copy")).field("image");
    assert_eq!(image.get(&m.value), Some(&json!("app:1.2")));
    assert_eq!(at(&m, &image), (14, 29));
    assert_eq!(key_at(&m, &image), (22, 11));
}

#[test]
fn what_is_not_written_has_the_place_of_what_it_would_stand_in() {
    let m = one(DEPLOYMENT);
    assert_eq!(at(&m, &FieldPath::of(["metadata", "annotations", "x"])), (3, 1));
    assert_eq!(at(&m, &containers().with(named("app")).field("resources")), (13, 11));
    assert_eq!(at(&m, &containers().with(named("gone")).field("image")), (10, 7));
    assert_eq!(at(&m, &FieldPath::of(["status", "replicas"])), (1, 1));
}

#[test]
fn spans_are_the_bytes_to_edit() {
    for text in [DEPLOYMENT.to_owned(), DEPLOYMENT.replace('\n', "\r\n"), format!("\u{feff}# é\n---\n{DEPLOYMENT}")] {
        let m = one(&text);
        let written = |path: &FieldPath| m.span(path).map(|(offset, length)| &text[offset..offset + length]);
        assert_eq!(written(&containers().index(0).field("image")), Some("side:1"));
        assert_eq!(written(&containers().index(1).field("image")), Some("\"app:1.2\""));
        assert_eq!(written(&FieldPath::of(["metadata", "labels", "tier"])), Some("'front'"));
        let script = written(&containers().index(1).field("command").index(2)).unwrap();
        assert!(script.starts_with('|') && script.trim_end().ends_with("exit"), "{script:?}");
        assert_eq!(written(&containers()), None);
        assert_eq!(written(&FieldPath::of(["metadata", "uid"])), None);
    }
}

#[test]
fn columns_count_characters_and_lines_count_line_feeds() {
    let m = one("{kind: ConfigMap, apiVersion: v1, metadata: {name: x}, data: {é: 日本, b: \"c\u{2028}d\", e: f}}");
    assert_eq!(at(&m, &FieldPath::of(["data", "é"])), (1, 66));
    assert_eq!(at(&m, &FieldPath::of(["data", "e"])), (1, 83));
}

#[test]
fn an_empty_value_stands_behind_its_colon() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: &d\nbinaryData:\n";
    let m = one(text);
    assert_eq!(at(&m, &FieldPath::of(["data"])), (4, 9));
    assert_eq!(at(&m, &FieldPath::of(["binaryData"])), (5, 12));
    assert_eq!(m.span(&FieldPath::of(["binaryData"])), Some((text.len() - 1, 0)));
}

#[test]
fn merged_fields_stand_where_they_are_written() {
    let m = one("\
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
base: &base {a: 1, b: 2}
data:
  <<: *base
  b: 3
");
    assert_eq!(m.value["data"], json!({"a": 1, "b": 3}));
    assert_eq!(at(&m, &FieldPath::of(["data", "a"])), (4, 17));
    assert_eq!(at(&m, &FieldPath::of(["data", "b"])), (7, 6));
}

#[test]
fn lists_are_taken_apart() {
    let text = "\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleList
  items:
  - metadata: {name: b, namespace: ops}
    rules: []
---
{apiVersion: v1, kind: ConfigMapList, items: []}
---
apiVersion: example.com/v1
kind: AllowList
metadata: {name: c}
";
    let found = objects(text);
    let names: Vec<_> = found.iter().map(|m| m.key.to_string()).collect();
    assert_eq!(names, ["Service/a", "Role/b in ops", "AllowList/c"]);
    let role = &found[1];
    assert_eq!(role.value["apiVersion"], "rbac.authorization.k8s.io/v1");
    assert_eq!(role.base.to_string(), "items[1].items[0]");
    assert_eq!(at(role, &FieldPath::of(["rules"])), (11, 12));
    assert_eq!(at(role, &FieldPath::of(["kind"])), (10, 5));
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let text = "\
# nothing

---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b
data: {}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}";
    let (found, findings) = read(text);
    assert_eq!(found.iter().map(|m| m.key.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].place.as_ref().unwrap().line, 11);
}

#[test]
fn findings_say_what_is_wrong_and_where() {
    let cases: &[(&str, &[&str])] = &[
        ("a: 1\nb: 2\n", &["1:1 manifest/missing-kind the object has no kind"]),
        ("kind: A\n", &["1:1 manifest/missing-api-version the object has no apiVersion"]),
        ("kind: A\napiVersion: 1\n", &["2:13 manifest/missing-api-version apiVersion is a number, not text"]),
        ("- a\n", &["1:1 manifest/not-an-object a list where an object has to stand"]),
        ("kind: A\napiVersion: v1\n", &["1:1 manifest/missing-name the object has no metadata.name"]),
        (
            "kind: A\napiVersion: v1\nmetadata:\n  namespace: x\n",
            &["3:1 manifest/missing-name the object has no metadata.name"],
        ),
        (
            "kind: A\napiVersion: v1\nmetadata:\n  name: 123\n",
            &["4:9 manifest/missing-name metadata.name is a number, not text"],
        ),
        (
            "kind: A\napiVersion: v1\nmetadata:\n  generateName: a-\n",
            &[
                "4:17 manifest/missing-name an object with generateName has no name of its own: it cannot be declared in Git",
            ],
        ),
        (
            "kind: A\napiVersion: v1\nmetadata: {name: a/b}\n",
            &["3:18 manifest/invalid-name the API server takes no object named \"a/b\""],
        ),
        (
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: My_App}\n",
            &["3:18 manifest/invalid-name the API server takes no object named \"My_App\""],
        ),
        (
            "kind: RuntimeClass\napiVersion: node.k8s.io/v1\nmetadata: {name: My_App}\n",
            &["3:18 manifest/invalid-name the API server takes no object named \"My_App\""],
        ),
        (
            "kind: ValidatingAdmissionPolicy\napiVersion: admissionregistration.k8s.io/v1\nmetadata: {name: a:b}\n",
            &["3:18 manifest/invalid-name the API server takes no object named \"a:b\""],
        ),
        ("kind: PodDisruptionBudget\napiVersion: policy/v1\nmetadata: {name: My_Budget}\n", &[]),
        ("kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: 'system:My_Role'}\n", &[]),
        (
            "kind: A\napiVersion: v1\nmetadata: {name: a, namespace: on}\n",
            &["3:32 manifest/invalid-name metadata.namespace is a boolean, which names no namespace"],
        ),
        ("kind: List\napiVersion: v1\nitems: {}\n", &["3:8 manifest/not-an-object `items` is a mapping, not a list"]),
        (
            "a: 1\nb: {c: 1, c: 2}\na: 2\n",
            &[
                "2:11 manifest/duplicate-key the key `c` already stands on line 2",
                "3:1 manifest/duplicate-key the key `a` already stands on line 1",
            ],
        ),
        (
            "d: &d {x: 1}\nc:\n  x: 2\n  <<: *d\n",
            &["4:3 manifest/duplicate-key `<<` brings in the key `x`, which already stands on line 3"],
        ),
        (
            "a:\n\tb: 1\n",
            &["2:1 manifest/syntax found character that cannot start any token while scanning for the next token"],
        ),
        ("a: b: c\n", &["1:5 manifest/syntax mapping values are not allowed in this context"]),
        ("a: *x\n", &["1:4 manifest/syntax the anchor `x` is not defined"]),
        ("a: {{ .Values.x }}\n", &["1:5 manifest/syntax a key has to be text, a boolean or a number"]),
        ("a: \u{7}\n", &["1:4 manifest/encoding the control character U+0007 is not allowed"]),
        ("--- {a: 1}\n", &["1:4 manifest/syntax content on the line of a document separator"]),
        (
            "a: 1\r---\rb: 2\n",
            &["1:6 manifest/syntax content after the end of the document, which kubectl does not read"],
        ),
        ("a: 1\n...\nb: 2\n", &["3:1 manifest/syntax the document has ended before this line"]),
        ("a: .inf\n", &["1:4 manifest/syntax infinity and not-a-number cannot be written in JSON"]),
        ("~: 1\n", &["1:1 manifest/syntax a key has to be text, a boolean or a number"]),
        ("# x\ra: 1\n", &["1:5 manifest/missing-kind the object has no kind"]),
    ];
    for (text, expected) in cases {
        assert_eq!(findings(text), *expected, "{text:?}");
    }
}

#[test]
fn hints_name_the_usual_mistake() {
    let hint = |text: &str| read(text).1[0].hint.clone().unwrap();
    assert!(hint("a:\n\tb: 1\n").contains("tabs"));
    assert!(hint("a: {{ .Values.x }}\n").contains("template"));
    assert!(hint("{{- if .Values.x }}\na: 1\n{{- end }}\n").contains("template"));
    assert!(hint("a: @x\n").contains("quotes"));
    assert!(hint("a:\n  b: 1\n c: 2\n").contains("indentation"));
    assert!(hint("a: \"x\nb: 1\n").contains("never closed"));
}

#[test]
fn what_is_too_large_is_refused_quickly() {
    let limits = Limits { bytes: 1 << 20, depth: 100, nodes: 200_000 };
    let rules = |text: &str| -> Vec<String> {
        let (_, problems) = manifest::documents(text.as_bytes(), &limits);
        problems.iter().map(|p| p.rule.id().to_owned()).collect()
    };
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (from, to) in "abcdefghi".chars().zip("bcdefghij".chars()) {
        bomb.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(",")));
    }
    for text in [
        "x".repeat(2 << 20),
        "[".repeat(1 << 20),
        "- ".repeat(1 << 19),
        "? ".repeat(1 << 19),
        format!("a: {}", "[".repeat(1 << 19)),
        "- x\n".repeat(250_000),
        "a\n---\n".repeat(150_000),
        bomb,
    ] {
        assert_eq!(rules(&text), ["manifest/too-large"], "{}", &text[..20]);
    }
    assert_eq!(rules(&"%TAG !a! x:\n".repeat(50_000)), ["manifest/syntax"]);
    assert!(!rules(&"&a ".repeat(100_000)).is_empty());
    assert!(!rules(&"{a: ".repeat(100_000)).is_empty());
}

#[test]
fn one_document_is_one_document() {
    let limits = Limits::default();
    let document = parse_document(b"# c\na: {b: [1, x]}\n", &limits).unwrap();
    assert_eq!(document.value, json!({"a": {"b": [1, "x"]}}));
    let place = document.spans.place(&Arc::from("gitward.yaml"), &FieldPath::of(["a", "b"]).index(1));
    assert_eq!(place.to_string(), "gitward.yaml:2:12");
    assert!(parse_document(b"", &limits).unwrap_err().message.contains("no content"));
    assert_eq!(parse_document(b"a: 1\n---\nb: 1\n", &limits).unwrap_err().line, 3);
    assert_eq!(parse_document(b"a: 1\na: 2\n", &limits).unwrap_err().line, 2);
}

#[test]
fn messages_hold_no_values() {
    for text in [
        "a: !!int hunter2\n",
        "a: !!binary hunter2\n",
        "a: 'hunter2\n",
        "a: hunter2: x\n",
        "hunter1: &h hunter2\na: [*x]\n",
    ] {
        for finding in read(text).1 {
            assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
        }
    }
}

#[test]
fn a_file_that_begins_with_a_brace_is_read_as_json() {
    let text = concat!(
        "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"},\n",
        " \"data\": {\"face\": \"\\ud83d\\ude00\", \"path\": \"x\\/y\", \"del\": \"\u{7f}\", \"last\": 1}}\n",
        "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"b\"}}",
        "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"c\"}}\n",
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n",
    );
    let read = objects(text);
    let names: Vec<&str> = read.iter().map(|m| m.key.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(read[0].value["data"], json!({"face": "\u{1f600}", "path": "x/y", "del": "\u{7f}", "last": 1}));
    assert_eq!(at(&read[0], &FieldPath::of(["data", "last"])), (2, 71));
    assert_eq!(at(&read[1], &FieldPath::of(["metadata", "name"])), (3, 64));
    assert_eq!(at(&read[2], &FieldPath::of(["metadata", "name"])), (3, 132));
    assert_eq!(at(&read[3], &FieldPath::of(["metadata", "name"])), (7, 18));
}

#[test]
fn what_only_json_knows_is_no_yaml() {
    let with = |value: &str| {
        findings(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {value}}}\n"))
    };
    assert_eq!(with(r#""x\/y""#), [r"4:11 manifest/syntax `\/` in a text, which kubectl does not read in YAML"]);
    assert!(with(r#""\ud83d\ude00""#)[0].starts_with("4:"), "{:?}", with(r#""\ud83d\ude00""#));
    assert_eq!(with("\"\u{7f}\""), ["4:12 manifest/encoding the control character U+007F is not allowed"]);
    assert_eq!(with(r#""\\/""#), Vec::<String>::new());
    assert_eq!(with("b, c:"), ["4:15 manifest/syntax found unexpected ':' while scanning a plain scalar"]);
    // Flow mappings of YAML begin with a brace as well.
    assert_eq!(objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n").len(), 1);
}
