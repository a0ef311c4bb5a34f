//! A namespace that was installed by hand and runs comes under Git, and nothing in it notices.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::{Options, Stage};
use serde_json::{Value, json};

use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);
const RUNNING: &str = include_str!("fixtures/adopt/running.yaml");
const DEFINITION: &str = include_str!("fixtures/adopt/crd.yaml");

/// The Secret's value, as a person wrote it and as the cluster keeps it.
const SECRETS: [&str; 2] = ["swordfish-8", "c3dvcmRmaXNoLTg"];

/// What no manifest of a person has.
const UNCLEAN: [&str; 22] = [
    "status:",
    "uid:",
    "resourceVersion",
    "creationTimestamp",
    "generation:",
    "managedFields",
    "last-applied",
    "meta.helm.sh",
    "argocd",
    "managed-by",
    "deployment.kubernetes.io/revision",
    "terminationMessagePath",
    "dnsPolicy",
    "schedulerName",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "imagePullPolicy",
    "clusterIPs",
    "nodePort",
    "sessionAffinity",
    "successfulJobsHistoryLimit",
    "engine",
];

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\ncrds: [crds]\nenvironments:\n\
    - name: prod\n  ref: refs/heads/main\n  path: prod\n  namespaces: []\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_running_namespace_comes_under_git_without_a_surprise() {
    let mut scene = Scene::set().await;
    let before = scene.pods().await;

    scene.refuses_what_it_cannot_do();
    scene.tells_what_restarts();
    scene.says_what_it_may_not_see().await;
    let report = scene.adopts();
    scene.tells_what_changes(&report);
    scene.manifests_are_clean(&report);
    println!("passed: the branch declares what runs");

    let commit = scene.merged();
    scene.converges(&commit).await;
    assert_eq!(scene.pods().await, before, "Pods were replaced");
    scene.in_peace().await;
    scene.nothing_is_left_to_adopt();
    scene.stands_as_git_says();
}

struct Scene {
    stage: Stage,
}

impl Scene {
    async fn set() -> Self {
        let stage = Stage::set(gitward(), Options::with_nodes(1)).await.unwrap();
        stage.install_hooks().unwrap();
        for (key, value) in [("user.name", "Ada Author"), ("user.email", "ada@example.org")] {
            stage.work.git(&["config", key, value]).unwrap().checked().unwrap();
        }
        stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
        stage.work.write("crds/database.yaml", DEFINITION).unwrap();
        stage.push("Nothing is governed yet").unwrap().1.checked().unwrap();
        let scene = Self { stage };
        scene.install().await;
        scene
    }

