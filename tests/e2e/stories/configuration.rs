//! What Pods read and are bounded by, and the tokens of their accounts.

use serde_json::{Value, json};

use super::manifests::{config_map, deployment, image};
use super::scene::{Scene, is_rolled_out};
use crate::edits::{Editor, MALLORY, SRE};

pub(super) async fn turned_over(scene: Scene<'_>) {
    let reader = |round: u32| {
        let secret = format!(
            "---\n{{apiVersion: v1, kind: Secret, metadata: {{name: read, namespace: turns}}, stringData: {{key: s{round}}}}}\n"
        );
        deployment("turns", "reader")
            .replicas(2)
            .annotation(&format!("example.org/digest: '{round}'"))
            .pod("volumes: [{name: c, configMap: {name: read}}, {name: s, secret: {secretName: read}}]")
            .container("volumeMounts: [{name: c, mountPath: /c}, {name: s, mountPath: /s}]")
            .container("env: [{name: KEY, valueFrom: {secretKeyRef: {name: read, key: key}}}]")
            .text()
            + &config_map("turns", "read", &format!("c{round}"))
            + &secret
    };
    for round in 1..=3 {
        scene.declare("reader", &reader(round)).await;
        let digest = round.to_string();
        scene
            .until(&format!("round {round} is read"), "deployment/reader", |d| {
                d["spec"]["template"]["metadata"]["annotations"]["example.org/digest"] == digest && is_rolled_out(d, 2)
            })
            .await;
        assert_eq!(scene.get("configmap/read").await["data"]["key"], format!("c{round}"));
    }
}

pub(super) async fn limits(scene: Scene<'_>) {
    let bounds = |pods: u32, memory: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: all, namespace: limits}}, spec: {{hard: {{pods: \
             {pods}, limits.memory: 4Gi}}}}}}\n---\n{{apiVersion: v1, kind: LimitRange, metadata: {{name: each, namespace: \
             limits}}, spec: {{limits: [{{type: Container, default: {{memory: {memory}}}, defaultRequest: {{cpu: 10m, \
             memory: 32Mi}}}}]}}}}\n"
        )
    };
    let app = |version| deployment("limits", "bounded").replicas(3).version(version).text();
    let number = scene.declare("bounds", &bounds(2, "64Mi")).await;
    scene.theatre.converged(number).await;
    scene.until("the quota counts", "quota/all", |q| q["status"]["hard"]["pods"] == "2").await;
    scene.declare("bounded", &app(1)).await;
    scene.until("the quota is used up", "deployment/bounded", |d| d["status"]["readyReplicas"] == 2).await;
    scene.declare("bounds", &bounds(5, "64Mi")).await;
    scene.runs("bounded", &image(1), 3).await;
    // Another default for what is made from now on; what runs stays as it is.
    let number = scene.declare("bounds", &bounds(5, "128Mi")).await;
    scene.theatre.converged(number).await;
    scene.quiet().await;
    scene.declare("bounded", &app(2)).await;
    scene.runs("bounded", &image(2), 3).await;
    scene
        .until_all("Pods have the new default", "pod", "bounded-", |pods| {
            let new = |p: &&Value| p["spec"]["containers"][0]["resources"]["limits"]["memory"] == "128Mi";
            pods.len() == 3 && pods.iter().filter(new).count() == 3
        })
        .await;
}

/// An account of the application, which may keep Leases.
fn account() -> String {
    "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: app, namespace: tokens}}\n\
     ---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: leads, namespace: tokens}, rules: \
     [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: ['*']}]}\n\
     ---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: leads, namespace: tokens}, \
     roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: leads}, subjects: [{kind: ServiceAccount, name: \
     app, namespace: tokens}]}\n"
        .to_owned()
}

pub(super) async fn tokens(scene: Scene<'_>) {
    let app = deployment("tokens", "app").replicas(1).pod("serviceAccountName: worker");
    let app = app.pod("nodeSelector: {kubernetes.io/hostname: node-0}").text();
    let text = app + "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: worker, namespace: tokens}}\n";
    scene.declare("app", &text).await;
    scene.runs("app", &image(1), 1).await;
    let pods = scene.all("pod", "app-").await;
    let (name, uid) = (&pods[0]["metadata"]["name"], &pods[0]["metadata"]["uid"]);

    // As the kubelet of its node does before it starts the Pod, and while that runs.
    let bound = |uid: &Value| {
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [],
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}}})
    };
    let path = "/api/v1/namespaces/tokens/serviceaccounts/worker/token";
    let cluster = &scene.theatre.stage.cluster;
    let kubelet = cluster.folder().join("node-0.kubeconfig");
    let words = ["create", "--raw", path, "-f", "-"];
    cluster.kubectl_as(&kubelet, &words, &bound(uid).to_string()).await.unwrap().checked().unwrap();

    // People get none, not even one that is bound to the Pod, unless Git says so.
    let person = Editor::new(&scene.theatre.stage, MALLORY).unwrap();
    for output in [
        scene.kubectl(MALLORY, "create token worker").await,
        person.kubectl(&words.join(" "), &bound(uid).to_string()).await.unwrap(),
    ] {
        assert!(!output.success() && output.stderr.contains("gitward.dev"), "{}{}", output.stdout, output.stderr);
    }
    scene.kubectl(SRE, "create token worker").await.checked().unwrap();
}

pub(super) async fn lease(scene: Scene<'_>) {
    let number = scene.declare("account", &account()).await;
    scene.theatre.converged(number).await;
    let token = scene.kubectl(SRE, "create token app").await.checked().unwrap();
    let application = Editor::new(&scene.theatre.stage, SRE).unwrap();
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader",
        "namespace": "tokens"}, "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15}});
    let as_application = |line: &str| format!("--token={} {line} -n tokens", token.trim());
    application.kubectl(&as_application("create -f -"), &lease.to_string()).await.unwrap().checked().unwrap();
    let patch = "patch lease/leader --type=merge -p {\"spec\":{\"holderIdentity\":\"two\"}}";
    application.kubectl(&as_application(patch), "").await.unwrap().checked().unwrap();
    scene.quiet().await;
    assert_eq!(scene.get("lease/leader").await["spec"]["holderIdentity"], "two");
}
