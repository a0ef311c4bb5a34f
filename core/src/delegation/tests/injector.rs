//! What mutators add to Pods.

use super::*;
use crate::config::Configuration;

pub(super) const INJECTOR: &str = r#"apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, namespaces: [shop]}
delegations:
- name: proxies
  reason: every Pod has a proxy beside it
  injects:
  - mutator: MutatingWebhookConfiguration/proxies
    containers: [proxy]
    volumes: ["proxy-*"]
    env: [PROXY]
    labels: [proxied]
    annotations: [example.org/proxy]
    images: ["registry.example.org/proxy:*"]
"#;

fn own() -> Value {
    json!({"metadata": {"namespace": "shop", "labels": {"app": "web"}}, "spec": {
        "containers": [{"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}]}],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "kube-api-access-own", "emptyDir": {}}],
    }})
}

pub(super) fn injected() -> Value {
    json!({"metadata": {"namespace": "shop", "labels": {"app": "web", "proxied": "yes"},
            "annotations": {"example.org/proxy": "3f"}}, "spec": {
        "containers": [
            {"name": "proxy", "image": "registry.example.org/proxy:1", "env": [{"name": "SEED", "value": "8c"}],
                "volumeMounts": [{"name": "proxy-state"}, {"name": "kube-api-access-x2x4z"}]},
            {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "PROXY", "value": "on"}],
                "volumeMounts": [{"name": "proxy-state", "mountPath": "/p"}]},
        ],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "proxy-state", "emptyDir": {}},
            {"name": "kube-api-access-own", "emptyDir": {}}],
    }})
}

fn bare(pod: &Value, is_declared: bool) -> Result<Option<Value>, String> {
    bare_by(parse(&"gitward.yaml".into(), INJECTOR.as_bytes()).unwrap(), pod, is_declared)
}

pub(super) fn bare_by(configuration: Configuration, pod: &Value, is_declared: bool) -> Result<Option<Value>, String> {
    let mut world = World::new();
    world.snapshot.configuration = Arc::new(configuration);
    if is_declared {
        world.declare(json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "proxies"}}));
    }
    let own = own();
    let (labels, annotations) = (own["metadata"]["labels"].as_object().unwrap(), serde_json::Map::new());
    let own = Own { labels, annotations: &annotations, spec: own["spec"].as_object().unwrap() };
    world.asks(|context| without(&own, pod, context))
}

#[test]
fn what_a_declared_mutator_adds_is_taken_out() {
    let mut wanted = own();
    wanted["metadata"]["annotations"] = json!({});
    assert_eq!(bare(&injected(), true), Ok(Some(wanted)));
    assert_eq!(bare(&injected(), false), Ok(None), "Git does not declare it");
    assert_eq!(bare(&own(), true), Ok(None));
    let mut other = injected();
    other["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "miner", "image": "evil"}));
    let kept = bare(&other, true).unwrap().unwrap();
    assert_eq!(kept["spec"]["containers"].as_array().unwrap().len(), 2, "the miner stays, and is compared");
}

#[test]
fn what_a_mutator_adds_keeps_its_ceilings() {
    let forgeries: [Forgery<'_>; 8] = [
        ("another image", |p| p["spec"]["containers"][0]["image"] = "evil".into()),
        ("privileged", |p| p["spec"]["containers"][0]["securityContext"] = json!({"privileged": true})),
        ("a volume of the host", |p| p["spec"]["volumes"][1] = json!({"name": "proxy-x", "hostPath": {"path": "/"}})),
        ("the Pod's own volume", |p| p["spec"]["containers"][0]["volumeMounts"][0]["name"] = "data".into()),
        ("the Pod's own device", |p| {
            p["spec"]["containers"][0]["volumeDevices"] = json!([{"name": "data", "devicePath": "/dev/a"}]);
        }),
        ("the Pod's own claim", |p| p["spec"]["containers"][0]["resources"] = json!({"claims": [{"name": "gpu"}]})),
        ("the Pod's own volume by a token's name", |p| {
            p["spec"]["containers"][0]["volumeMounts"][1]["name"] = "kube-api-access-own".into();
        }),
        ("an image as a volume", |p| {
            p["spec"]["volumes"][1] = json!({"name": "proxy-state", "image": {"reference": "evil"}});
        }),
    ];
    for (what, forge) in forgeries {
        let mut pod = injected();
        forge(&mut pod);
        assert!(bare(&pod, true).is_err(), "{what}");
    }
}
