//! Objects are judged in the version that Git declares them in, whatever version a request is in,
//! and no kind is ever left out.

use std::path::PathBuf;
use std::time::Duration;

use gitward_test_cluster::{Options, Output, Stage};
use serde_json::{Value, json};

use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(60);

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
crds: [crds]
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
  clusterKinds: [Pool.example.org]
exemptions:
- name: scaling
  accounts: [alice]
  kinds: [HorizontalPodAutoscaler.autoscaling]
  fields: [spec.minReplicas]
  reason: alice knows when customers come
";

const SHOP: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.org/web:1
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
  namespace: shop
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 4
  metrics:
  - type: Resource
    resource:
      name: cpu
      target: {type: Utilization, averageUtilization: 70}
---
apiVersion: example.org/v1beta1
kind: Widget
metadata:
  name: knob
  namespace: shop
spec:
  size: 3
";

/// A CustomResourceDefinition without conversion, of which the last version is stored.
fn definition(kind: &str, scope: &str, versions: &[&str]) -> String {
    let singular = kind.to_lowercase();
    let spec = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    let versions: Vec<Value> = versions
        .iter()
        .map(|v| json!({"name": v, "served": true, "storage": Some(v) == versions.last(), "schema": schema}))
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{singular}s.example.org")},
        "spec": {"group": "example.org", "scope": scope, "versions": versions, "names": {
            "kind": kind, "listKind": format!("{kind}List"), "plural": format!("{singular}s"), "singular": singular,
        }},
    })
    .to_string()
}

/// A shop with an autoscaler declared in v2 and a Widget declared in v1beta1, and alice, who may do
/// everything that RBAC can allow.
struct Shop {
    stage: Stage,
    alice: PathBuf,
}

impl Shop {
    async fn open() -> Self {
        let mut stage = Stage::set(gitward(), Options::default()).await.unwrap();
        let widgets = definition("Widget", "Namespaced", &["v1beta1", "v1"]);
        assert!(stage.cluster.apply(&widgets).await.unwrap().success());
        let alice = stage.cluster.person_kubeconfig("alice", &[]).unwrap();
        let bound = ["create", "clusterrolebinding", "alice", "--clusterrole=cluster-admin", "--user=alice"];
        assert!(stage.cluster.kubectl(&bound).await.unwrap().success());
        stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
        stage.work.write("crds/widgets.yaml", &widgets).unwrap();
        stage.work.write("prod/shop.yaml", SHOP).unwrap();
        stage.open("Open the shop", WITHIN).await.unwrap();
        Self { stage, alice }
    }

    async fn alice(&self, arguments: &[&str], input: &str) -> Output {
        self.stage.cluster.kubectl_as(&self.alice, arguments, input).await.unwrap()
    }

