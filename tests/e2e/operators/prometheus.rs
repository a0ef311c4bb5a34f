//! What the real prometheus-operator makes passes within its ceilings, and nothing else.

use std::time::Duration;

use gitward_test_cluster::{Options, Output, Progress, PrometheusOperator, RunningOperator, Sources, Stage};
use serde_json::{Value, json};

use super::bare;
use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);
const STATEFUL_SET: &str = "statefulset/prometheus-main";
const READS: &str = include_str!("../../../deploy/delegations/prometheus-operator/webhook-rbac.yaml");
const MANIFESTS: &str = "prod/monitoring.yaml";
const CEILING: &str = "    policies: [ceiling.replicas]\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_makes_passes_within_its_ceilings() {
    let scene = Scene::set().await;
    scene.converges().await;

    // Everything that the operator made of the Prometheus, and the controllers of that.
    scene.is_made().await;
    scene.is_let_alone().await;
    scene.follows_git().await;

    scene.denies_the_operator_what_git_does_not_allow().await;
    scene.denies_others_what_is_the_operators().await;
    scene.reports_its_use().await;
    let scene = scene.reports_what_it_does_not_need().await;
    scene.takes_no_ceiling_that_is_not_there();

    let scene = scene.without_the_gate().await;
    scene.removes_what_is_past_the_ceilings().await;
    scene.lets_be_what_no_policy_denies_any_more().await;
    scene.goes_with_its_prometheus().await;
}

struct Scene {
    stage: Stage,
    operator: Option<RunningOperator>,
    mallory: std::path::PathBuf,
    /// The operator's own credentials, in the wrong hands.
    stolen: std::path::PathBuf,
}

impl Scene {
    async fn set() -> Self {
        let provided = tokio::task::spawn_blocking(|| {
            PrometheusOperator::provide(&Sources::from_env(), &Progress::to(|line| println!("{line}")))
        });
        let (program, stage) = tokio::join!(provided, Stage::set(gitward(), options()));
        let (program, mut stage) = (program.unwrap().unwrap(), stage.unwrap());
        stage.install_hooks().unwrap();
        stage.work.write("gitward.yaml", include_str!("prometheus/gitward.yaml")).unwrap();
        stage.work.write("policies/replicas.rego", include_str!("prometheus/replicas.rego")).unwrap();
        stage.work.write(MANIFESTS, include_str!("prometheus/monitoring.yaml")).unwrap();
        stage.tell_of_bounds_after("0s");
        for (name, text) in program.definitions().unwrap() {
            stage.work.write(&format!("prod/crds/{name}"), text).unwrap();
        }
        let bound = ["create", "clusterrolebinding", "mallory", "--clusterrole=cluster-admin", "--user=mallory"];
        stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
        stage.cluster.apply(READS).await.unwrap().checked().unwrap();
        let (commit, pushed) = stage.push("Monitoring").unwrap();
        pushed.checked().unwrap();
        stage.create_environment().await.unwrap();
        stage.start_reconciler().await.unwrap();
        stage.wait_converged(&commit, WITHIN).await.unwrap();
        // Kubelets ask for the tokens of real Pods; with the gate up nobody else may.
        let stolen = stage.cluster.kubeconfig_for_service_account("monitoring", "prometheus-operator").await.unwrap();
        stage.start_webhook().await.unwrap();
        let log = stage.cluster.folder().join("prometheus-operator.log");
        let operator = program.start(&stolen, "monitoring", &log).unwrap();
        let mallory = stage.cluster.person_kubeconfig("mallory", &[]).unwrap();
        Self { stage, operator: Some(operator), mallory, stolen }
    }

    async fn get(&self, what: &str) -> Value {
        super::get(&self.stage, what, "monitoring").await
    }

    async fn until(&self, what: &str, object: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let waited = self.stage.wait_for(what, WITHIN, async || {
            let found = self.get(object).await;
            Ok(holds(&found).then_some(found))
        });
        match waited.await {
            Ok(found) => found,
            Err(why) => panic!("{why}\nthe operator's log ends with:\n{}", self.operator_log()),
        }
    }

