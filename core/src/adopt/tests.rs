//! A namespace as it is found, and what adoption makes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::change::object_changes;
use crate::config::EnvironmentConfig;
use crate::lookup::Overlay;
use crate::object::ObjectKey;

const KEEP: Selection = Selection { secrets: false, tidy: false };

fn template(app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}, "annotations": {"kubectl.kubernetes.io/restartedAt": "now", "helm.sh/chart": "c"}},
        "spec": {"containers": [{"name": app, "image": "i:1"}]}})
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 3, "template": template("web"), "paused": null},
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "web", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "web-1", "app.kubernetes.io/name": "web"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "meta.helm.sh/release-name": "web",
                "argocd.argoproj.io/tracking-id": "x", "kustomize.toolkit.fluxcd.io/prune": "disabled",
                "helm.toolkit.fluxcd.io/x": "y", "deployment.kubernetes.io/revision": "4", "example.org/owner": "me"}},
        "status": {"replicas": 3}})
}

fn named(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(name);
    object["metadata"]["namespace"] = json!("shop");
    object["metadata"]["uid"] = json!(format!("uid-{name}"));
    object
}

struct Found {
    objects: BTreeMap<ObjectKey, Arc<Value>>,
    live: Overlay<'static>,
}

fn found(all: Vec<Value>) -> Found {
    let (mut objects, mut live) = (BTreeMap::new(), Overlay::default());
    for object in all {
        let (key, object) = (ObjectKey::of(&object).unwrap(), Arc::new(object));
        live.set(key.clone(), Some(object.clone()));
        objects.insert(key, object);
    }
    Found { objects, live }
}

impl Found {
    fn sorted(&self, selection: Selection) -> Sorted {
        let environment = EnvironmentConfig { namespaces: vec!["shop".into()], ..EnvironmentConfig::default() };
        let plan = Planned { environment, ..Planned::default() };
        sort(&self.objects, &plan, selection, &self.live, Timestamp::UNIX_EPOCH).0
    }

    fn choice(&self, selection: Selection, kind: &str, name: &str) -> Choice {
        let sorted = self.sorted(selection);
        let found = sorted.choices.into_iter().find(|(key, _)| key.kind == kind && key.name == name);
        found.unwrap_or_else(|| panic!("no {kind}/{name}")).1
    }
}

#[test]
fn a_manifest_has_what_a_person_would_write() {
    let sorted = found(vec![deployment()]).sorted(KEEP);
    let manifest = sorted.manifests.values().next().unwrap();
    let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "app.kubernetes.io/name": "web"},
            "annotations": {"example.org/owner": "me"}},
        "spec": {"replicas": 3, "template": template("web")}});
    assert_eq!(*manifest, expected);
}

#[test]
fn what_every_namespace_has_is_not_declared() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "spec": {"finalizers": ["kubernetes"]},
        "metadata": {"name": "shop", "labels": {"kubernetes.io/metadata.name": "shop"}}, "status": {"phase": "Active"}});
    let sorted = found(vec![namespace]).sorted(KEEP);
    let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    assert_eq!(sorted.manifests.values().collect::<Vec<_>>(), [&bare]);
}

#[test]
fn marks_of_restarts_go_only_when_asked() {
    let sorted = found(vec![deployment()]).sorted(Selection { tidy: true, ..KEEP });
    let manifest = sorted.manifests.values().next().unwrap();
    assert_eq!(manifest["spec"]["template"]["metadata"]["annotations"], json!({"helm.sh/chart": "c"}));
}

