//! Commits as a whole: what they bring along for themselves, and the one bad object in them.

use gitward_test_cluster::Result;
use serde_json::{Value, json};

use super::{GIVE_UP, Traps};

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: traps}\n";

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: traps}\ndata: {a: \"1\"}\n";

/// The API server refuses its address, whatever the schema says.
const BAD: &str = "\
apiVersion: v1
kind: Service
metadata: {name: bad, namespace: traps}
spec:
  clusterIP: 192.0.2.1
  ports:
  - port: 80
";

fn config(name: &str) -> String {
    CONFIG.replace("NAME", name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_brings_all_that_its_objects_need() {
    let traps = Traps::set(&[("prod/base.yaml", NAMESPACE)]).await;
    kind_and_namespace_come_along(&traps).await;
    accounts_and_priorities_come_along(&traps).await;
    defaults_come_along(&traps).await;
    a_new_default_of_a_kind_comes_along(&traps).await;
}

async fn kind_and_namespace_come_along(traps: &Traps) {
    traps.stage.work.write("prod/coupon.yaml", include_str!("../fixtures/traps/coupon.yaml")).unwrap();
    let message = traps.push("A kind, a namespace and an object of both").await;
    assert!(message.contains("3 created"), "{message}");
    let coupon = traps.get("coupon/spring -n late").await;
    assert_eq!(coupon["spec"], json!({"percent": 10}));
    traps.in_peace(&["coupon/spring -n late", "namespace/late"]).await;
}

async fn accounts_and_priorities_come_along(traps: &Traps) {
    traps.stage.work.write("prod/runs.yaml", include_str!("../fixtures/traps/runs.yaml")).unwrap();
    let message = traps.push("Workloads with their account and priority").await;
    assert!(message.contains("4 created"), "{message}");
    let pod = traps.until("pod/quick -n late", "the bare Pod runs", |p| p["status"]["phase"] == "Running").await;
    assert_eq!((&pod["spec"]["priority"], &pod["spec"]["serviceAccountName"]), (&json!(1000), &json!("runner")));
    assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "registry"}]));
    traps.until("deployment/slow -n late", "the Deployment runs", |d| d["status"]["readyReplicas"] == 1).await;
    traps.in_peace(&["pod/quick -n late", "serviceaccount/runner -n late"]).await;
}

/// What the API server adds to an object by the defaults that the same commit brings.
async fn defaults_come_along(traps: &Traps) {
    traps.stage.work.write("prod/defaults.yaml", include_str!("../fixtures/traps/defaults.yaml")).unwrap();
    let message = traps.push("Defaults and what they are for").await;
    assert!(message.contains("6 created"), "{message}");
    assert_eq!(traps.get("ingress/classless -n traps").await["spec"]["ingressClassName"], "inner");
    assert_eq!(traps.get("pvc/classless -n traps").await["spec"]["storageClassName"], "fast");
    let pod = traps.until("pod/limitless -n traps", "the bare Pod runs", |p| p["status"]["phase"] == "Running").await;
    assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"], json!({"cpu": "500m"}));
    traps.in_peace(&["ingress/classless -n traps", "pvc/classless -n traps", "pod/limitless -n traps"]).await;
}

