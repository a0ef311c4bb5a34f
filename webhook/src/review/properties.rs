//! Whatever a review holds, it is answered: within bounds, in one piece, and without a Secret's
//! values.

use gitward_core::config::EnvironmentConfig;
use gitward_core::derived::Context;
use gitward_core::lookup::Overlay;
use gitward_core::trace;
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;
use std::collections::HashMap;

use super::tests::{request, snapshot};
use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("system:serviceaccount:kube-system:deployment-controller")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop_oneof![
            any::<String>(),
            prop::sample::select(vec![
                "metadata",
                "spec",
                "status",
                "name",
                "ownerReferences",
                "finalizers",
                "labels",
                "kind",
                "template"
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(name, inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

const PLACES: [&str; 16] = [
    "object",
    "oldObject",
    "options",
    "userInfo",
    "kind",
    "resource",
    "name",
    "namespace",
    "subResource",
    "operation",
    "dryRun",
    "uid",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "extra",
];

const KINDS: [(&str, &str, &str); 10] = [
    ("", "Pod", "pods"),
    ("", "Secret", "secrets"),
    ("", "Service", "services"),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ("", "Namespace", "namespaces"),
    ("apps", "ReplicaSet", "replicasets"),
    ("apps", "Deployment", "deployments"),
    ("batch", "Job", "jobs"),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices"),
    ("gitward.dev", "BreakGlass", "breakglasses"),
];

/// The answer to a request, as it is sent.
fn answer(request: Value) -> Option<Value> {
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    let review = parse(body.to_string().as_bytes()).ok()?;
    let mut snapshot = snapshot();
    snapshot.environment =
        EnvironmentConfig { name: "prod".into(), namespaces: vec!["shop".into()], ..EnvironmentConfig::default() };
    let context = Context { snapshot: &snapshot, live: &Overlay::default(), now: Timestamp::UNIX_EPOCH };
    let verdict = trace::judge(&review.request(&Table::default()), &context);
    Some(serde_json::to_value(respond(&review, &verdict, &snapshot, None)).unwrap())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..400)) {
        let _ = parse(&body);
    }

    #[test]
    fn every_review_that_can_be_read_is_answered(
        (group, kind, resource) in prop::sample::select(&KINDS[..]),
        operation in prop::sample::select(vec!["CREATE", "UPDATE", "DELETE", "CONNECT"]),
        subresource in prop::sample::select(vec!["", "status", "scale", "binding", "eviction", "exec", "finalize", "odd"]),
        changes in btree_map(prop::sample::select(&PLACES[..]), any_json(), 0..5),
    ) {
        let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": "shop"}});
        let mut asked = request(json!({
            "kind": {"group": group, "version": "v1", "kind": kind},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "operation": operation, "subResource": subresource, "object": object, "oldObject": object,
        }));
        for (place, value) in changes {
            asked[place] = value;
        }
        if let Some(answer) = answer(asked) {
            let response = &answer["response"];
            prop_assert!(response["allowed"].is_boolean());
            let message = response["status"]["message"].as_str().unwrap_or_default();
            prop_assert!(message.len() <= 8 * 1024, "{} bytes", message.len());
            prop_assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
            for warning in response["warnings"].as_array().into_iter().flatten() {
                prop_assert!(warning.as_str().is_some_and(|w| w.len() <= 256 && !w.contains('\n')), "{warning}");
            }
            for (_, annotation) in response["auditAnnotations"].as_object().into_iter().flatten() {
                prop_assert!(annotation.as_str().is_some_and(|a| a.len() <= 1024), "{annotation}");
            }
        }
    }

    #[test]
    fn no_answer_tells_a_secrets_value(
        value in "[a-zA-Z0-9]{12,24}",
        field in prop::sample::select(vec!["data", "stringData"]),
        operation in prop::sample::select(vec!["CREATE", "UPDATE", "DELETE"]),
        name in "[a-z]{1,8}",
    ) {
        let secret = |v: &str| {
            let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}});
            secret[field] = json!({"password": v});
            secret
        };
        let asked = request(json!({
            "kind": {"group": "", "version": "v1", "kind": "Secret"},
            "resource": {"group": "", "version": "v1", "resource": "secrets"},
            "name": name, "operation": operation, "object": secret(&value), "oldObject": secret("before-it-changed"),
        }));
        let text = answer(asked).unwrap().to_string();
        prop_assert!(!text.contains(&value) && !text.contains("before-it-changed"), "{text}");
    }
}

#[test]
fn the_properties_are_of_denials_as_well() {
    let denied = answer(request(json!({"operation": "CREATE", "object": {"metadata": {"name": "web"}}}))).unwrap();
    assert_eq!(denied["response"]["allowed"], false);
    let _: HashMap<String, Value> = serde_json::from_value(denied).unwrap();
}
