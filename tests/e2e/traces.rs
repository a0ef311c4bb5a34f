//! Traces, for whoever collects them: every review, every convergence, every revert; nothing of what
//! objects hold; and nothing depends on whether somebody collects them.

mod collector;

use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::{Options, Stage};
use serde_json::json;
use tokio::net::TcpListener;

use collector::{Collector, Span};

use crate::fleet::{SHOP_ALONE, gitward};

const WITHIN: Duration = Duration::from_secs(120);

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {colour: written-in-git}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: shop}
stringData: {password: a-secret-in-git}
";

/// What people write behind Git's back.
const BY_HAND: &str = "written-by-hand";

async fn set(endpoint: &str) -> Stage {
    let people = vec![("alice".to_owned(), vec!["system:authenticated".to_owned()])];
    let options = Options { controller_manager: false, people, ..Options::default() };
    let mut stage = Stage::set(gitward(), options).await.unwrap();
    let bound = ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice"];
    stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
    stage.work.write("gitward.yaml", SHOP_ALONE).unwrap();
    stage.work.write("prod/shop.yaml", SHOP).unwrap();
    stage.send_traces_to(endpoint);
    stage
}

/// Changes both objects as Alice; whether she could.
async fn edit(stage: &Stage) -> [bool; 2] {
    let alice = stage.cluster.person_kubeconfig("alice", &["system:authenticated"]).unwrap();
    let patches = [
        ("configmap/web", format!(r#"{{"data": {{"colour": "{BY_HAND}"}}}}"#)),
        ("secret/web", format!(r#"{{"stringData": {{"password": "{BY_HAND}"}}}}"#)),
    ];
    let mut done = [false; 2];
    for ((object, patch), done) in patches.iter().zip(&mut done) {
        let line = ["patch", object, "-n", "shop", "-p", patch];
        *done = stage.cluster.kubectl_as(&alice, &line, "").await.unwrap().success();
    }
    done
}

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const PARENT: u64 = 0x00f0_67aa_0ba9_02b7;

/// Asks the webhook as an API server does that traces.
async fn of_the_api_servers_trace(stage: &Stage) {
    let mut config = kube::Config::new(format!("https://{}", stage.webhook_at()).parse().unwrap());
    config.accept_invalid_certs = true;
    let client = kube::Client::try_from(config).unwrap();
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
        "resource": {"group": "", "version": "v1", "resource": "configmaps"},
        "name": "elsewhere", "namespace": "elsewhere", "operation": "DELETE", "userInfo": {"username": "bob"},
        "oldObject": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "elsewhere"}}}});
    let request = http::Request::post("/admit")
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE:032x}-{PARENT:016x}-01"))
        .body(review.to_string().into_bytes());
    client.request_text(request.unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_reviews_convergences_and_reverts() {
    let collector = Collector::start().await;
    let mut stage = set(&collector.endpoint()).await;
    let commit = stage.open("Open the shop", WITHIN).await.unwrap();
    assert_eq!(edit(&stage).await, [false, false]);

    let converged = collector.wait("convergence", |s| s.says("gitward.outcome", "Converged")).await;
    assert_eq!(converged.service, "gitward-reconciler");
    assert!(converged.says("gitward.commit", &commit) && converged.says("gitward.environment", "prod"));
    assert!(converged.says("gitward.created", "3") && converged.says("gitward.failures", "0"));
    let precheck = collector.wait("precheck", |s| s.parent == converged.id).await;
    assert!(precheck.within(&converged));

    let by_alice = |s: &Span| s.says("k8s.account", "alice") && s.says("k8s.kind", "ConfigMap");
    let denied = collector.wait("admission review", by_alice).await;
    assert_eq!(denied.service, "gitward-webhook");
    for (attribute, value) in [
        ("gitward.decision", "Denied"),
        ("gitward.rules", "trace/declared-field"),
        ("gitward.commit", commit.as_str()),
        ("k8s.operation", "Update"),
        ("k8s.namespace", "shop"),
        ("k8s.name", "web"),
    ] {
        assert!(denied.says(attribute, value), "{attribute}: {denied:?}");
    }
    let look = collector.wait("look at Git", |s| s.parent == denied.id).await;
    assert!(look.within(&denied), "{look:?} of {denied:?}");
    let allowed = |s: &Span| s.says("gitward.decision", "Allowed") && s.says("gitward.origins", "Declared");
    collector.wait("admission review", allowed).await;

    of_the_api_servers_trace(&stage).await;
    let inherited = collector.wait("admission review", |s| s.parent == PARENT.to_be_bytes()).await;
    assert_eq!(inherited.trace, TRACE.to_be_bytes());

    stage.remove_webhook().await.unwrap();
    assert_eq!(edit(&stage).await, [true, true]);
    for kind in ["ConfigMap", "Secret"] {
        let reverted = collector.wait("revert", |s| s.says("k8s.kind", kind)).await;
        assert!(reverted.says("gitward.write", "write back") && reverted.says("gitward.commit", &commit));
    }
    let secrets = ["a-secret-in-git", "written-in-git", BY_HAND, "YS1zZWNyZXQtaW4tZ2l0", "d3JpdHRlbi1ieS1oYW5k"];
    assert!(!collector.has_heard(&secrets), "what objects hold is in a trace");
    for log in [stage.webhook_log(), stage.reconciler_log()] {
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("traces are sent") && !log.contains("traces cannot be sent"), "{log}");
        assert!(!log.contains("admission review") && !log.contains("gitward.commit"), "spans are in the log: {log}");
    }
}

/// One that takes connections and never answers is worse than none.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_harms_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stage = set(&format!("http://{}", silent.local_addr().unwrap())).await;
    let commit = stage.open("Open the shop", WITHIN).await.unwrap();
    let told = |log: &Path| std::fs::read_to_string(log).unwrap().matches("traces cannot be sent").count();
    for log in [stage.webhook_log(), stage.reconciler_log()] {
        stage.wait_for("a word about it", WITHIN, async || Ok((told(&log) > 0).then_some(()))).await.unwrap();
    }
    assert_eq!(edit(&stage).await, [false, false]);
    stage.wait_converged(&commit, WITHIN).await.unwrap();
    // Nobody else is there either, from now on: that is another word.
    drop(silent);
    stage.remove_webhook().await.unwrap();
    assert_eq!(edit(&stage).await, [true, true]);
    let reverted = async || {
        let line = ["get", "configmap/web", "-n", "shop", "-o", "jsonpath={.data.colour}"];
        Ok((stage.cluster.kubectl(&line).await?.checked()? == "written-in-git").then_some(()))
    };
    stage.wait_for("the revert", WITHIN, reverted).await.unwrap();
    for log in [stage.webhook_log(), stage.reconciler_log()] {
        assert!((1..=3).contains(&told(&log)), "{}", std::fs::read_to_string(log).unwrap());
    }
}
