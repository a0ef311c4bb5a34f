//! What the benchmarks judge: an environment of many declared objects, a live Deployment of about
//! nine kilobytes in each namespace, and requests about one of them.

use std::collections::HashMap;
use std::sync::Arc;

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::lookup::Lookup;
use gitward_core::manifest::{self, Limits};
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::{Commit, Declared, Digest, Expected, Snapshot};
use serde_json::{Map, Value, json};

/// Objects of one namespace.
const EACH: usize = 100;

/// The namespace that requests are about.
pub(crate) const NAMESPACE: &str = "team-0";

/// An environment and its cluster.
pub(crate) struct Shop {
    /// What Git declares, with what the API server makes of it.
    pub(crate) snapshot: Snapshot,
    /// What the cluster holds.
    pub(crate) cluster: Cluster,
}

/// Live objects, found as the index finds them.
#[derive(Default)]
pub(crate) struct Cluster {
    objects: HashMap<ObjectKey, Arc<Value>>,
    lists: HashMap<(String, String, String), Vec<Arc<Value>>>,
}

impl Lookup for Cluster {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        self.lists.get(&(group.to_owned(), kind.to_owned(), namespace.to_owned())).cloned().unwrap_or_default()
    }
}

impl Cluster {
    fn put(&mut self, object: Value) {
        let (key, object) = (ObjectKey::of(&object).unwrap(), Arc::new(object));
        let list = (key.group.clone(), key.kind.clone(), key.namespace.clone());
        self.lists.entry(list).or_default().push(object.clone());
        self.objects.insert(key, object);
    }
}

impl Shop {
    /// An environment of so many declared objects.
    pub(crate) fn with(objects: usize) -> Self {
        let namespaces: Vec<String> = (0..objects.div_ceil(EACH)).map(|i| format!("team-{i}")).collect();
        let (mut declared, mut cluster) = (HashMap::new(), Cluster::default());
        for namespace in &namespaces {
            let metadata = json!({"name": "default", "namespace": namespace});
            cluster.put(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}));
            cluster.put(live(&expected(namespace)));
            insert(&mut declared, &written(namespace), expected(namespace));
            for i in 1..EACH.min(objects) {
                let settings = json!({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": format!("settings-{i}"), "namespace": namespace},
                    "data": {"log-level": "info", "region": "north", "retries": "3"}});
                insert(&mut declared, &settings, settings.clone());
            }
        }
        let environment = EnvironmentConfig {
            name: "prod".into(),
            git_ref: "refs/heads/main".into(),
            namespaces,
            ..EnvironmentConfig::default()
        };
        let commit = Commit {
            id: "0123456789abcdef0123456789abcdef01234567".into(),
            author: "Ada <ada@example.org>".into(),
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            subject: "Sell more".into(),
        };
        let configuration = Arc::new(Configuration::default());
        let snapshot = Snapshot {
            environment,
            configuration,
            commit,
            declared,
            former: HashMap::new(),
            autoscalers: Default::default(),
        };
        Self { snapshot, cluster }
    }

    /// The same with the Deployment's ReplicaSet in the cluster.
    pub(crate) fn with_replica_set(mut self) -> Self {
        let mut set = replica_set();
        set["metadata"]["uid"] = SET_UID.into();
        self.cluster.put(set);
        self
    }
}

fn insert(declared: &mut HashMap<ObjectKey, Arc<Declared>>, written: &Value, expected: Value) {
    let text = serde_json::to_string_pretty(written).unwrap();
    let file: Arc<str> = format!("prod/{}.yaml", written["metadata"]["name"].as_str().unwrap()).into();
    let (mut manifests, findings) = manifest::read(&file, text.as_bytes(), &Limits::default());
    assert!(findings.is_empty(), "{findings:?}");
    let one = Declared {
        manifest: manifests.remove(0),
        digest: Digest::of(written),
        canonical: written.clone().into(),
        has_status_subresource: written["kind"] == "Deployment",
        expected: Some(Arc::new(Expected { object: expected, uid: None, record: None })),
        learnt: None,
        before: None,
    };
    declared.insert(one.manifest.key.clone(), Arc::new(one));
}

