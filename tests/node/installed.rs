//! gitward in the cluster, as docs/guide/cluster.md has it installed: an overlay of `deploy/`, then the
//! Environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gitward_test_cluster::{ControlPlane, GitHost, Output, WorkTree};
use serde_json::{Value, json};

use crate::{git, images};

/// How long anything may take to come.
const WITHIN: Duration = Duration::from_secs(120);

const RULES: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: prod, namespaces: [shop]}
exemptions:
- name: counting
  accounts: [alice]
  kinds: [ConfigMap]
  fields: [data.count]
  reason: requests that have to pass
";

/// What Git declares: two things that are written to, and Pods that the node runs.
const SHOP: &str = include_str!("shop.yaml");

/// The overlay; the image's tag and the Git host's certificate are put in.
const OVERLAY: &str = include_str!("overlay.yaml");

/// A cluster with gitward in it, and a Git host beside it.
pub(crate) struct Installed {
    pub(crate) cluster: ControlPlane,
    folder: PathBuf,
    _host: GitHost,
}

impl Installed {
    /// Installs gitward, and waits until the cluster is as Git says and the webhook is asked.
    pub(crate) async fn install(cluster: ControlPlane, folder: &Path) -> Self {
        let host = GitHost::start(folder.join("repositories")).unwrap();
        let repository = host.create_repository("fleet").unwrap();
        let work = WorkTree::clone(repository.url(), folder.join("work")).unwrap();
        work.write("gitward.yaml", RULES).unwrap();
        work.write("prod/shop.yaml", SHOP.replace("IMAGE", images::PAUSE)).unwrap();
        let commit = work.commit("The shop").unwrap();
        work.push().unwrap().checked().unwrap();
        let certificate = git::serve_over_tls(&host).await;
        lay_out_overlay(folder, &certificate);
        let installed = Self { cluster, folder: folder.to_owned(), _host: host };
        installed.apply(images::FIRST).await;
        let environment = json!({
            "apiVersion": "gitward.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": "prod"},
            "spec": {"repository": git::url("fleet"), "ref": "refs/heads/main"},
        });
        installed.cluster.apply(&environment.to_string()).await.unwrap().checked().unwrap();
        installed.rolled_out().await;
        installed.is_ready(&commit).await;
        installed
    }

    /// Applies the overlay with that tag of the image.
    pub(crate) async fn apply(&self, tag: &str) {
        let overlay = self.folder.join("overlay");
        fs::write(overlay.join("kustomization.yaml"), OVERLAY.replace("TAG", tag)).unwrap();
        let overlay = overlay.display().to_string();
        self.cluster.kubectl(&["apply", "-k", &overlay]).await.unwrap().checked().unwrap();
    }

    /// Waits until all of gitward's Pods are of what was applied last, and ready.
    pub(crate) async fn rolled_out(&self) {
        for name in ["deployment/gitward-webhook", "deployment/gitward-reconciler"] {
            self.kubectl(&["rollout", "status", "-n", "gitward-system", name, "--timeout=180s"]).await;
        }
    }

    async fn is_ready(&self, commit: &str) {
        let ready = async || {
            let environment = self.get(&["environment.gitward.dev", "prod"]).await;
            let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
            let registration = self.get(&["validatingwebhookconfiguration", "gitward-prod"]).await;
            let is_asked = registration["webhooks"].as_array().is_some_and(|webhooks| !webhooks.is_empty());
            (environment["status"]["commit"] == commit && ready && is_asked).then_some(())
        };
        self.wait_for("the Environment to be ready", ready).await;
    }

    /// What kubectl says, which has to succeed.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        self.cluster.kubectl(arguments).await.and_then(Output::checked).unwrap()
    }

    /// An object, `null` where it is not there.
    pub(crate) async fn get(&self, words: &[&str]) -> Value {
        let output = self.cluster.kubectl(&[&["get"], words, &["-o", "json"]].concat()).await.unwrap();
        serde_json::from_str(&output.stdout).unwrap_or_default()
    }

    /// Asks again and again until there is an answer.
    pub(crate) async fn wait_for<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(started.elapsed() < WITHIN, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// `deploy/`, and the overlay beside it.
fn lay_out_overlay(folder: &Path, certificate: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy"), &folder.join("gitward/deploy"));
    fs::create_dir_all(folder.join("overlay")).unwrap();
    fs::write(folder.join("overlay/ca-certificates.crt"), certificate).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, place).unwrap();
        }
    }
}
