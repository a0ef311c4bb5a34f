//! What the gate refuses beyond the schema, a real API server refuses, and what the one takes, the other does.

use std::sync::Arc;

use gitward_core::config::Configuration;
use gitward_core::evaluate::{Judge, TreeFile};
use gitward_core::finding::Severity;
use gitward_test_cluster::{ControlPlane, Options};
use kube::Client;
use serde_json::{Value, json};

/// Where an object is made, a good one, and what is written into it instead: where, what, and whether it is good still.
struct Case {
    path: &'static str,
    good: Value,
    edits: Vec<(&'static str, Value, bool)>,
}

const GOOD: bool = true;
const BAD: bool = false;

fn case(path: &'static str, good: Value, edits: Vec<(&'static str, Value, bool)>) -> Case {
    Case { path, good, edits }
}

fn template() -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}})
}

fn workloads() -> Vec<Case> {
    let image = "/spec/template/spec/containers/0/image";
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template()}});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}}});
    let cron_job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"},
        "spec": {"schedule": "0 1 * * *", "jobTemplate": {"spec": job["spec"]}}});
    let set = |kind: &str| {
        let mut set = deployment.clone();
        set["kind"] = kind.into();
        set
    };
    let seccomp = |kind: &str| json!({"seccompProfile": {"type": kind}});
    let spread = |when: &str| json!([{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": when}]);
    vec![
        case(
            "/apis/apps/v1/namespaces/default/deployments",
            deployment.clone(),
            vec![
                (image, Value::Null, BAD),
                (image, json!(""), BAD),
                ("/spec", Value::Null, BAD),
                ("/spec/template", json!({}), BAD),
                ("/spec/template/spec", Value::Null, BAD),
                ("/spec/template/spec/containers/0", Value::Null, BAD),
                ("/spec/template/spec/initContainers", json!([{"name": "b"}]), BAD),
                ("/spec/template/metadata/labels/a", json!("c"), BAD),
                ("/spec/template/spec/restartPolicy", json!(""), GOOD),
                ("/spec/template/spec/dnsPolicy", json!(""), GOOD),
                ("/spec/template/spec/containers/0/imagePullPolicy", json!(""), GOOD),
                ("/spec/template/spec/containers/0/ports", json!([{"containerPort": 1, "protocol": ""}]), GOOD),
                ("/spec/template/spec/securityContext", seccomp("RuntimeDefault"), GOOD),
                ("/spec/template/spec/securityContext", seccomp(""), BAD),
                ("/spec/template/spec/containers/0/securityContext", seccomp(""), BAD),
                ("/spec/template/spec/topologySpreadConstraints", spread("DoNotSchedule"), GOOD),
                ("/spec/template/spec/topologySpreadConstraints", spread(""), BAD),
            ],
        ),
        case("/apis/apps/v1/namespaces/default/daemonsets", set("DaemonSet"), vec![(image, Value::Null, BAD)]),
        case("/apis/apps/v1/namespaces/default/replicasets", set("ReplicaSet"), vec![("/spec", Value::Null, BAD)]),
        case("/apis/apps/v1/namespaces/default/statefulsets", set("StatefulSet"), vec![("/spec", Value::Null, BAD)]),
        case(
            "/api/v1/namespaces/default/replicationcontrollers",
            json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "a"},
                "spec": {"template": template()}}),
            vec![("/spec", Value::Null, BAD), ("/spec/template", Value::Null, BAD), (image, Value::Null, BAD)],
        ),
        case(
            "/api/v1/namespaces/default/podtemplates",
            json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a"}, "template": template()}),
            vec![
                ("/template", Value::Null, BAD),
                ("/template/spec", Value::Null, BAD),
                ("/template/spec/containers/0/image", Value::Null, BAD),
                ("/metadata/name", json!("A_b"), BAD),
            ],
        ),
        case(
            "/apis/batch/v1/namespaces/default/jobs",
            job,
            vec![("/spec", Value::Null, BAD), ("/spec/template", Value::Null, BAD), (image, Value::Null, BAD)],
        ),
        case(
            "/apis/batch/v1/namespaces/default/cronjobs",
            cron_job,
            vec![
                ("/spec", Value::Null, BAD),
                ("/spec/jobTemplate/spec", Value::Null, BAD),
                ("/spec/schedule", json!(""), BAD),
                ("/spec/schedule", json!("TZ=UTC 0 1 * * *"), BAD),
                ("/spec/schedule", json!("CRON_TZ=UTC 0 1 * * *"), BAD),
                ("/spec/timeZone", json!("UTC"), GOOD),
                ("/spec/timeZone", json!("Etc/UTC"), GOOD),
                ("/spec/timeZone", json!("GMT"), GOOD),
                ("/spec/timeZone", json!("US/Eastern"), GOOD),
                ("/spec/timeZone", json!("Europe/Berlin"), GOOD),
                ("/spec/timeZone", json!("America/Argentina/Buenos_Aires"), GOOD),
                ("/spec/timeZone", json!("utc"), BAD),
                ("/spec/timeZone", json!("europe/berlin"), BAD),
                ("/spec/timeZone", json!("Local"), BAD),
                ("/spec/timeZone", json!("Etc/Unknown"), BAD),
                ("/spec/timeZone", json!(""), BAD),
            ],
        ),
    ]
}