async fn a_new_default_of_a_kind_comes_along(traps: &Traps) {
    let number = "percent: {type: integer}";
    traps.replace("prod/coupon.yaml", number, &format!("{number}\n              times: {{type: integer, default: 3}}"));
    let summer = "apiVersion: shop.example.org/v1\nkind: Coupon\nmetadata: {name: summer, namespace: late}\nspec: {percent: 20}\n";
    traps.stage.work.write("prod/summer.yaml", summer).unwrap();
    let message = traps.push("A default of a kind, and one more object of it").await;
    assert!(message.contains("1 created"), "{message}");
    assert_eq!(traps.get("coupon/summer -n late").await["spec"], json!({"percent": 20, "times": 3}));
    assert_eq!(traps.get("coupon/spring -n late").await["spec"], json!({"percent": 10, "times": 3}));
    traps.in_peace(&["coupon/spring -n late", "coupon/summer -n late"]).await;

    // What is there fills in the old default until the commit is in force.
    traps.replace("prod/coupon.yaml", "default: 3", "default: 5");
    traps.replace("prod/summer.yaml", "percent: 20", "percent: 25");
    traps.push("Another default of a kind, and its objects").await;
    traps.until("coupon/summer -n late", "it has the new default", |c| c["spec"]["times"] == 5).await;
    traps.until("coupon/spring -n late", "so has what was there", |c| c["spec"]["times"] == 5).await;
    traps.in_peace(&["coupon/spring -n late", "coupon/summer -n late"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_object_keeps_its_whole_commit_out() {
    let mut traps = Traps::set(&[("prod/kept.yaml", &config("kept"))]).await;
    nothing_of_a_bad_commit_is_applied(&traps).await;
    not_even_the_namespace_that_it_brings(&traps).await;
    the_commit_that_mends_it_converges(&traps).await;
    learning_does_not_wait_for_the_gate(&mut traps).await;
    traps.without_webhook().await;
    the_last_good_commit_goes_on(&traps).await;
}

async fn nothing_of_a_bad_commit_is_applied(traps: &Traps) {
    bad_commit(traps, "good").await;
    let kept = traps.get("configmap/kept -n traps").await;
    assert_eq!(kept["data"]["a"], "1");
    traps.denied("patch configmap/kept -n traps -p '{\"data\":{\"a\":\"mallory\"}}'", "").await;
}

/// What is refused is in a namespace that is not there to try it.
async fn not_even_the_namespace_that_it_brings(traps: &Traps) {
    let late = "apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n---\napiVersion: apps/v1\nkind: Deployment\n\
                metadata: {name: odd, namespace: late}\nspec:\n  selector: {matchLabels: {app: odd}}\n  template:\n    \
                metadata: {labels: {app: odd}}\n    spec: {containers: [{name: odd, image: \"registry.example.org/odd:1\", \
                resources: {requests: {example.org/gpu: 1}}}]}\n";
    let bad = traps.stage.work.read("prod/bad.yaml").unwrap();
    traps.stage.work.write("prod/bad.yaml", "").unwrap();
    traps.stage.work.write("prod/late.yaml", late).unwrap();
    let commit = traps.push_only("A namespace, and what is refused in it");
    let refused = async || {
        let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await?;
        Ok((message.contains(&commit[..12]) && message.contains("prod/late.yaml:12:")).then_some(message))
    };
    let message = traps.stage.wait_for("the refusal of what it brings", GIVE_UP, refused).await.unwrap();
    assert!(message.contains("nothing of it was applied") && message.contains("Limit must be set"), "{message}");
    assert_eq!(traps.get("namespace/late").await, Value::Null);
    traps.stage.work.remove("prod/late.yaml").unwrap();
    traps.stage.work.write("prod/bad.yaml", bad).unwrap();
}

/// A commit with one bad object, one new and one changed; it is refused and told.
async fn bad_commit(traps: &Traps, new: &str) {
    let before = traps.get("configmap/kept -n traps").await;
    traps.stage.work.write("prod/bad.yaml", format!("{}---\n{BAD}", config("first"))).unwrap();
    traps.stage.work.write(&format!("prod/{new}.yaml"), config(new)).unwrap();
    let data = before["data"]["a"].as_str().unwrap();
    traps.replace("prod/kept.yaml", &format!("a: \"{data}\""), &format!("a: \"{data}0\""));
    let commit = traps.push_only("One of these is bad");
    let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(message.contains(&commit[..12]) && message.contains("nothing of it was applied"), "{message}");
    // The line and column of the address, and what the API server said of it.
    assert!(message.contains("prod/bad.yaml:10:"), "{message}");
    assert!(message.contains("Service/bad in traps") && message.contains("not in the valid range"), "{message}");
    for name in [&format!("configmap/{new} -n traps"), "configmap/first -n traps", "service/bad -n traps"] {
        assert_eq!(traps.get(name).await, Value::Null);
    }
    let after = traps.get("configmap/kept -n traps").await;
    assert_eq!(before["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"]);
}

async fn the_commit_that_mends_it_converges(traps: &Traps) {
    traps.replace("prod/bad.yaml", "  clusterIP: 192.0.2.1\n", "");
    let message = traps.push("Mended").await;
    assert!(message.contains("3 created, 1 changed"), "{message}");
    assert_eq!(traps.get("configmap/kept -n traps").await["data"]["a"], "10");
    traps.in_peace(&["configmap/kept -n traps", "configmap/good -n traps", "service/bad -n traps"]).await;
}

/// Nobody writes past a gate that is away, gitward included; what is learnt meanwhile is published
/// all the same, so that the gate knows it as soon as it is back.
async fn learning_does_not_wait_for_the_gate(traps: &mut Traps) {
    traps.stage.kill_webhook();
    traps.stage.work.write("prod/unseen.yaml", config("unseen")).unwrap();
    let commit = traps.push_only("While the gate is away");
    let learnt = async || Ok(traps.published().await.contains("\\\"unseen\\\"").then_some(()));
    traps.stage.wait_for("the learning of what is new", GIVE_UP, learnt).await.unwrap();
    let said = traps.kubectl_as(crate::edits::MALLORY, "create -f -", &config("evil")).await;
    assert!(!said.success() && said.stderr.contains("failed calling webhook"), "{}", said.stderr);
    assert_eq!(traps.get("configmap/unseen -n traps").await, Value::Null);
    traps.stage.start_webhook().await.unwrap();
    traps.stage.wait_converged(&commit, GIVE_UP).await.unwrap();
    assert_eq!(traps.get("configmap/unseen -n traps").await["data"]["a"], "1");
    traps.in_peace(&["configmap/unseen -n traps"]).await;
}

async fn the_last_good_commit_goes_on(traps: &Traps) {
    traps.stage.work.write("prod/bad.yaml", "").unwrap();
    traps.push("Without the Service").await;
    bad_commit(traps, "other").await;
    traps.attack("patch configmap/kept -n traps -p '{\"data\":{\"a\":\"mallory\"}}'", "").await;
    traps.until("configmap/kept -n traps", "held to the last good commit", |c| c["data"]["a"] == "10").await;
    traps.attack("create -f -", &config("evil")).await;
    traps.until("configmap/evil -n traps", "what no commit declares", Value::is_null).await;
    let told = async || -> Result<Option<()>> {
        let log = std::fs::read_to_string(traps.stage.reconciler_log()).unwrap();
        Ok(log.contains("Reverted").then_some(()))
    };
    traps.stage.wait_for("the reverts", GIVE_UP, told).await.unwrap();
}
