use std::sync::Arc;

use super::*;
use crate::finding::Place;
use crate::object::ObjectKey;
use crate::path::FieldPath;

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n\tprivileged: true\n  label: 日本語 \u{1b}[31mred\u{202e}\n";

const SECRET: &str =
    "kind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter2\n  pem: |\n    line of a key\n";

fn at(file: &str, line: u32, column: u32) -> Option<Place> {
    Some(Place { file: file.into(), line, column })
}

fn sources(file: &str) -> Option<Arc<str>> {
    match file {
        "app/web.yaml" => Some(DEPLOYMENT.into()),
        "app/secret.yaml" => Some(SECRET.into()),
        "app/wide.yaml" => Some(format!("a: {}x: 1\n", "long words ".repeat(30)).into()),
        _ => None,
    }
}

fn web() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", "prod", "web")
}

fn findings() -> Vec<Finding> {
    vec![
        Finding::warning("policy/labels", "the label is odd").with_place(at("app/web.yaml", 7, 15)).with_object(web()),
        Finding::error("policy/privileged", "container app is privileged")
            .with_object(web())
            .with_field(FieldPath::of(["spec", "privileged"]))
            .with_place(at("app/web.yaml", 6, 2))
            .with_hint("remove `privileged: true` and add the one capability that is needed"),
        Finding::new(Severity::Info, "policy/host-path", "allowed (exception: node agent)").with_object(web()),
    ]
}

fn secret(line: u32, column: u32, field: [&str; 2]) -> Finding {
    Finding::warning("policy/secret-in-git", "a value stands in Git")
        .with_object(ObjectKey::new("", "Secret", "prod", "s"))
        .with_field(FieldPath::of(field))
        .with_place(at("app/secret.yaml", line, column))
}

#[test]
fn findings_show_their_line_the_heaviest_first() {
    insta::assert_snapshot!(text(&findings(), &sources, &Style::default()));
}

#[test]
fn colours_are_a_choice() {
    let coloured = text(&findings(), &sources, &Style { color: true, ..Style::default() });
    insta::assert_snapshot!(coloured.replace('\u{1b}', "␛"));
    assert!(!text(&findings(), &sources, &Style::default()).contains('\u{1b}'));
}

#[test]
fn a_limit_hides_the_lightest_and_says_so() {
    let shown = text(&findings(), &sources, &Style { limit: 1, ..Style::default() });
    assert!(shown.contains("policy/privileged") && !shown.contains("policy/labels"));
    assert!(shown.ends_with("1 error, 1 warning, 1 note (2 more not shown)\n"), "{shown}");
}

#[test]
fn lines_keep_to_the_width() {
    let wide = Finding::error("a/b", "words ".repeat(30))
        .with_place(at("app/wide.yaml", 1, 334))
        .with_hint("more ".repeat(20));
    let shown = text(&[wide], &sources, &Style { width: 60, ..Style::default() });
    for line in shown.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 60, "{line}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_from_outside_reaches_the_terminal_raw() {
    let nasty = "\u{1b}]0;owned\u{7}\r\n\u{202e}\u{9b}31m\0\u{200b}";
    let findings = [Finding::error(nasty.to_owned(), nasty)
        .with_object(ObjectKey::new("", nasty, nasty, nasty))
        .with_field(FieldPath::of(["a", nasty]))
        .with_place(at(nasty, 1, 3))
        .with_hint(nasty)];
    let source = |_: &str| Some(Arc::from(nasty));
    let shown = text(&findings, &source, &Style::default());
    let all = [shown, json(&findings), sarif(&findings), github(&findings), junit(&findings)];
    for out in all {
        let raw: Vec<char> = out.chars().filter(|c| *c != '\n' && escape::is_harmful(*c)).collect();
        assert!(raw.is_empty(), "{raw:?} in {out}");
        assert!(!out.contains("\nowned"));
    }
}