fn container(name: &str) -> Value {
    let environment: Vec<Value> = (0..26)
        .map(|i| match i % 3 {
            0 => json!({"name": format!("SETTING_{i}"), "value": format!("a value of ordinary length, number {i}")}),
            1 => json!({"name": format!("SETTING_{i}"),
                "valueFrom": {"configMapKeyRef": {"name": format!("settings-{i}"), "key": "region"}}}),
            _ => json!({"name": format!("SETTING_{i}"),
                "valueFrom": {"secretKeyRef": {"name": "credentials", "key": format!("key-{i}")}}}),
        })
        .collect();
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "periodSeconds": 10,
            "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({
        "name": name, "image": format!("registry.example.org/shop/{name}:1.2.3"),
        "args": ["--listen=:8080", "--log-format=json", "--shutdown-grace=20s"],
        "env": environment,
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
        "livenessProbe": probe("/livez"), "readinessProbe": probe("/readyz"),
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"},
            {"name": "tls", "mountPath": "/tls", "readOnly": true}],
    })
}

/// The Deployment as Git says it.
fn written(namespace: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace, "labels": {"app": "web", "team": "shop"},
            "annotations": {"example.org/owner": "shop@example.org"}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": {"app": "web", "team": "shop"}},
                "spec": {
                    "containers": [container("web"), container("proxy")],
                    "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
                        {"name": "tls", "secret": {"secretName": "web-tls", "defaultMode": 420}}],
                },
            },
        },
    })
}

/// What the API server makes of it.
fn expected(namespace: &str) -> Value {
    let mut object = written(namespace);
    let spec = object["spec"].as_object_mut().unwrap();
    spec.insert("revisionHistoryLimit".into(), 10.into());
    spec.insert("progressDeadlineSeconds".into(), 600.into());
    let pod = spec["template"]["spec"].as_object_mut().unwrap();
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ] {
        pod.insert(field.into(), value);
    }
    for container in pod["containers"].as_array_mut().unwrap() {
        container["imagePullPolicy"] = "IfNotPresent".into();
        container["terminationMessagePath"] = "/dev/termination-log".into();
        container["terminationMessagePolicy"] = "File".into();
    }
    object
}

/// The Deployment as the cluster holds it: with what the API server alone keeps, and its status.
fn live(expected: &Value) -> Value {
    let mut object = expected.clone();
    let owned = fields_of(&json!({"metadata": expected["metadata"], "spec": {
        "replicas": 1, "selector": 1, "strategy": expected["spec"]["strategy"], "template": {"spec": {
            "containers": expected["spec"]["template"]["spec"]["containers"][0]}}}}));
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.insert("uid".into(), "d0a1b2c3-0000-4000-8000-000000000000".into());
    metadata.insert("resourceVersion".into(), "123456".into());
    metadata.insert("generation".into(), 7.into());
    metadata.insert("creationTimestamp".into(), "2026-01-02T03:04:05Z".into());
    metadata.insert(
        "managedFields".into(),
        json!([{"manager": "gitward", "operation": "Update", "apiVersion": "apps/v1",
            "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1", "fieldsV1": owned}]),
    );
    object["status"] = json!({"observedGeneration": 7, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
        "availableReplicas": 3, "conditions": [{"type": "Available", "status": "True",
            "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability.",
            "lastUpdateTime": "2026-01-02T03:04:05Z", "lastTransitionTime": "2026-01-02T03:04:05Z"}]});
    object
}

/// About what `managedFields` lists.
fn fields_of(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    Value::Object(fields.map(|(k, v)| (format!("f:{k}"), fields_of(v))).collect::<Map<_, _>>())
}

/// A request: its object as it was, and as it is to be.
pub(crate) struct Write {
    /// What is acted on.
    pub(crate) key: ObjectKey,
    /// Plural resource name.
    pub(crate) resource: &'static str,
    /// Who writes.
    pub(crate) account: &'static str,
    /// As it was; `None` for a creation.
    pub(crate) old: Option<Value>,
    /// As it is to be.
    pub(crate) new: Value,
}

