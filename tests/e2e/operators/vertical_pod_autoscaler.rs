//! The vertical Pod autoscaler's recommender and updater, by the delegation that `deploy/` has for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gitward_test_cluster::{Options, Output, Progress, RunningOperator, Sources, Stage, VerticalPodAutoscaler};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bare;
use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);
const DELEGATIONS: &str = include_str!("../../../deploy/delegations/vertical-pod-autoscaler/gitward.yaml");

const AUTOSCALER: &str = "verticalpodautoscaler.autoscaling.k8s.io/web";
const CHECKPOINT: &str = "verticalpodautoscalercheckpoint.autoscaling.k8s.io/web-web";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_autoscaler_recommends_and_evicts_passes_and_nothing_else() {
    let scene = Scene::set().await;
    scene.recommends().await;
    scene.evicts().await;
    scene.is_let_alone().await;
    scene.denies_them_the_rest().await;
    scene.denies_others_what_is_theirs().await;
}

struct Scene {
    stage: Stage,
    programs: Vec<RunningOperator>,
    /// Credentials of the two accounts, in the wrong hands.
    recommender: PathBuf,
    updater: PathBuf,
    mallory: PathBuf,
    /// The uids of the Pods before anything was evicted.
    pods: Vec<Value>,
}

impl Scene {
    async fn set() -> Self {
        let provided = tokio::task::spawn_blocking(|| {
            VerticalPodAutoscaler::provide(&Sources::from_env(), &Progress::to(|line| println!("{line}")))
        });
        let options = Options { people: vec![("mallory".to_owned(), Vec::new())], ..Options::with_nodes(1) };
        let (program, stage) = tokio::join!(provided, Stage::set(gitward(), options));
        let (program, mut stage) = (program.unwrap().unwrap(), stage.unwrap());
        stage.install_hooks().unwrap();
        let configuration = format!("{}{DELEGATIONS}", include_str!("vertical_pod_autoscaler/gitward.yaml"));
        stage.work.write("gitward.yaml", configuration).unwrap();
        stage.work.write("prod/shop.yaml", include_str!("vertical_pod_autoscaler/shop.yaml")).unwrap();
        stage.work.write("prod/usage.yaml", ["web-0", "web-1"].map(usage).join("---\n")).unwrap();
        stage.work.write("prod/definitions.yaml", program.definitions().unwrap()).unwrap();
        // RBAC allows everything: what is denied is denied by the gate.
        for account in ["vpa-recommender", "vpa-updater"] {
            let account = format!("--serviceaccount=kube-system:{account}");
            bind(&stage, &account).await;
        }
        bind(&stage, "--user=mallory").await;
        let (commit, pushed) = stage.push("A shop").unwrap();
        pushed.checked().unwrap();
        stage.create_environment().await.unwrap();
        stage.start_reconciler().await.unwrap();
        stage.wait_converged(&commit, WITHIN).await.unwrap();
        for account in ["vpa-recommender", "vpa-updater"] {
            let made = ["create", "serviceaccount", account, "-n", "kube-system"];
            stage.cluster.kubectl(&made).await.unwrap().checked().unwrap();
        }
        let account = |name| stage.cluster.kubeconfig_for_service_account("kube-system", name);
        let (recommender, updater) = (account("vpa-recommender").await.unwrap(), account("vpa-updater").await.unwrap());
        let mallory = stage.cluster.person_kubeconfig("mallory", &[]).unwrap();
        stage.start_webhook().await.unwrap();
        let mut scene = Self { stage, programs: Vec::new(), recommender, updater, mallory, pods: Vec::new() };
        let running = |p: &Value| p["status"]["phase"] == "Running";
        for pod in ["pod/web-0", "pod/web-1"] {
            scene.pods.push(scene.until("the Pods run", pod, running).await["metadata"]["uid"].clone());
        }
        let log = |name: &str| scene.stage.cluster.folder().join(name);
        scene.programs = vec![
            program.recommend(&scene.recommender, &log("vpa-recommender.log")).unwrap(),
            program.update(&scene.updater, &log("vpa-updater.log")).unwrap(),
        ];
        scene
    }

    async fn get(&self, what: &str) -> Value {
        super::get(&self.stage, what, "shop").await
    }

    async fn until(&self, what: &str, object: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let waited = self.stage.wait_for(what, WITHIN, async || {
            let found = self.get(object).await;
            Ok(holds(&found).then_some(found))
        });
        match waited.await {
            Ok(found) => found,
            Err(why) => {
                let logs: Vec<String> = self.programs.iter().map(RunningOperator::log_tail).collect();
                panic!("{why}\ntheir logs end with:\n{}", logs.join("\n---\n"))
            }
        }
    }