#[test]
fn values_of_secrets_are_masked() {
    let syntax = Finding::error("manifest/syntax", "broken").with_place(at("app/secret.yaml", 5, 3));
    let found = [
        secret(5, 13, ["stringData", "password"]),
        secret(7, 5, ["stringData", "pem"]),
        secret(5, 3, ["metadata", "name"]),
        syntax,
    ];
    let shown = text(&found, &sources, &Style::default());
    assert!(!shown.contains("hunter2") && !shown.contains("line of a key"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn no_line_shows_a_credential_whatever_is_found_there() {
    let cases = [
        ("a variable in one line", "- {name: DB_PASSWORD, value: hunter2, foo: 1}", 1),
        ("its value in a line of its own", "- name: GH_TOKEN\n  value: [hunter2]\n", 2),
        ("its name after it", "- value: [hunter2]\n  name: api_key\n", 1),
        ("a key of a ConfigMap", "data: {key: \"-----BEGIN PRIVATE KEY-----hunter2\", key: 1}", 1),
        ("a Secret without a kind", "stringData: {a: hunter2, a: 2}", 1),
        ("a generator", "secretGenerator: [{name: a, literals: [a=hunter2]}]", 1),
        ("a line of a Secret's text", "kind: Secret\nstringData:\n  a: |\n---\nhunter2\n", 5),
    ];
    for (what, source, line) in cases {
        let found = Finding::error("schema/type", "wrong").with_place(at("some.yaml", line, 3));
        // Broken Secrets and generators are no objects.
        let of_an_object = found.clone().with_object(web());
        let findings = if source.to_lowercase().contains("secret") || source.contains("stringData") {
            vec![found]
        } else {
            vec![found, of_an_object]
        };
        let shown = text(&findings, &|_: &str| Some(Arc::from(source)), &Style::default());
        assert!(shown.contains("***") && !shown.contains("hunter2"), "{what}: {shown}");
    }
    let plain = Finding::error("schema/type", "wrong").with_place(at("some.yaml", 1, 3)).with_object(web());
    let shown = text(&[plain], &|_: &str| Some("replicas: many".into()), &Style::default());
    assert!(shown.contains("replicas: many"), "{shown}");
}

#[test]
fn places_that_are_not_there_do_no_harm() {
    for (file, line, column) in
        [("none.yaml", 1, 1), ("app/web.yaml", 999, 1), ("app/web.yaml", 0, 0), ("app/web.yaml", 1, 999)]
    {
        let finding = Finding::error("a/b", "x").with_place(at(file, line, column));
        assert!(text(&[finding], &sources, &Style::default()).contains("error[a/b]: x"));
    }
    assert_eq!(text(&[], &sources, &Style::default()), "");
}

#[test]
fn tools_read_the_same_findings() {
    let findings = findings();
    insta::assert_snapshot!("json", json(&findings));
    insta::assert_snapshot!("github", github(&findings));
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    insta::assert_snapshot!("sarif", sarif(&findings).replace(&version, "\"version\": \"…\""));
    insta::assert_snapshot!("junit", junit(&findings));
}

#[test]
fn gitlab_knows_a_finding_again_when_its_line_moves() {
    insta::assert_snapshot!(gitlab(&findings()));
    let fingerprints = |findings: &[Finding]| -> Vec<String> {
        let entries: Vec<serde_json::Value> = serde_json::from_str(&gitlab(findings)).unwrap();
        entries.iter().map(|e| e["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let twice = [findings(), findings()].concat();
    let mut moved = twice.clone();
    moved.iter_mut().filter_map(|f| f.place.as_mut()).for_each(|p| p.line += 7);
    assert_eq!(fingerprints(&twice), fingerprints(&moved));
    let distinct: std::collections::HashSet<String> = fingerprints(&twice).into_iter().collect();
    assert_eq!(distinct.len(), twice.len(), "each occurrence is one of its own");
}