fn others() -> Vec<Case> {
    let backend = json!({"service": {"name": "a", "port": {"number": 1}}});
    let modes = |mode: &str| json!([mode]);
    vec![
        case(
            "/api/v1/namespaces/default/services",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}}),
            vec![
                ("/spec", Value::Null, BAD),
                ("/spec/type", json!(""), GOOD),
                ("/spec/ports/0/protocol", json!(""), GOOD),
            ],
        ),
        case(
            "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"},
                "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}}),
            vec![("/spec", Value::Null, BAD), ("/spec/rules/0/http/paths/0/pathType", json!(""), BAD)],
        ),
        case(
            "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"},
                "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 1}]}]}}),
            vec![
                ("/spec", Value::Null, GOOD),
                ("/spec/policyTypes", json!([""]), BAD),
                ("/spec/ingress/0/ports/0/protocol", json!(""), BAD),
            ],
        ),
        case(
            "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}, "spec": {}}),
            vec![("/spec", Value::Null, GOOD), ("/metadata/name", json!("My_Budget"), GOOD)],
        ),
        case(
            "/api/v1/namespaces/default/persistentvolumeclaims",
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            vec![
                ("/spec", Value::Null, BAD),
                ("/spec/accessModes", modes(""), BAD),
                ("/spec/volumeMode", json!(""), BAD),
            ],
        ),
        case(
            "/api/v1/persistentvolumes",
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/a"}}}),
            vec![
                ("/spec", Value::Null, BAD),
                ("/spec/accessModes", modes(""), BAD),
                ("/spec/volumeMode", json!(""), BAD),
                ("/spec/persistentVolumeReclaimPolicy", json!(""), GOOD),
            ],
        ),
        case(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "a"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                "subjects": [{"kind": "Group", "name": "a"}]}),
            vec![
                ("/roleRef/kind", json!(""), BAD),
                ("/roleRef/apiGroup", json!(""), GOOD),
                ("/subjects/0/kind", json!(""), BAD),
            ],
        ),
        case(
            "/apis/node.k8s.io/v1/runtimeclasses",
            json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "a"}, "handler": "a"}),
            vec![("/metadata/name", json!("A_b"), BAD)],
        ),
        case(
            "/apis/coordination.k8s.io/v1/namespaces/default/leases",
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}, "spec": {}}),
            vec![("/spec", Value::Null, GOOD), ("/metadata/name", json!("A_b"), BAD)],
        ),
    ]
}

