//! A small environment with a cluster, the same each time: what reviews are judged by.

use std::collections::HashMap;
use std::sync::Arc;

use gitward_core::config::{self, Configuration};
use gitward_core::evaluate::canonical;
use gitward_core::lookup::Overlay;
use gitward_core::manifest::{self, Limits};
use gitward_core::object::ObjectKey;
use gitward_core::schema::Scope;
use gitward_core::snapshot::{Commit, Declared, Digest, Expected, Snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
  sharedNamespaces: [default]
  clusterKinds: [Namespace, ClusterRole.rbac.authorization.k8s.io]
exemptions:
- name: restarts
  accounts: [sre]
  kinds: [Deployment.apps]
  fields: ['spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]']
  reason: tests
- name: jobs
  accounts: [sre]
  kinds: [Job.batch]
  reason: tests
breakGlass:
- name: on-call
  groups: [on-call]
  maximum: 1h
";

const MANIFESTS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'registry.example.org/web:1', env: [{name: A, value: b}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {token: hunter2hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: knob, namespace: shop}
spec: {size: 3, parts: [{name: a}, {name: b}]}
";

/// The value of the Secret that the shop declares, as it is written and as it is kept: no answer holds
/// it that the request did not hold.
pub(crate) const SECRET: [&str; 2] = ["hunter2hunter2", "aHVudGVyMmh1bnRlcjI="];

/// What is declared, and what the cluster holds.
pub(crate) struct Shop {
    pub(crate) snapshot: Snapshot,
    pub(crate) cluster: Overlay<'static>,
}

impl Shop {
    /// The shop, with what the API server makes of its objects known.
    pub(crate) fn open() -> Self {
        let configuration = config::parse(&Arc::from(config::FILE), CONFIGURATION.as_bytes()).unwrap_or_default();
        let (mut declared, mut cluster) = (HashMap::new(), Overlay::default());
        let (manifests, _) = manifest::read(&Arc::from("prod/shop.yaml"), MANIFESTS.as_bytes(), &Limits::default());
        for manifest in manifests {
            let scope = if manifest.key.kind == "Namespace" { Scope::Cluster } else { Scope::Namespaced };
            let canonical = canonical(&manifest, Some(scope));
            let expected = Expected { object: canonical.as_ref().clone(), uid: Some(UID.to_owned()), record: None };
            let mut live = canonical.as_ref().clone();
            live["metadata"]["uid"] = UID.into();
            let key = manifest.key.clone();
            cluster.set(key.clone(), Some(Arc::new(live)));
            let one = Declared {
                digest: Digest::of(&canonical),
                has_status_subresource: key.kind == "Deployment",
                canonical,
                manifest,
                expected: Some(Arc::new(expected)),
                learnt: None,
                before: None,
            };
            declared.insert(key, Arc::new(one));
        }
        let set = replica_set();
        if let Some(key) = ObjectKey::of(&set) {
            cluster.set(key, Some(Arc::new(set)));
        }
        Self { snapshot: snapshot(configuration, declared), cluster }
    }
}

/// Uid of every object.
const UID: &str = "d0a1b2c3-0000-4000-8000-000000000000";

fn snapshot(configuration: Configuration, declared: HashMap<ObjectKey, Arc<Declared>>) -> Snapshot {
    let commit = Commit {
        id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        author: "Ada <ada@example.org>".to_owned(),
        time: Timestamp::UNIX_EPOCH,
        subject: "Sell more".to_owned(),
    };
    Snapshot {
        environment: configuration.environments.first().cloned().unwrap_or_default(),
        configuration: Arc::new(configuration),
        commit,
        declared,
        former: HashMap::new(),
        autoscalers: Default::default(),
    }
}

fn replica_set() -> Value {
    let labels = json!({"app": "web", "pod-template-hash": "5597669dc4"});
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-5597669dc4", "namespace": "shop", "uid": UID, "labels": labels, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": UID, "controller": true}]},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "web", "image": "registry.example.org/web:1"}]}}},
    })
}