#[test]
fn what_an_autoscaler_sets_is_not_declared() {
    let autoscaler = named(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "web",
        json!({"spec": {"minReplicas": 2, "maxReplicas": 4,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
    );
    let sorted = found(vec![deployment(), autoscaler]).sorted(KEEP);
    let manifest = sorted.manifests.iter().find(|(key, _)| key.kind == "Deployment").unwrap().1;
    assert!(manifest["spec"].get("replicas").is_none(), "{manifest}");
}

#[test]
fn what_others_keep_is_not_taken() {
    let release = json!({"type": "helm.sh/release.v1", "data": {"release": "x"}});
    let owned = |controller: bool| {
        json!({"metadata": {"ownerReferences": [{"apiVersion": "db.example.org/v1", "kind": "Database", "name": "main",
            "uid": "uid-main", "controller": controller}]}})
    };
    let of_deployment = json!({"metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment",
        "name": "gone", "uid": "9", "controller": true, "blockOwnerDeletion": true}]}});
    let slice =
        json!({"metadata": {"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}});
    let found = found(vec![
        deployment(),
        named("v1", "Secret", "sh.helm.release.v1.web.v1", release),
        named("v1", "Secret", "payment", json!({"type": "Opaque", "data": {"token": "c2VjcmV0"}})),
        named("v1", "Secret", "token", json!({"type": "kubernetes.io/service-account-token"})),
        named("v1", "ConfigMap", "kube-root-ca.crt", json!({"data": {"ca.crt": "x"}})),
        named("v1", "ConfigMap", "web", json!({"data": {"a": "b"}})),
        named("v1", "ServiceAccount", "default", json!({})),
        named("v1", "ServiceAccount", "web", json!({})),
        named("v1", "ConfigMap", "made", owned(true)),
        named("v1", "ConfigMap", "kept", owned(false)),
        named("v1", "Pod", "bare", json!({"spec": {}})),
        named("v1", "Endpoints", "web", json!({})),
        named("v1", "Service", "outside", json!({"spec": {"ports": [{"port": 80}]}})),
        named("v1", "Endpoints", "outside", json!({"subsets": []})),
        named("discovery.k8s.io/v1", "EndpointSlice", "web-x", slice),
        named("apps/v1", "ReplicaSet", "stray", of_deployment),
        named("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", json!({"spec": {"prune": true}})),
        named("argoproj.io/v1alpha1", "Application", "shop", json!({"spec": {}})),
        named("v1", "ConfigMap", "going", json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})),
    ]);
    let of = |kind: &str, name: &str| found.choice(KEEP, kind, name);
    for (kind, name) in [
        ("Deployment", "web"),
        ("ConfigMap", "web"),
        ("ServiceAccount", "web"),
        ("Service", "outside"),
        ("Endpoints", "outside"),
    ] {
        assert_eq!(of(kind, name), Choice::Taken, "{kind}/{name}");
    }
    for (kind, name) in [
        ("Secret", "token"),
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
        ("Endpoints", "web"),
        ("EndpointSlice", "web-x"),
    ] {
        assert_eq!(of(kind, name), Choice::Derived, "{kind}/{name}");
    }
    let database = ObjectKey::new("db.example.org", "Database", "shop", "main");
    for name in ["made", "kept"] {
        assert_eq!(of("ConfigMap", name), Choice::Operated(database.clone()));
    }
    for (kind, name) in [
        ("Secret", "sh.helm.release.v1.web.v1"),
        ("Secret", "payment"),
        ("Pod", "bare"),
        ("ConfigMap", "going"),
        ("Kustomization", "apps"),
        ("Application", "shop"),
    ] {
        assert!(matches!(of(kind, name), Choice::Left(_)), "{kind}/{name}: {:?}", of(kind, name));
    }
    assert!(
        matches!(of("ReplicaSet", "stray"), Choice::Strange(reason, asked) if !reason.is_empty() && !asked.is_empty())
    );
    let all = Selection { secrets: true, ..KEEP };
    assert_eq!(found.choice(all, "Secret", "payment"), Choice::Taken);
    assert!(matches!(found.choice(all, "Secret", "sh.helm.release.v1.web.v1"), Choice::Left(_)));
}

#[test]
fn an_effect_in_a_template_restarts_pods() {
    let key = ObjectKey::new("apps", "Deployment", "shop", "web");
    let mut expected = deployment();
    expected["metadata"]["annotations"].as_object_mut().unwrap().remove("example.org/owner");
    expected["spec"]["template"]["metadata"]["annotations"] = json!({"helm.sh/chart": "c"});
    let told = |key: &ObjectKey| {
        let found = effects(key, object_changes(&expected, &deployment(), true));
        found.into_iter().map(|e| (e.path.to_string(), e.how, e.restarts)).collect::<Vec<_>>()
    };
    let mark = "spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]".to_owned();
    let owner = "metadata.annotations[\"example.org/owner\"]".to_owned();
    assert_eq!(told(&key), [(owner, "removed", false), (mark, "removed", true)]);
    // A CronJob's next Pods are others anyway.
    assert!(told(&ObjectKey::new("batch", "CronJob", "shop", "web")).iter().all(|(_, _, restarts)| !restarts));
}