    /// What a team installed long ago, and what became of it since.
    async fn install(&self) {
        self.kubectl(&["create", "namespace", "shop"]).await;
        self.stage.cluster.apply(DEFINITION).await.unwrap().checked().unwrap();
        self.until("everything is installed", async || {
            Ok(self.stage.cluster.apply(RUNNING).await?.success().then_some(()))
        })
        .await;
        self.kubectl(&["rollout", "restart", "deployment/web", "-n", "shop"]).await;
        self.kubectl(&["label", "namespace", "shop", "team=storefront"]).await;
        let database = self.get("database/main").await;
        let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"size": "3"},
            "metadata": {"name": "main-settings", "namespace": "shop", "ownerReferences": [{"apiVersion": "db.example.org/v1",
                "kind": "Database", "name": "main", "uid": database["metadata"]["uid"], "controller": true}]}});
        self.stage.cluster.apply(&made.to_string()).await.unwrap().checked().unwrap();
        // The autoscaler's, not the manifest's number of replicas.
        self.until("everything runs", async || {
            let (web, ledger) = (self.get("deployment/web").await, self.get("statefulset/ledger").await);
            let rolled = web["status"]["observedGeneration"] == web["metadata"]["generation"]
                && ["replicas", "updatedReplicas", "readyReplicas"].iter().all(|n| web["status"][n] == 2);
            Ok((rolled && ledger["status"]["readyReplicas"] == 1 && self.pods().await.len() == 3).then_some(()))
        })
        .await;
    }

    async fn until(&self, what: &str, ask: impl AsyncFnMut() -> gitward_test_cluster::Result<Option<()>>) {
        self.stage.wait_for(what, WITHIN, ask).await.unwrap();
    }

    async fn kubectl(&self, arguments: &[&str]) -> String {
        self.stage.cluster.kubectl(arguments).await.unwrap().checked().unwrap().to_owned()
    }

    async fn get(&self, what: &str) -> Value {
        let output = self.stage.cluster.kubectl(&["get", what, "-n", "shop", "-o", "json"]).await.unwrap();
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    /// The uids of the Pods that are there to stay.
    async fn pods(&self) -> BTreeSet<String> {
        let pods = self.get("pods").await;
        let staying = pods["items"].as_array().unwrap().iter().filter(|p| p["metadata"]["deletionTimestamp"].is_null());
        staying.map(|p| p["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
    }

    fn run_as(&self, kubeconfig: &Path, arguments: &[&str], code: i32) -> String {
        let output = std::process::Command::new(gitward())
            .args(arguments)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .current_dir(self.stage.work.path())
            .env("NO_PROXY", "*")
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "gitward {}: {text}", arguments.join(" "));
        let shows = SECRETS.iter().any(|secret| text.contains(secret));
        assert!(!shows || arguments.contains(&"--secrets"), "gitward {} shows a Secret", arguments.join(" "));
        text
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_as(self.stage.cluster.admin_kubeconfig(), arguments, code)
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        serde_json::from_str(&self.run(&arguments, code)).unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.stage.work.git(arguments).unwrap().checked().unwrap().to_owned()
    }

    fn refuses_what_it_cannot_do(&self) {
        let no_namespace = self.run(&["adopt", "-n", "shopp"], 2);
        assert!(
            no_namespace.contains("there is no namespace shopp") && no_namespace.contains("hint:"),
            "{no_namespace}"
        );
        let no_environment = self.run(&["adopt", "-n", "shop", "--environment", "dev"], 2);
        assert!(no_environment.contains("it names: prod"), "{no_environment}");
        let elsewhere = self.run(&["adopt", "-n", "shop", "--environment", "prod", "--path", "shop"], 2);
        assert!(elsewhere.contains("shop is not under prod"), "{elsewhere}");
        let checked_out = self.run(&["adopt", "-n", "shop", "--branch", "main", "--force"], 2);
        assert!(checked_out.contains("main is checked out"), "{checked_out}");
    }

    /// Without `--tidy` no Pod is restarted; with it the restart is announced.
    fn tells_what_restarts(&self) {
        let dry = ["adopt", "-n", "shop", "--environment", "prod", "--dry-run"];
        let restarting = |report: &Value| {
            let taken = report["taken"].as_array().unwrap().iter().flat_map(|t| t["effects"].as_array().unwrap());
            taken.filter(|e| e["restarts"] == true).map(|e| e["path"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(restarting(&self.json(&dry, 0)), [""; 0]);
        let tidy: Vec<&str> = dry.iter().copied().chain(["--tidy"]).collect();
        let report = self.json(&tidy, 0);
        assert!(restarting(&report)[0].contains("restartedAt"), "{report:#}");
        assert!(self.run(&tidy, 0).contains("the Pods of 1 workload are RESTARTED"));
        let secrets: Vec<&str> = dry.iter().copied().chain(["--secrets"]).collect();
        let report = self.json(&secrets, 0);
        assert!(report["manifests"]["prod/shop/secret-payment.yaml"].as_str().unwrap().contains(SECRETS[1]));
        assert_eq!(self.git(&["branch", "--list", "adopt/*"]), "");
    }

    /// Somebody who may see some of it is told what is missing.
    async fn says_what_it_may_not_see(&self) {
        let viewer = self.stage.cluster.person_kubeconfig("viewer", &[]).unwrap();
        self.kubectl(&["create", "rolebinding", "viewer", "-n", "shop", "--clusterrole=view", "--user=viewer"]).await;
        let asked = async || {
            let said =
                self.stage.cluster.kubectl(&["auth", "can-i", "list", "pods", "-n", "shop", "--as=viewer"]).await?;
            Ok(said.stdout.starts_with("yes").then_some(()))
        };
        self.until("the viewer's rights", asked).await;
        let text = self.run_as(&viewer, &["adopt", "-n", "shop", "--dry-run"], 2);
        for part in ["? Secret in shop: ", "? Deployment/web in shop: no dry run could be made", "to do: "] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        self.kubectl(&["delete", "rolebinding", "viewer", "-n", "shop"]).await;
    }

    fn adopts(&self) -> Value {
        let at = self.git(&["rev-parse", "HEAD"]);
        let report = self.json(&["adopt", "-n", "shop", "--environment", "prod"], 0);
        assert_eq!(report["branch"], "adopt/shop");
        assert_eq!(self.git(&["rev-parse", "adopt/shop"]).trim(), report["commit"]);
        assert_eq!(self.git(&["rev-parse", "HEAD", "adopt/shop^"]), format!("{at}{at}"));
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        let again = self.run(&["adopt", "-n", "shop"], 2);
        assert!(again.contains("adopt/shop is there already") && again.contains("--force"), "{again}");
        report
    }

    fn tells_what_changes(&self, report: &Value) {
        let of = |file: &str| {
            let taken = report["taken"].as_array().unwrap().iter().find(|t| t["file"] == format!("prod/shop/{file}"));
            let effects = taken.unwrap_or_else(|| panic!("no {file} in {report:#}"))["effects"].as_array().unwrap();
            effects
                .iter()
                .map(|e| format!("{} {}", e["how"].as_str().unwrap(), e["path"].as_str().unwrap()))
                .collect::<Vec<_>>()
        };
        let applied = "removed metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]";
        assert_eq!(of("service-web.yaml"), [applied]);
        assert_eq!(of("namespace-shop.yaml"), [""; 0]);
        assert_eq!(
            of("deployment-web.yaml"),
            [
                "removed metadata.annotations[\"argocd.argoproj.io/sync-wave\"]",
                applied,
                "removed metadata.annotations[\"meta.helm.sh/release-name\"]",
                "removed metadata.labels[\"app.kubernetes.io/managed-by\"]",
                "removed metadata.labels[\"helm.sh/chart\"]",
            ]
        );
        assert_eq!(report["left"][0]["object"]["name"], "payment", "{report:#}");
        assert_eq!(report["left"].as_array().unwrap().len(), 1);
        assert_eq!(report["operated"][0]["object"]["name"], "main-settings");
        assert_eq!(report["strange"], json!([]));
    }

    fn manifests_are_clean(&self, report: &Value) {
        let listed = self.git(&["ls-tree", "-r", "--name-only", "adopt/shop", "prod"]);
        let files: Vec<&str> = listed.lines().collect();
        let expected = [
            "configmap-web",
            "cronjob-report",
            "database-main",
            "deployment-web",
            "gitward.adopt",
            "horizontalpodautoscaler-web",
            "ingress-web",
            "namespace-shop",
            "role-web",
            "rolebinding-web",
            "service-ledger",
            "service-web",
            "serviceaccount-web",
            "statefulset-ledger",
        ];
        assert_eq!(files, expected.map(|name| format!("prod/shop/{name}.yaml")), "{report:#}");
        for file in files {
            let text = self.git(&["show", &format!("adopt/shop:{file}")]);
            for word in UNCLEAN {
                assert!(!text.contains(word), "{file} has {word}:\n{text}");
            }
        }
        let deployment = self.git(&["show", "adopt/shop:prod/shop/deployment-web.yaml"]);
        let restarted = deployment.lines().find(|l| l.contains("restartedAt")).unwrap();
        assert_eq!(deployment.replace(&format!("{restarted}\n"), ""), DEPLOYMENT);
        let ledger = self.git(&["show", "adopt/shop:prod/shop/service-ledger.yaml"]);
        assert!(ledger.contains("clusterIP: None"), "{ledger}");
    }

    /// The next steps as the command prints them, with enforcement at once: nothing may come of it.
    fn merged(&self) -> String {
        self.git(&["merge", "--quiet", "--ff-only", "adopt/shop"]);
        let governed = CONFIGURATION.replace("namespaces: []", "namespaces: [shop]");
        self.stage.work.write("gitward.yaml", governed).unwrap();
        let (commit, pushed) = self.stage.push("Govern the shop").unwrap();
        pushed.checked().unwrap();
        let history = self.git(&["log", "-p", "--all"]);
        assert!(SECRETS.iter().all(|secret| !history.contains(secret)), "a Secret's value is in the repository");
        commit
    }

    async fn converges(&mut self, commit: &str) {
        self.stage.create_environment().await.unwrap();
        self.stage.start_reconciler().await.unwrap();
        self.stage.start_webhook().await.unwrap();
        let message = self.stage.wait_converged(commit, WITHIN).await.unwrap();
        assert!(message.contains("0 created") && message.contains("0 pruned"), "{message}");
        self.stage.wait_condition("Ready", "True", WITHIN).await.unwrap();
    }

    /// Nothing diverged, and what was only declared anew went on as it was.
    async fn in_peace(&self) {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told: Vec<&str> = log.lines().filter(|l| l.contains("Diverged") || l.contains("Reverted")).collect();
        assert_eq!(told, [""; 0]);
        assert_eq!(self.get("secret/payment").await["data"]["token"], "c3dvcmRmaXNoLTg=");
        assert_eq!(self.get("deployment/web").await["spec"]["replicas"], 2);
    }

    fn nothing_is_left_to_adopt(&self) {
        let text = self.run(&["adopt", "-n", "shop", "--environment", "prod", "--branch", "again"], 0);
        assert!(text.contains("there is nothing in shop that Git would have to declare"), "{text}");
        assert_eq!(self.git(&["branch", "--list", "again"]), "");
    }

    /// What is left out is all that differs.
    fn stands_as_git_says(&self) {
        let diff = self.json(&["diff", "--environment", "prod"], 1);
        let names = diff["differences"].as_array().unwrap().iter().map(|d| d["object"]["name"].as_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["main-settings", "payment"], "{diff:#}");
    }
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    app: web
  annotations:
    example.org/owner: storefront
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
        helm.sh/chart: web-1.2.3
      annotations:
    spec:
      containers:
      - name: web
        image: registry.example.org/shop/web:1.4.2
        env:
        - name: PAYMENT_TOKEN
          valueFrom:
            secretKeyRef:
              name: payment
              key: token
        - name: POD
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        ports:
        - name: http
          containerPort: 8080
        readinessProbe:
          httpGet:
            path: /healthy
            port: http
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
        securityContext:
          allowPrivilegeEscalation: false
      securityContext:
        runAsNonRoot: true
      serviceAccountName: web
";