    fn operator_log(&self) -> String {
        self.operator.as_ref().map(RunningOperator::log_tail).unwrap_or_default()
    }

    async fn write_as(&self, kubeconfig: &std::path::Path, how: &str, object: &Value) -> Output {
        let arguments = [how, "-n", "monitoring", "-f", "-"];
        self.stage.cluster.kubectl_as(kubeconfig, &arguments, &object.to_string()).await.unwrap()
    }

    async fn converges(&self) {
        self.stage.wait_condition("Converged", "True", WITHIN).await.unwrap();
    }

    async fn is_made(&self) {
        let set = self.until("a StatefulSet that is ready", STATEFUL_SET, |s| s["status"]["readyReplicas"] == 1).await;
        assert_eq!(set["metadata"]["ownerReferences"][0]["kind"], "Prometheus");
        self.until("the Pod runs", "pod/prometheus-main-0", |p| p["status"]["phase"] == "Running").await;
        for made in ["secret/prometheus-main", "configmap/prometheus-main-rulefiles-0", "service/prometheus-operated"] {
            self.until("what it makes besides", made, Value::is_object).await;
        }
        let has_address = |e: &Value| e["subsets"][0]["addresses"][0]["ip"].is_string();
        self.until("its Service leads to its Pod", "endpoints/prometheus-operated", has_address).await;
        let reconciled = |p: &Value| {
            let conditions = p["status"]["conditions"].as_array();
            conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "Available" && c["status"] == "True"))
        };
        self.until("the operator wrote the status", "prometheus/main", reconciled).await;
    }

    /// Nothing of it was denied, told as a divergence, or taken away.
    async fn is_let_alone(&self) {
        let log = std::fs::read_to_string(self.stage.webhook_log()).unwrap();
        let denied: Vec<&str> = log.lines().filter(|l| l.contains("decision=Denied")).collect();
        assert!(denied.is_empty(), "denied:\n{}\n{}", denied.join("\n"), self.operator_log());
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told: Vec<&str> = log.lines().filter(|l| l.contains("reason=Diverged")).collect();
        assert!(told.is_empty(), "told:\n{}", told.join("\n"));
    }

    async fn follows_git(&self) {
        let text = self.stage.work.read(MANIFESTS).unwrap();
        self.stage.work.write(MANIFESTS, text.replace("replicas: 1", "replicas: 2")).unwrap();
        let (commit, pushed) = self.stage.push("One Prometheus more").unwrap();
        pushed.checked().unwrap();
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        self.until("one more", STATEFUL_SET, |s| s["status"]["readyReplicas"] == 2).await;
        self.is_let_alone().await;
    }

    async fn denies_the_operator_what_git_does_not_allow(&self) {
        let set = self.get(STATEFUL_SET).await;
        let place = self.place();
        for (what, forge, says) in forgeries() {
            let mut forged = bare(&set, "prometheus-forged");
            forge(&mut forged);
            let denied = self.write_as(&self.stolen, "create", &forged).await;
            assert!(!denied.success(), "{what}: let through");
            assert!(denied.stderr.contains("gitward.dev\" denied"), "{what}: {}", denied.stderr);
            assert!(denied.stderr.contains(says), "{what} is not told by {says:?}: {}", denied.stderr);
            if !says.is_empty() {
                let named = format!("delegation prometheus-operator demands ({place})");
                assert!(denied.stderr.contains(&named), "{what}: {}", denied.stderr);
            }
        }
    }

    /// Where the delegation stands.
    fn place(&self) -> String {
        let text = self.stage.work.read("gitward.yaml").unwrap();
        let line = text.lines().position(|l| l.starts_with("- name: prometheus-operator")).unwrap() + 1;
        format!("gitward.yaml:{line}:3")
    }

    async fn denies_others_what_is_the_operators(&self) {
        let mut set = self.get(STATEFUL_SET).await;
        set["spec"]["replicas"] = json!(5);
        let secret = self.get("secret/prometheus-main").await;
        let edits = [("replace", set.clone()), ("delete", set), ("delete", secret)];
        for (how, object) in edits {
            let denied = self.write_as(&self.mallory, how, &object).await;
            assert!(!denied.success() && denied.stderr.contains("gitward.dev\" denied"), "{how}: {}", denied.stderr);
        }
        let impersonated = [
            "delete",
            "statefulset",
            "prometheus-main",
            "-n",
            "monitoring",
            "--as=system:serviceaccount:monitoring:prometheus-operator",
        ];
        let denied = self.stage.cluster.kubectl_as(&self.mallory, &impersonated, "").await.unwrap();
        assert!(!denied.success(), "impersonation let through");
    }

    async fn reports_its_use(&self) {
        let metrics = self.stage.webhook_metrics().await.unwrap();
        let used = metrics.lines().find(|l| l.contains(r#"kind="Delegated",name="prometheus-operator""#)).unwrap();
        assert!(!used.ends_with(" 0"), "{used}");
    }

    /// What the delegation allows and the operator never does is told with its line, also after a restart; what
    /// it does is not.
    async fn reports_what_it_does_not_need(mut self) -> Self {
        let line = |part: &str| {
            let text = self.stage.work.read("gitward.yaml").unwrap();
            text.lines().position(|l| l.contains(part)).unwrap() + 1
        };
        let unneeded = [
            format!("delegation prometheus-operator ({}) is broader than what was seen since", self.place()),
            format!(
                "never by system:serviceaccount:monitoring:prometheus-operator-of-old (line {})",
                line("prometheus-operator-of-old")
            ),
            format!("no image of registry.example.org/monitoring/* (line {})", line("registry.example.org/monitoring")),
            format!("never made PodDisruptionBudget.policy (line {})", line("PodDisruptionBudget")),
        ];
        let needed = [
            "made StatefulSet",
            "made Secret",
            "made ConfigMap",
            "made Service",
            "prometheus-operator (line",
            "set status",
            "prometheus/prometheus:*",
        ];
        let told = async |stage: &Stage| {
            let told = async || {
                let message = stage.wait_condition("BoundsInUse", "False", WITHIN).await?;
                let is_whole =
                    unneeded.iter().all(|u| message.contains(u)) && !needed.iter().any(|n| message.contains(n));
                Ok(is_whole.then_some(message))
            };
            stage.wait_for(&format!("{unneeded:?} and not {needed:?}"), WITHIN, told).await.unwrap()
        };
        let before = told(&self.stage).await;
        println!("bounds: {before}");
        let kubeconfig = format!("--kubeconfig={}", self.mallory.display());
        let status = std::process::Command::new(gitward()).args(["status", &kubeconfig]).output().unwrap();
        let status = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(status.contains("BoundsInUse") && status.contains(&unneeded[0]), "{status}");
        let events = ["get", "events", "-n", "default", "--field-selector=reason=Broader", "-o", "json"];
        let events = self.stage.cluster.kubectl(&events).await.unwrap().checked().unwrap();
        assert!(events.contains("delegation prometheus-operator (gitward.yaml:"), "{events}");
        let since = self.since().await;
        self.stage.kill_reconciler();
        self.stage.start_reconciler().await.unwrap();
        assert_eq!(told(&self.stage).await, before);
        assert_eq!(self.since().await, since);
        self
    }

    /// Since when the bounds are watched.
    async fn since(&self) -> Value {
        let environment = self.stage.environment().await.unwrap();
        let uses = environment["status"]["uses"].as_array().unwrap();
        uses.iter().find(|u| u["name"] == "prometheus-operator").unwrap()["bounds"]["since"].clone()
    }

    /// The push gate rejects it, at its line.
    fn takes_no_ceiling_that_is_not_there(&self) {
        let text = self.stage.work.read("gitward.yaml").unwrap();
        self.stage.work.write("gitward.yaml", text.replace("ceiling.replicas", "ceiling.replica")).unwrap();
        let (_, pushed) = self.stage.push("A ceiling").unwrap();
        let line = text.lines().position(|l| l.contains("ceiling.replicas")).unwrap() + 1;
        let says = "there is no policy \"ceiling.replica\"";
        assert!(!pushed.success() && pushed.stderr.contains(says), "{}", pushed.stderr);
        assert!(pushed.stderr.contains(&format!("gitward.yaml:{line}:")), "{}", pushed.stderr);
        self.stage.work.write("gitward.yaml", text).unwrap();
    }

    async fn without_the_gate(mut self) -> Self {
        // It would clear away what it does not know sooner than it is told.
        self.operator = None;
        self.stage.remove_webhook().await.unwrap();
        self
    }

    async fn removes_what_is_past_the_ceilings(&self) {
        let set = self.get(STATEFUL_SET).await;
        for (what, forge, says) in forgeries() {
            let mut forged = bare(&set, "prometheus-forged");
            forge(&mut forged);
            let made = self.write_as(&self.mallory, "create", &forged).await;
            assert!(made.success(), "{what}: {}", made.stderr);
            let name = format!("statefulset/{}", forged["metadata"]["name"].as_str().unwrap());
            self.until(&format!("removal for {what}"), &name, Value::is_null).await;
            let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
            assert!(log.contains("is not declared in Git") && log.contains(says), "{what} is not told");
        }
    }

    /// The object that was removed for the policy's sake stays where Git names the policy no more.
    async fn lets_be_what_no_policy_denies_any_more(&self) {
        let mut forged = bare(&self.get(STATEFUL_SET).await, "prometheus-forged");
        forged["spec"]["replicas"] = json!(4);
        let text = self.stage.work.read("gitward.yaml").unwrap();
        self.stage.work.write("gitward.yaml", text.replace(CEILING, "")).unwrap();
        let (commit, pushed) = self.stage.push("No ceiling").unwrap();
        pushed.checked().unwrap();
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        self.write_as(&self.mallory, "create", &forged).await.checked().unwrap();
        // The controller would not get so far with what is about to be removed.
        self.until("its Pods", "statefulset/prometheus-forged", |s| s["status"]["readyReplicas"] == 4).await;
        self.write_as(&self.mallory, "delete", &forged).await.checked().unwrap();
    }

    async fn goes_with_its_prometheus(&self) {
        let text = self.stage.work.read(MANIFESTS).unwrap();
        let kept: Vec<&str> = text.split("---\n").filter(|d| !d.contains("kind: Prometheus\n")).collect();
        self.stage.work.write(MANIFESTS, kept.join("---\n")).unwrap();
        let (commit, pushed) = self.stage.push("No Prometheus").unwrap();
        pushed.checked().unwrap();
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        for gone in [STATEFUL_SET, "pod/prometheus-main-0", "secret/prometheus-main"] {
            self.until("what was made goes", gone, Value::is_null).await;
        }
    }
}

fn options() -> Options {
    Options { people: vec![("mallory".to_owned(), Vec::new())], ..Options::with_nodes(1) }
}

type Forgery = (&'static str, fn(&mut Value), &'static str);

/// Each way past a ceiling, and what its denial says.
fn forgeries() -> [Forgery; 8] {
    fn pod(set: &mut Value) -> &mut Value {
        &mut set["spec"]["template"]["spec"]
    }
    [
        ("another image", |s| pod(s)["containers"][0]["image"] = json!("evil:1"), "none of the images allowed"),
        (
            "a container more",
            |s| pod(s)["containers"].as_array_mut().unwrap().push(json!({"name": "miner", "image": "evil:1"})),
            "none of the images allowed",
        ),
        (
            "a privileged container",
            |s| pod(s)["containers"][0]["securityContext"] = json!({"privileged": true}),
            "is privileged",
        ),
        (
            "the host's files",
            |s| pod(s)["volumes"].as_array_mut().unwrap().push(json!({"name": "host", "hostPath": {"path": "/"}})),
            "is a path of the host",
        ),
        ("another account", |s| pod(s)["serviceAccountName"] = json!("prometheus-operator"), "none of those allowed"),
        (
            "more than the policy allows",
            |s| s["spec"]["replicas"] = json!(4),
            "policy/ceiling/replicas (policies/replicas.rego) denies it: spec.replicas: 4 replicas are more than 3",
        ),
        ("no owner", |s| s["metadata"]["ownerReferences"] = json!([]), "belongs to no Prometheus"),
        ("another name", |s| s["metadata"]["name"] = json!("miner"), ""),
    ]
}
