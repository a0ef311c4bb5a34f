use super::*;
use gitward_core::finding::{Finding, Place};
use gitward_core::snapshot::{Commit, Snapshot};
use gitward_core::verdict::{Origin, Verdict};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

fn review(request: Value) -> Result<Review, Malformed> {
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    parse(body.to_string().as_bytes())
}

pub(super) fn request(changes: Value) -> Value {
    let mut request = json!({
        "uid": "u-1",
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "name": "web", "namespace": "shop", "operation": "UPDATE",
        "userInfo": {"username": "alice", "uid": "7", "groups": ["dev"],
            "extra": {"authentication.kubernetes.io/credential-id": ["JTI=x"]}},
        "object": {"metadata": {"name": "web"}}, "oldObject": null, "dryRun": false,
    });
    for (field, value) in changes.as_object().unwrap() {
        request[field] = value.clone();
    }
    request
}

fn key(changes: Value) -> String {
    let review = review(request(changes)).unwrap();
    let key = review.request(&Table::default()).key;
    format!("{}/{}/{}/{}", key.group, key.kind, key.namespace, key.name)
}

#[test]
fn a_review_becomes_a_request() {
    let review = review(request(json!({}))).unwrap();
    let request = review.request(&Table::default());
    assert_eq!(request.operation, Operation::Update);
    assert_eq!(request.key, ObjectKey::new("apps", "Deployment", "shop", "web"));
    assert!(request.object.is_some() && request.old_object.is_none());
    assert_eq!((request.user.name.as_str(), request.user.has_credential_id), ("alice", true));
}

#[test]
fn what_is_acted_on_is_named_by_its_own_kind() {
    let core = |resource: &str| json!({"group": "", "version": "v1", "resource": resource});
    for (changes, expected) in [
        (
            json!({"kind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}, "subResource": "scale"}),
            "apps/Deployment/shop/web",
        ),
        (
            json!({"kind": {"group": "policy", "version": "v1", "kind": "Eviction"}, "resource": core("pods"),
                "subResource": "eviction", "operation": "CREATE"}),
            "/Pod/shop/web",
        ),
        (
            json!({"kind": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
                "resource": core("serviceaccounts"), "subResource": "token", "operation": "CREATE"}),
            "/ServiceAccount/shop/web",
        ),
        (
            json!({"kind": {"group": "", "version": "v1", "kind": "Namespace"}, "resource": core("namespaces"),
                "name": "shop", "namespace": "shop"}),
            "/Namespace//shop",
        ),
        (
            json!({"operation": "DELETE", "name": "", "object": null,
                "oldObject": {"metadata": {"name": "old", "namespace": "shop"}}}),
            "apps/Deployment/shop/old",
        ),
        (json!({"operation": "DELETE", "name": "", "object": null}), "apps/Deployment/shop/"),
        (
            json!({"kind": {"group": "x.io", "version": "v1", "kind": "Odd"},
                "resource": {"group": "x.io", "version": "v1", "resource": "things"}, "subResource": "odd"}),
            "x.io/Odd/shop/web",
        ),
    ] {
        assert_eq!(key(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn what_is_no_review_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{}", "[]", "nonsense", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", deep.as_str()] {
        assert!(parse(body.as_bytes()).is_err());
    }
    assert!(review(request(json!({"uid": ""}))).is_err());
    assert!(review(request(json!({"uid": "x".repeat(1000)}))).is_err());
    assert!(review(request(json!({"operation": "EXPLODE"}))).is_err());
    assert!(review(Value::Null).is_err());
    let secret = request(json!({"object": {"metadata": "hunter2", "kind": "Secret"}}));
    let told = review(secret).unwrap_err().to_string();
    assert!(
        told.starts_with("the body is no AdmissionReview: a field is missing or of another type at line 1"),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
}

pub(crate) fn snapshot() -> Snapshot {
    let time = "2026-01-02T03:04:05Z".parse().unwrap();
    let commit = Commit {
        id: "0123456789abcdef0123456789abcdef01234567".into(),
        author: "Ada <ada@example.org>".into(),
        time,
        subject: "Sell more".into(),
    };
    let environment = gitward_core::config::EnvironmentConfig { name: "prod".into(), ..Default::default() };
    Snapshot {
        environment,
        configuration: Arc::default(),
        commit,
        declared: HashMap::new(),
        former: HashMap::new(),
        autoscalers: Default::default(),
    }
}

fn place() -> Place {
    Place { file: "apps/web.yaml".into(), line: 12, column: 3 }
}

#[test]
fn a_denial_teaches() {
    let finding = Finding::error("trace/declared-field", "Deployment/web in shop: spec.replicas: Git declares 3")
        .with_place(Some(place()))
        .with_hint("change it at apps/web.yaml:12:3 and push to main");
    let review = review(request(json!({}))).unwrap();
    let answer = respond(&review, &Verdict::deny(finding), &snapshot(), Some("Git is away"));
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["response"]["uid"], "u-1");
    assert_eq!(answer["response"]["allowed"], false);
    assert_eq!(answer["response"]["status"]["code"], 403);
    let expected =
        "this is not what Git says (environment prod, commit 0123456789ab by Ada <ada@example.org>: Sell more)
  - Deployment/web in shop: spec.replicas: Git declares 3 [trace/declared-field]
    see: apps/web.yaml:12:3
    to do: change it at apps/web.yaml:12:3 and push to main
  note: Git is away";
    assert_eq!(answer["response"]["status"]["message"], expected);
    assert_eq!(answer["response"]["auditAnnotations"]["rule"], "trace/declared-field");
}

#[test]
fn a_denial_is_bounded_and_lets_no_line_breaks_in() {
    let findings = (0..1000).map(|i| Finding::error("x/y", format!("{i}\nÄ\u{1b}[31m{}", "ü".repeat(5000)))).collect();
    let text = denial(&Verdict { findings, traced: Vec::new() }, &snapshot(), None);
    assert!(text.len() < 8 * 1024);
    assert!(text.ends_with("more"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn an_allowed_request_names_the_line_in_git() {
    let verdict = Verdict::whole(Origin::Declared { place: place() });
    let review = review(request(json!({"dryRun": true}))).unwrap();
    let answer = serde_json::to_value(respond(&review, &verdict, &snapshot(), None)).unwrap();
    assert_eq!(answer["response"]["allowed"], true);
    assert_eq!(answer["response"].get("status"), None);
    assert_eq!(answer["response"]["auditAnnotations"]["origins"], "Declared=1: Declared apps/web.yaml:12:3");
    assert_eq!(answer["response"]["warnings"][0], "gitward judged this dry run as if it were real");
}