    /// Reads an object of `plural.version.group`, changes it and replaces it in that
    /// version.
    async fn edit(&self, resource: &str, name: &str, change: impl Fn(&mut Value)) -> Output {
        loop {
            let read = self.alice(&["get", resource, name, "-n", "shop", "-o", "json"], "").await;
            let mut object: Value = serde_json::from_str(&read.stdout).unwrap();
            let version = object["apiVersion"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(Some(version), resource.split('.').nth(1));
            change(&mut object);
            let output = self.alice(&["replace", "-f", "-"], &object.to_string()).await;
            // Some controller wrote in between.
            if !output.stderr.contains("the object has been modified") {
                return output;
            }
        }
    }

    /// Waits until every API server had the time to learn what is converted: until then edits in
    /// another version are denied for that reason alone.
    async fn settled(&self) {
        let ask = async || {
            let output = self
                .edit("horizontalpodautoscalers.v1.autoscaling", "web", |o| o["spec"]["minReplicas"] = json!(2))
                .await;
            Ok(output.success().then_some(()))
        };
        self.stage.wait_for("a registration that converts", WITHIN, ask).await.unwrap();
    }
}

fn place(of: &str) -> String {
    let line = SHOP.lines().position(|l| l.contains(of)).unwrap() + 1;
    format!("prod/shop.yaml:{line}:")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_another_version_is_judged_in_the_declared_one() {
    let shop = Shop::open().await;
    shop.settled().await;
    for (resource, name, field, of, change) in [
        (
            "horizontalpodautoscalers.v1.autoscaling",
            "web",
            "spec.maxReplicas",
            "maxReplicas",
            json!({"maxReplicas": 9}),
        ),
        (
            "horizontalpodautoscalers.v1.autoscaling",
            "web",
            "spec.metrics",
            "type: Resource",
            json!({"targetCPUUtilizationPercentage": 5}),
        ),
        (
            "horizontalpodautoscalers.v2.autoscaling",
            "web",
            "spec.maxReplicas",
            "maxReplicas",
            json!({"maxReplicas": 9}),
        ),
        ("widgets.v1.example.org", "knob", "spec.size", "size", json!({"size": 9})),
        ("widgets.v1beta1.example.org", "knob", "spec.size", "size", json!({"size": 9})),
    ] {
        let output = shop
            .edit(resource, name, |o| {
                o["spec"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            })
            .await;
        assert!(!output.success(), "{resource}: {change} passed");
        let told = format!("{resource}: {}", output.stderr);
        assert!(output.stderr.contains(field) && output.stderr.contains(&place(of)), "{told}");
        let unchanged = shop.edit(resource, name, |_| {}).await;
        assert!(unchanged.success(), "{resource}: {}", unchanged.stderr);
    }
    let scaled =
        shop.edit("horizontalpodautoscalers.v1.autoscaling", "web", |o| o["spec"]["minReplicas"] = json!(3)).await;
    assert!(scaled.success(), "exempted in Git, in whatever version: {}", scaled.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_covered_from_its_first_moment_to_its_last() {
    let shop = Shop::open().await;
    shop.settled().await;

    // Kinds that appear.
    for (kind, scope, namespace) in [("Gadget", "Namespaced", "shop"), ("Pool", "Cluster", "")] {
        assert!(shop.stage.cluster.apply(&definition(kind, scope, &["v1", "v2"])).await.unwrap().success());
        for version in ["v1", "v2"] {
            let object = json!({
                "apiVersion": format!("example.org/{version}"), "kind": kind,
                "metadata": {"name": format!("planted-{version}"), "namespace": namespace}, "spec": {"size": 1},
            });
            let ask = async || {
                let output = shop.alice(&["create", "-f", "-"], &object.to_string()).await;
                assert!(!output.success(), "an undeclared {kind} passed in {version}");
                let not_served = output.stderr.contains("no matches for kind") || output.stderr.contains("not find");
                Ok((!not_served).then_some(output.stderr))
            };
            let denial = shop.stage.wait_for("a kind to be served", WITHIN, ask).await.unwrap();
            assert!(denial.contains("is not declared in Git"), "{denial}");
        }
    }

    // A declared version that goes away: nothing can be converted to it any more.
    assert!(shop.stage.cluster.apply(&definition("Widget", "Namespaced", &["v1"])).await.unwrap().success());
    let gone = async || {
        let versions = shop.alice(&["get", "--raw", "/apis/example.org/v1beta1/namespaces/shop/widgets"], "").await;
        let output = shop.edit("widgets.v1.example.org", "knob", |o| o["spec"]["size"] = json!(9)).await;
        assert!(!output.success(), "an edit passed while the declared version went away");
        assert!(output.stderr.contains("trace/"), "{}", output.stderr);
        Ok((!versions.success()).then_some(()))
    };
    shop.stage.wait_for("the declared version to be gone", WITHIN, gone).await.unwrap();
    let output = shop.edit("widgets.v1.example.org", "knob", |o| o["spec"]["size"] = json!(9)).await;
    assert!(output.stderr.contains("spec.size"), "its versions differ in their names alone: {}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_definition_fills_in_later_is_learnt_without_a_commit() {
    let shop = Shop::open().await;
    let filled = definition("Widget", "Namespaced", &["v1beta1", "v1"])
        .replace(r#""size":{"#, r#""colour":{"type":"string","default":"red"},"size":{"#);
    assert!(shop.stage.cluster.apply(&filled).await.unwrap().success());
    let published = async || {
        let arguments = ["get", "configmaps", "-n", "gitward-system", "-o", "jsonpath={.items[*].data}"];
        let maps = shop.stage.cluster.kubectl(&arguments).await?.checked()?;
        Ok(maps.contains("/spec/colour").then_some(()))
    };
    shop.stage.wait_for("the default to be learnt", WITHIN, published).await.unwrap();
    let kept = shop.edit("widgets.v1beta1.example.org", "knob", |_| {}).await;
    assert!(kept.success(), "{}", kept.stderr);
    let other = shop.edit("widgets.v1beta1.example.org", "knob", |o| o["spec"]["colour"] = json!("green")).await;
    assert!(!other.success() && other.stderr.contains("spec.colour"), "{}{}", other.stdout, other.stderr);
    let log = std::fs::read_to_string(shop.stage.reconciler_log()).unwrap();
    assert!(!log.contains("reason=Diverged"), "a default of the definition is no divergence: {log}");
}