    async fn recommends(&self) {
        let recommended =
            |a: &Value| a["status"]["recommendation"]["containerRecommendations"][0]["target"]["cpu"].is_string();
        self.until("a recommendation", AUTOSCALER, recommended).await;
        self.until("a checkpoint", CHECKPOINT, |c| c["status"]["totalSamplesCount"].as_i64() > Some(0)).await;
        // It goes on to write both.
        let written = self.get(CHECKPOINT).await["metadata"]["resourceVersion"].clone();
        self.until("the next checkpoint", CHECKPOINT, |c| c["metadata"]["resourceVersion"] != written).await;
    }

    /// The updater evicts a Pod that asks for too little, and its controller makes it anew as Git says.
    async fn evicts(&self) {
        let is_new = |p: &Value| !self.pods.contains(&p["metadata"]["uid"]) && p["status"]["phase"] == "Running";
        self.stage
            .wait_for("a Pod that is made anew", WITHIN, async || {
                let all = [self.get("pod/web-0").await, self.get("pod/web-1").await];
                Ok(all.iter().any(is_new).then_some(()))
            })
            .await
            .unwrap_or_else(|why| panic!("{why}\n{}", self.programs[1].log_tail()));
        assert_eq!(
            self.get("statefulset/web").await["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"],
            "10m"
        );
    }

    /// Nothing of it was denied, told as a divergence, or taken away.
    async fn is_let_alone(&self) {
        let log = std::fs::read_to_string(self.stage.webhook_log()).unwrap();
        let denied: Vec<&str> = log.lines().filter(|l| l.contains("decision=Denied")).collect();
        assert!(denied.is_empty(), "denied:\n{}", denied.join("\n"));
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told: Vec<&str> = log.lines().filter(|l| l.contains("reason=Diverged")).collect();
        assert!(told.is_empty(), "told:\n{}", told.join("\n"));
        let metrics = self.stage.webhook_metrics().await.unwrap();
        let used = r#"kind="Delegated",name="vpa-recommender""#;
        assert!(metrics.lines().any(|l| l.contains(used) && !l.ends_with(" 0")), "it is not counted");
    }

    /// They write every moment: what is patched is what is there.
    async fn denies_them_the_rest(&self) {
        let another = json!({"spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"}}});
        self.denied(&self.recommender, &["patch", AUTOSCALER, "--type=merge", "-p", &another.to_string()], "").await;
        let stray = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}).to_string();
        self.denied(&self.recommender, &["create", "-f", "-"], &stray).await;
        let checkpoint = bare(&self.get(CHECKPOINT).await, "mine").to_string();
        self.denied(&self.updater, &["create", "-f", "-"], &checkpoint).await;
        // What it writes beside a resize, which simulated nodes do not offer: it is no work of the Pod's template.
        let note = json!({"metadata": {"annotations": {"vpaInPlaceUpdated": "true"}}}).to_string();
        self.denied(&self.updater, &["patch", "pod/web-0", "--type=merge", "-p", &note], "").await;
    }

    async fn denies_others_what_is_theirs(&self) {
        let much = json!({"status": {"totalSamplesCount": 1_000_000}}).to_string();
        self.denied(&self.mallory, &["patch", CHECKPOINT, "--type=merge", "-p", &much], "").await;
        self.denied(&self.mallory, &["delete", CHECKPOINT], "").await;
    }

    async fn denied(&self, who: &Path, arguments: &[&str], input: &str) {
        let arguments = [arguments, &["-n", "shop"]].concat();
        let denied: Output = self.stage.cluster.kubectl_as(who, &arguments, input).await.unwrap();
        assert!(!denied.success(), "{arguments:?}: let through");
        assert!(denied.stderr.contains("gitward.dev\" denied"), "{arguments:?}: {}", denied.stderr);
    }
}

async fn bind(stage: &Stage, whom: &str) {
    let name = format!("everything-{}", whom.rsplit(['=', ':']).next().unwrap_or_default());
    let bound = ["create", "clusterrolebinding", name.as_str(), "--clusterrole=cluster-admin", whom];
    stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
}

/// What a Pod used a moment ago: the recommender forgets what is old.
fn usage(pod: &str) -> String {
    format!(
        "apiVersion: metrics.k8s.io/v1beta1\nkind: PodMetrics\nmetadata: {{name: {pod}, namespace: shop}}\n\
         timestamp: \"{}\"\nwindow: 30s\ncontainers:\n- name: web\n  usage: {{cpu: 100m, memory: 50Mi}}\n",
        Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ")
    )
}