fn autoscalers() -> Vec<Case> {
    let metric = |kind: &str, target: Value| json!([{"type": kind, "resource": {"name": "cpu", "target": target}}]);
    let target = || json!({"type": "Utilization", "averageUtilization": 50});
    let external =
        |target: Value| json!([{"type": "External", "external": {"metric": {"name": "a"}, "target": target}}]);
    vec![case(
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}}),
        vec![
            ("/spec", Value::Null, BAD),
            ("/spec/metrics", metric("Resource", target()), GOOD),
            ("/spec/metrics", metric("Resources", target()), BAD),
            ("/spec/metrics", metric("", target()), BAD),
            ("/spec/metrics", metric("Resource", json!({"type": "Utilization", "averageUtilization": 0})), BAD),
            ("/spec/metrics", metric("Resource", json!({"type": "Utilization"})), BAD),
            ("/spec/metrics", metric("Resource", json!({"type": "Utilization", "averageValue": "1"})), GOOD),
            ("/spec/metrics", metric("Resource", json!({"type": "Percent", "averageUtilization": 1})), BAD),
            ("/spec/metrics", external(json!({"type": "Value", "value": "1"})), GOOD),
            ("/spec/metrics", external(json!({"type": "Value"})), BAD),
            ("/spec/scaleTargetRef/kind", json!(""), BAD),
            ("/spec/scaleTargetRef/name", json!(""), BAD),
        ],
    )]
}

fn admission() -> Vec<Case> {
    let rule = json!({"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]});
    let hook = json!({"name": "a.example.org", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://example.org"}, "rules": [rule]});
    let policy = json!({"validations": [{"expression": "true"}], "matchConstraints": {"resourceRules": [rule]}});
    vec![
        case(
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "a"}, "webhooks": [hook]}),
            vec![
                ("/webhooks", json!([hook, hook]), BAD),
                ("/webhooks/0/rules", json!([]), GOOD),
                ("/webhooks/0/rules/0/operations", json!([]), BAD),
                ("/webhooks/0/rules/0/apiGroups", Value::Null, BAD),
                ("/webhooks/0/rules/0/apiVersions", Value::Null, BAD),
                ("/webhooks/0/rules/0/resources", Value::Null, BAD),
                ("/webhooks/0/sideEffects", json!(""), BAD),
                ("/webhooks/0/failurePolicy", json!(""), BAD),
                ("/webhooks/0/matchPolicy", json!(""), BAD),
                ("/metadata/name", json!("A_b"), BAD),
            ],
        ),
        case(
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
                "metadata": {"name": "a"}, "spec": policy}),
            vec![
                ("/spec", Value::Null, BAD),
                ("/spec/matchConstraints", Value::Null, BAD),
                ("/spec/matchConstraints/resourceRules", json!([]), BAD),
                ("/spec/matchConstraints/resourceRules/0/operations", json!([]), BAD),
                ("/spec/failurePolicy", json!(""), BAD),
                ("/metadata/name", json!("A_b"), BAD),
            ],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_refuses_what_the_api_server_refuses_and_nothing_else() {
    let options = Options { controller_manager: false, ..Options::default() };
    let control_plane = ControlPlane::start(options).await.unwrap();
    let client = control_plane.client().await.unwrap();
    let configuration = Configuration { starter_policies: false, ..Configuration::for_unconfigured_tree() };
    let judge = Judge::new(configuration, &[]).unwrap();
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in [workloads(), others(), autoscalers(), admission()].into_iter().flatten() {
        let edited = case.edits.iter().map(|(at, value, is_good)| (written(&case.good, at, value), *is_good));
        for (object, is_good) in [(case.good.clone(), GOOD)].into_iter().chain(edited) {
            let (server, gate) = (is_taken(&client, case.path, &object).await, is_let_through(&judge, &object));
            asked += 1;
            if (server, gate) != (is_good, is_good) {
                wrong.push(format!("good {is_good}, API server {server}, gate {gate}: {object}"));
            }
        }
    }
    println!("{asked} objects asked about");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

/// The object with something else at a place, whether or not something was there.
fn written(object: &Value, at: &str, value: &Value) -> Value {
    let mut object = object.clone();
    let (parent, name) = at.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("{at}"));
    match parent {
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value.clone(),
        _ => parent[name] = value.clone(),
    }
    object
}

async fn is_taken(client: &Client, path: &str, object: &Value) -> bool {
    let request = http::Request::post(format!("{path}?dryRun=All"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(object.to_string().into_bytes())
        .unwrap();
    match client.request_text(request).await {
        Ok(_) => true,
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => false,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn is_let_through(judge: &Judge, object: &Value) -> bool {
    let files = [TreeFile { path: Arc::from("a.json"), bytes: Arc::from(object.to_string().as_bytes()) }];
    let evaluation = judge.environment(&judge.configuration().environments[0], &files);
    evaluation.findings.iter().all(|finding| finding.severity < Severity::Error)
}
