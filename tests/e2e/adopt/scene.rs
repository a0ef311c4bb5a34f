//! A cluster with a namespace that nobody governs, and a clone to adopt it in.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::{Options, Stage};
use serde_json::Value;

use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\ncrds: [crds]\nenvironments:\n\
    - name: prod\n  ref: refs/heads/main\n  path: prod\n  namespaces: []\n";

pub(super) struct Scene {
    pub(super) stage: Stage,
    /// What no command may show and no commit may hold.
    pub(super) secrets: Vec<&'static str>,
}

impl Scene {
    /// Nothing is governed yet; the namespace `shop` is there.
    pub(super) async fn set(files: &[(&str, &str)], secrets: Vec<&'static str>) -> Self {
        let stage = Stage::set(gitward(), Options::with_nodes(1)).await.unwrap();
        stage.install_hooks().unwrap();
        for (key, value) in [("user.name", "Ada Author"), ("user.email", "ada@example.org")] {
            stage.work.git(&["config", key, value]).unwrap().checked().unwrap();
        }
        stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
        for (name, text) in files {
            stage.work.write(name, text).unwrap();
        }
        stage.push("Nothing is governed yet").unwrap().1.checked().unwrap();
        let scene = Self { stage, secrets };
        scene.kubectl(&["create", "namespace", "shop"]).await;
        scene
    }

    pub(super) async fn until(&self, what: &str, ask: impl AsyncFnMut() -> gitward_test_cluster::Result<Option<()>>) {
        self.stage.wait_for(what, WITHIN, ask).await.unwrap();
    }

    pub(super) async fn kubectl(&self, arguments: &[&str]) -> String {
        self.stage.cluster.kubectl(arguments).await.unwrap().checked().unwrap().to_owned()
    }

    pub(super) async fn get(&self, what: &str) -> Value {
        let output = self.stage.cluster.kubectl(&["get", what, "-n", "shop", "-o", "json"]).await.unwrap();
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    /// The uids of the Pods that are there to stay.
    pub(super) async fn pods(&self) -> BTreeSet<String> {
        let pods = self.get("pods").await;
        let staying = pods["items"].as_array().unwrap().iter().filter(|p| p["metadata"]["deletionTimestamp"].is_null());
        staying.map(|p| p["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn run_as(&self, kubeconfig: &Path, arguments: &[&str], code: i32) -> String {
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
        let shows = self.secrets.iter().any(|secret| text.contains(secret));
        assert!(!shows || arguments.contains(&"--secrets"), "gitward {} shows a Secret", arguments.join(" "));
        text
    }

    pub(super) fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_as(self.stage.cluster.admin_kubeconfig(), arguments, code)
    }

    pub(super) fn json(&self, arguments: &[&str], code: i32) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        serde_json::from_str(&self.run(&arguments, code)).unwrap()
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.stage.work.git(arguments).unwrap().checked().unwrap().to_owned()
    }

    /// The next steps as the command prints them, up to the push: the commit.
    pub(super) fn merged(&self, mode: &str) -> String {
        self.git(&["merge", "--quiet", "--ff-only", "adopt/shop"]);
        self.govern(mode)
    }

    /// Pushes that the namespace is governed, in this mode: the commit.
    pub(super) fn govern(&self, mode: &str) -> String {
        self.govern_all("shop", mode, "")
    }

    /// The same of several namespaces, with more in `gitward.yaml`.
    pub(super) fn govern_all(&self, namespaces: &str, mode: &str, more: &str) -> String {
        let governed = format!("namespaces: [{namespaces}]\n  mode: {mode}");
        let governed = CONFIGURATION.replace("namespaces: []", &governed) + more;
        self.stage.work.write("gitward.yaml", governed).unwrap();
        let output =
            std::process::Command::new(gitward()).arg("check").current_dir(self.stage.work.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let (commit, pushed) = self.stage.push("Govern the shop").unwrap();
        pushed.checked().unwrap();
        commit
    }

    pub(super) async fn gates(&mut self) {
        self.stage.create_environment().await.unwrap();
        self.stage.start_reconciler().await.unwrap();
        self.stage.start_webhook().await.unwrap();
    }

    pub(super) async fn converges(&self, commit: &str) {
        let message = self.stage.wait_converged(commit, WITHIN).await.unwrap();
        assert!(message.contains("0 created") && message.contains("0 pruned"), "{message}");
        self.stage.wait_condition("Ready", "True", WITHIN).await.unwrap();
    }

    /// Waits until a commit was looked at in a mode that writes nothing.
    pub(super) async fn observed(&self, commit: &str) {
        self.until("a commit to be observed", async || {
            let environment = self.stage.environment().await?;
            let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let converged = conditions.iter().find(|c| c["type"] == "Converged");
            Ok(converged
                .is_some_and(|c| c["message"].as_str().is_some_and(|m| m.contains(&commit[..12])))
                .then_some(()))
        })
        .await;
    }

    /// How much the reconciler told up to now.
    pub(super) fn told(&self) -> usize {
        std::fs::read_to_string(self.stage.reconciler_log()).unwrap_or_default().lines().count()
    }

    /// Nothing diverged, from a line of what was told on.
    pub(super) async fn in_peace(&self, since: usize) {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told: Vec<&str> =
            log.lines().skip(since).filter(|l| l.contains("Diverged") || l.contains("Reverted")).collect();
        assert_eq!(told, [""; 0]);
    }

    /// Names of what differs from Git, which is what was left out.
    pub(super) fn differing(&self) -> Vec<String> {
        let diff = self.json(&["diff", "--environment", "prod"], 1);
        let names = diff["differences"].as_array().unwrap().iter().map(|d| d["object"]["name"].as_str().unwrap());
        names.map(str::to_owned).collect()
    }

    /// Before anything is written, the gates see what adoption told, and nothing else.
    pub(super) fn differs_as_it_was_told(&self, report: &Value) {
        let diff = self.json(&["diff", "--environment", "prod"], 1);
        let diverged = diff["differences"].as_array().unwrap().iter().filter(|d| d["difference"] == "diverged");
        let of = |object: &Value, fields: &Value| {
            let paths = fields.as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap().to_owned());
            paths.map(|path| format!("{} {path}", object["kind"])).collect::<Vec<_>>()
        };
        let mut seen: Vec<String> = diverged.flat_map(|d| of(&d["object"], &d["fields"])).collect();
        let taken = report["taken"].as_array().unwrap().iter();
        let mut told: Vec<String> = taken.flat_map(|t| of(&t["object"], &t["effects"])).collect();
        seen.sort();
        told.sort();
        assert_eq!(seen, told, "{diff:#}");
    }
}