/// The account that converges.
const RECONCILER: &str = "system:serviceaccount:gitward-system:gitward-reconciler";

impl Write {
    fn of(resource: &'static str, account: &'static str, old: Option<Value>, new: Value) -> Self {
        Self { key: ObjectKey::of(&new).unwrap(), resource, account, old, new }
    }

    /// An UPDATE that brings a Deployment's image back to what Git says.
    pub(crate) fn convergence() -> Self {
        let new = live(&expected(NAMESPACE));
        let mut old = new.clone();
        old["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.org/shop/web:1.2.2".into();
        Self::of("deployments", RECONCILER, Some(old), new)
    }

    /// An UPDATE that changes nothing but who manages what.
    pub(crate) fn nothing() -> Self {
        let old = live(&expected(NAMESPACE));
        let mut new = old.clone();
        new["metadata"]["managedFields"][0]["manager"] = "kubectl".into();
        Self::of("deployments", "alice", Some(old), new)
    }

    /// An UPDATE that Git does not say.
    pub(crate) fn denied() -> Self {
        let old = live(&expected(NAMESPACE));
        let mut new = old.clone();
        new["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.org/evil:1".into();
        Self::of("deployments", "alice", Some(old), new)
    }

    /// The ReplicaSet that the Deployment controller makes.
    pub(crate) fn replica_set() -> Self {
        Self::of("replicasets", "system:serviceaccount:kube-system:deployment-controller", None, replica_set())
    }

    /// The Pod that the ReplicaSet controller makes. Its owner has to be in the cluster: see
    /// [`Shop::with_replica_set`].
    pub(crate) fn pod() -> Self {
        Self::of("pods", "system:serviceaccount:kube-system:replicaset-controller", None, pod())
    }
}

const SET_UID: &str = "e0a1b2c3-0000-4000-8000-000000000000";

fn owned_by(kind: &str, name: &str, uid: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid,
        "controller": true, "blockOwnerDeletion": true}])
}

fn replica_set() -> Value {
    let deployment = live(&expected(NAMESPACE));
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = "5597669dc4".into();
    let labels = template["metadata"]["labels"].clone();
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "web-5597669dc4", "namespace": NAMESPACE, "labels": labels,
            "uid": "f0a1b2c3-0000-4000-8000-000000000000",
            "ownerReferences": owned_by("Deployment", "web", deployment["metadata"]["uid"].as_str().unwrap()),
            "annotations": {"example.org/owner": "shop@example.org", "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web", "pod-template-hash": "5597669dc4"}},
            "template": template},
        "status": {"replicas": 0},
    })
}

fn pod() -> Value {
    const TOKEN: &str = "kube-api-access-bcdfg";
    let template = replica_set()["spec"]["template"].clone();
    let mut spec = template["spec"].clone();
    for container in spec["containers"].as_array_mut().unwrap() {
        container["volumeMounts"].as_array_mut().unwrap().push(json!({"name": TOKEN, "readOnly": true,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}));
    }
    spec["volumes"].as_array_mut().unwrap().push(json!({"name": TOKEN, "projected": {"defaultMode": 420,
        "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}));
    let lost = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    for (field, value) in [
        ("serviceAccountName", json!("default")),
        ("serviceAccount", json!("default")),
        ("enableServiceLinks", json!(true)),
        ("priority", json!(0)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("tolerations", json!([lost("node.kubernetes.io/not-ready"), lost("node.kubernetes.io/unreachable")])),
    ] {
        spec[field] = value;
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-5597669dc4-xk7lp", "generateName": "web-5597669dc4-", "namespace": NAMESPACE,
            "labels": template["metadata"]["labels"], "uid": "a0a1b2c3-0000-4000-8000-000000000000",
            "ownerReferences": owned_by("ReplicaSet", "web-5597669dc4", SET_UID)},
        "spec": spec, "status": {"phase": "Pending", "qosClass": "Burstable"},
    })
}
