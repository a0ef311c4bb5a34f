//! Whatever a review holds, it is answered: by what a small environment declares, in one piece, within
//! bounds, and with nothing in it that a terminal would act on. `fuzz/` asks the same of more reviews.

mod answer;
mod shop;

use gitward_core::report::harmless;
use gitward_webhook::review::parse;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use answer::answered;
use shop::Shop;

/// Names that rules look for, and any others.
fn name() -> impl Strategy<Value = String> {
    let known = vec![
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "template",
        "containers",
        "image",
        "replicas",
        "selector",
        "ports",
        "data",
        "stringData",
        "uid",
        "kind",
    ];
    prop_oneof![3 => prop::sample::select(known).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["web", "shop", "Deployment", "web-5597669dc4", "\u{1b}[31m\u{202e}"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(name(), inner, 0..6).prop_map(Value::from_iter)
        ]
    })
}

/// Lays a change over a value, as a merge patch does but for `null`, which is a value here.
fn merge(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (field, change) in changes {
                merge(fields.entry(field.clone()).or_insert(Value::Null), change);
            }
        }
        (value, change) => *value = change.clone(),
    }
}

/// A request about something that the shop declares, or that controllers make of it.
fn request() -> impl Strategy<Value = Value> {
    let about = prop::sample::select(vec![
        ("apps", "v1", "Deployment", "deployments", "web"),
        ("apps", "v1", "ReplicaSet", "replicasets", "web-5597669dc4"),
        ("", "v1", "Pod", "pods", "web-5597669dc4-abcde"),
        ("", "v1", "Secret", "secrets", "key"),
        ("", "v1", "Service", "services", "web"),
        ("", "v1", "Namespace", "namespaces", "shop"),
        ("example.org", "v1", "Widget", "widgets", "knob"),
        ("batch", "v1", "Job", "jobs", "once"),
        ("gitward.dev", "v1alpha1", "BreakGlass", "breakglasses", "fire"),
    ]);
    let operation = prop::sample::select(vec!["CREATE", "UPDATE", "DELETE", "CONNECT"]);
    let subresource = prop::sample::select(vec!["", "", "", "status", "scale", "binding", "eviction", "exec", "odd"]);
    let account = prop::sample::select(vec![
        "sre",
        "alice",
        "system:serviceaccount:kube-system:replicaset-controller",
        "system:node:node-1",
    ]);
    (about, operation, subresource, account).prop_map(
        |((group, version, kind, resource, name), operation, subresource, account)| {
            json!({
                "uid": "u-1", "name": name, "namespace": if kind == "Namespace" { "" } else { "shop" },
                "kind": {"group": group, "version": version, "kind": kind},
                "resource": {"group": group, "version": version, "resource": resource},
                "operation": operation, "subResource": subresource,
                "userInfo": {"username": account, "groups": ["on-call", "system:nodes"]},
            })
        },
    )
}

/// A body that asks about a live object, changed.
fn body(shop: &Shop, mut request: Value, old: &Value, new: &Value, rest: &Map<String, Value>) -> Vec<u8> {
    let (group, kind) = (request["kind"]["group"].clone(), request["kind"]["kind"].clone());
    let of_kind = |key: &&gitward_core::object::ObjectKey| key.group == group && key.kind == kind;
    let declared = shop.snapshot.declared.keys().find(of_kind).and_then(|key| shop.snapshot.declared.get(key));
    let base = declared.map_or_else(
        || json!({"metadata": {"name": request["name"], "namespace": request["namespace"]}}),
        |declared| declared.canonical.as_ref().clone(),
    );
    for (place, change) in [("oldObject", old), ("object", new)] {
        request[place] = base.clone();
        merge(&mut request[place], change);
    }
    for (place, value) in rest {
        request[place] = value.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_answered_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        answered(&Shop::open(), &bytes);
    }

    #[test]
    fn a_refusal_is_short_and_harmless_and_quotes_nothing(
        place in prop::sample::select(vec!["apiVersion", "kind", "request"]),
        value in any_json(),
        secret in "[a-z]{100}",
    ) {
        for value in [value, json!(secret), json!({"uid": "u", "kind": secret}), json!({"uid": "u", "object": [secret]})] {
            let mut body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"});
            body[place] = value;
            if let Err(refusal) = parse(body.to_string().as_bytes()) {
                let told = refusal.to_string();
                prop_assert!(told.len() < 1024 && harmless(&told) == told && !told.contains(&secret), "{told:?}");
            }
        }
    }

    #[test]
    fn any_change_of_a_live_object_is_answered(request in request(), old in any_json(), new in any_json()) {
        let shop = Shop::open();
        for (old, new) in [(&json!({}), &new), (&old, &new), (&old, &json!({}))] {
            answered(&shop, &body(&shop, request.clone(), old, new, &Map::new()));
        }
    }

    #[test]
    fn any_other_field_of_a_request_may_be_odd(
        request in request(),
        rest in btree_map(prop::sample::select(vec!["name", "namespace", "userInfo", "options", "dryRun", "object",
            "oldObject", "resource", "kind", "subResource", "requestKind"]).prop_map(str::to_owned), any_json(), 1..4),
    ) {
        let shop = Shop::open();
        answered(&shop, &body(&shop, request, &json!({}), &json!({}), &rest.into_iter().collect()));
    }
}

#[test]
fn the_shop_is_what_the_reviews_need() {
    let shop = Shop::open();
    assert_eq!((shop.snapshot.declared.len(), shop.snapshot.environment.name.as_str()), (5, "prod"));
    let asked = |image: &str, account: &str| {
        let request = json!({"uid": "u", "name": "web", "namespace": "shop", "operation": "UPDATE",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
            "userInfo": {"username": account}});
        let new = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}});
        let body = body(&shop, request, &json!({}), &new, &Map::new());
        answered(&shop, &body).map(|a| a["response"].clone()).unwrap_or_default()
    };
    let denied = asked("registry.example.org/evil:\u{1b}[31m", "alice");
    assert_eq!(denied["allowed"], false);
    assert!(denied["status"]["message"].as_str().unwrap().contains("prod/shop.yaml:15:"), "{denied}");
}
