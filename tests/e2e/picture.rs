//! What the cluster holds, as far as people could change it: to see that nothing changed.

use std::collections::BTreeMap;

use gitward_test_cluster::{Error, Result};
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// Kinds of the governed namespaces and cluster-scoped kinds that the shop governs.
const KINDS: [(&str, &str, &str, bool); 22] = [
    ("", "v1", "ConfigMap", true),
    ("", "v1", "Secret", true),
    ("", "v1", "Service", true),
    ("", "v1", "ServiceAccount", true),
    ("", "v1", "PersistentVolumeClaim", true),
    ("", "v1", "Pod", true),
    ("", "v1", "ResourceQuota", true),
    ("", "v1", "LimitRange", true),
    ("apps", "v1", "Deployment", true),
    ("apps", "v1", "StatefulSet", true),
    ("apps", "v1", "DaemonSet", true),
    ("apps", "v1", "ReplicaSet", true),
    ("batch", "v1", "Job", true),
    ("batch", "v1", "CronJob", true),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", true),
    ("networking.k8s.io", "v1", "Ingress", true),
    ("networking.k8s.io", "v1", "NetworkPolicy", true),
    ("policy", "v1", "PodDisruptionBudget", true),
    ("rbac.authorization.k8s.io", "v1", "Role", true),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", true),
    ("shop.example.org", "v1", "Coupon", true),
    ("", "v1", "Namespace", false),
];

/// Cluster-scoped kinds that the shop governs.
const CLUSTER: [(&str, &str, &str); 5] = [
    ("", "v1", "PersistentVolume"),
    ("storage.k8s.io", "v1", "StorageClass"),
    ("networking.k8s.io", "v1", "IngressClass"),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
];

/// Kinds that nobody takes pictures of, and that stories ask for one by one.
const OTHERS: [(&str, &str, &str); 3] = [
    ("gitward.dev", "v1alpha1", "Environment"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
];

/// Objects by `Kind/namespace/name`, without what the API server and controllers keep in them.
pub(crate) type Picture = BTreeMap<String, Value>;

/// Takes a picture of the namespaces and of the governed cluster-scoped kinds.
pub(crate) async fn take(client: &kube::Client, namespaces: &[&str]) -> Result<Picture> {
    let mut picture = Picture::new();
    let namespaced = KINDS.iter().map(|(g, v, k, namespaced)| (*g, *v, *k, *namespaced));
    for (group, version, kind, namespaced) in namespaced.chain(CLUSTER.iter().map(|(g, v, k)| (*g, *v, *k, false))) {
        for object in list(client, group, version, kind).await? {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            if namespaced && !namespaces.contains(&namespace.as_str()) {
                continue;
            }
            picture.insert(format!("{kind}/{namespace}/{name}"), plain(object));
        }
    }
    Ok(picture)
}

/// All objects of a kind; none where it is not served.
pub(crate) async fn list(client: &kube::Client, group: &str, version: &str, kind: &str) -> Result<Vec<Value>> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    match api.list(&ListParams::default()).await {
        Ok(found) => Ok(found.items.into_iter().map(|o| serde_json::to_value(o).unwrap()).collect()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(Error::Invalid(format!("list {kind}: {error}"))),
    }
}

/// An object without its status and without what counts its versions.
pub(crate) fn plain(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
    }
    object
}

/// The short names that `kubectl` has for kinds.
const SHORT: [(&str, &str); 6] = [
    ("hpa", "HorizontalPodAutoscaler"),
    ("pvc", "PersistentVolumeClaim"),
    ("pv", "PersistentVolume"),
    ("pdb", "PodDisruptionBudget"),
    ("quota", "ResourceQuota"),
    ("crd", "CustomResourceDefinition"),
];

/// One object, named as `kubectl get` takes it (`service/web -n shop`); `null` if it is not there.
pub(crate) async fn get(client: &kube::Client, object: &str) -> Result<Value> {
    let (object, namespace) = object.split_once(" -n ").unwrap_or((object, ""));
    let (short, name) = object.split_once('/').unwrap_or((object, ""));
    let kind = SHORT.iter().find(|(s, _)| *s == short).map_or(short, |(_, kind)| kind);
    let cluster = CLUSTER.iter().chain(&OTHERS).copied();
    let mut known = KINDS.iter().map(|(g, v, k, _)| (*g, *v, *k)).chain(cluster);
    let (group, version, kind) = known
        .find(|(_, _, k)| k.eq_ignore_ascii_case(kind))
        .ok_or_else(|| Error::Invalid(format!("{short} is no kind that the stories know")))?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = match namespace {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let found = api.get_opt(name).await.map_err(|e| Error::Invalid(format!("get {object}: {e}")))?;
    Ok(found.map_or(Value::Null, |o| serde_json::to_value(o).unwrap()))
}

/// What differs between two pictures, a line each.
pub(crate) fn differences(before: &Picture, after: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for (key, object) in before {
        match after.get(key) {
            None => found.push(format!("{key} is gone")),
            Some(now) if now != object => found.push(format!("{key} changed:\n  from {object}\n  to   {now}")),
            Some(_) => {}
        }
    }
    found.extend(after.keys().filter(|k| !before.contains_key(*k)).map(|k| format!("{k} is new")));
    found
}
