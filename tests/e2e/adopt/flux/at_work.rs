//! A cluster that the real Flux installs from the repository that gitward will follow as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gitward_test_cluster::{Flux, Progress, RunningFlux, Sources};
use serde_json::{Value, json};

use super::super::scene::Scene;

/// The Secret's value, as a person wrote it and as the cluster keeps it.
const SECRETS: [&str; 2] = ["swordfish-9", "c3dvcmRmaXNoLTk"];

/// What Flux installs, by its path in the repository.
const INSTALLED: [(&str, &str); 5] = [
    ("flux/shop/kustomization.yaml", include_str!("../../fixtures/adopt/flux/shop/kustomization.yaml")),
    ("flux/shop/web.yaml", include_str!("../../fixtures/adopt/flux/shop/web.yaml")),
    ("flux/shop/night.yaml", include_str!("../../fixtures/adopt/flux/shop/night.yaml")),
    ("flux/books/kustomization.yaml", include_str!("../../fixtures/adopt/flux/books/kustomization.yaml")),
    ("flux/books/shelf.yaml", include_str!("../../fixtures/adopt/flux/books/shelf.yaml")),
];

const SYSTEM: &str = include_str!("../../fixtures/adopt/flux/system.yaml");

/// Kinds whose objects of a namespace are counted. Their uids say whether anything was made anew.
const COUNTED: &str = "deployments,statefulsets,replicasets,pods,configmaps,secrets,services,serviceaccounts,cronjobs,\
    horizontalpodautoscalers,controllerrevisions";

const WITHIN: Duration = Duration::from_secs(120);

pub(super) struct AtWork {
    pub(super) scene: Scene,
    /// The credentials of its kustomize-controller.
    pub(super) account: PathBuf,
    flux: RunningFlux,
}

impl AtWork {
    /// Flux has installed these Kustomizations, each a name and a path in the repository.
    pub(super) async fn set(kustomizations: &[(&str, &str)]) -> Self {
        let provided = tokio::task::spawn_blocking(|| {
            Flux::provide(&Sources::from_env(), &Progress::to(|line| println!("{line}")))
        });
        let (program, scene) = tokio::join!(provided, Scene::set(&INSTALLED, SECRETS.to_vec()));
        let program = program.unwrap().unwrap();
        let cluster = &scene.stage.cluster;
        scene.kubectl(&["create", "namespace", "flux-system"]).await;
        for text in program.definitions().unwrap().iter().map(|(_, text)| text.as_str()).chain([SYSTEM]) {
            cluster.apply(text).await.unwrap().checked().unwrap();
        }
        let sources = cluster.kubeconfig_for_service_account("flux-system", "source-controller").await.unwrap();
        let account = cluster.kubeconfig_for_service_account("flux-system", "kustomize-controller").await.unwrap();
        let flux = program.start(&sources, &account, cluster.folder()).unwrap();
        let at_work = Self { scene, account, flux };
        at_work.follows_the_repository().await;
        let commit = at_work.scene.git(&["rev-parse", "HEAD"]);
        for (name, path) in kustomizations {
            at_work.installs(name, path).await;
            at_work.applied(name, commit.trim()).await;
        }
        at_work.is_settled().await;
        at_work
    }

    async fn follows_the_repository(&self) {
        let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": "fleet", "namespace": "flux-system"},
            "spec": {"interval": "1s", "url": self.scene.stage.repository.url(), "ref": {"branch": "main"}}});
        self.scene
            .until("Flux's kinds to be served", async || {
                Ok(self.scene.stage.cluster.apply(&repository.to_string()).await?.success().then_some(()))
            })
            .await;
    }

    /// Makes a Kustomization that installs what is under a path.
    pub(super) async fn installs(&self, name: &str, path: &str) {
        let kustomization = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "flux-system"},
            "spec": {"interval": "3s", "retryInterval": "2s", "path": path, "prune": true, "wait": true,
                "sourceRef": {"kind": "GitRepository", "name": "fleet"}}});
        self.scene.stage.cluster.apply(&kustomization.to_string()).await.unwrap().checked().unwrap();
    }

    async fn is_settled(&self) {
        self.scene
            .until("what Flux installed runs", async || {
                let (web, ledger) =
                    (self.scene.get("deployment/web").await, self.scene.get("statefulset/ledger").await);
                let runs = web["status"]["readyReplicas"] == 2 && ledger["status"]["readyReplicas"] == 1;
                Ok((runs && self.scene.pods().await.len() == 3).then_some(()))
            })
            .await;
    }

    pub(super) async fn kustomization(&self, name: &str) -> Value {
        let arguments = ["get", "kustomization", name, "-n", "flux-system", "-o", "json", "--ignore-not-found"];
        let output = self.scene.stage.cluster.kubectl(&arguments).await.unwrap();
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    /// Sets a field of a Kustomization's specification, as `flux suspend` does.
    pub(super) async fn sets(&self, name: &str, field: &str, value: bool) {
        let patch = json!({"spec": {field: value}}).to_string();
        self.scene.kubectl(&["patch", "kustomization", name, "-n", "flux-system", "--type=merge", "-p", &patch]).await;
    }

    /// Waits until Flux says of a Kustomization that what a commit has is applied and ready.
    pub(super) async fn applied(&self, name: &str, commit: &str) {
        self.until(&format!("Flux to apply {commit} of {name}"), async || {
            let kustomization = self.kustomization(name).await;
            let revision = kustomization["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
            let is_seen = kustomization["status"]["observedGeneration"] == kustomization["metadata"]["generation"];
            (is_seen && revision.ends_with(commit) && ready(&kustomization)["status"] == "True").then_some(())
        })
        .await;
    }

    /// Waits until Flux says of a Kustomization that it failed for a reason that holds all of these.
    pub(super) async fn fails(&self, name: &str, parts: &[&str]) {
        self.until(&format!("Flux to fail at {name} with {parts:?}"), async || {
            let kustomization = self.kustomization(name).await;
            let told = ready(&kustomization);
            let message = told["message"].as_str().unwrap_or_default();
            (told["status"] == "False" && parts.iter().all(|part| message.contains(part))).then_some(())
        })
        .await;
    }

    /// Waits, and tells what Flux's controllers said where it does not come.
    pub(super) async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let waited = self.scene.stage.wait_for(what, WITHIN, async || Ok(ask().await)).await;
        waited.unwrap_or_else(|why| panic!("{why}\nFlux said:\n{}", self.flux.log_tails()))
    }

    /// The uids of everything in a namespace that is there to stay, and of the Namespace.
    pub(super) async fn everything_in(&self, namespace: &str) -> BTreeMap<String, String> {
        let of = self.scene.kubectl(&["get", "namespace", namespace, "-o", "json"]).await;
        let list = self.scene.kubectl(&["get", COUNTED, "-n", namespace, "-o", "json"]).await;
        let (of, list): (Value, Value) = (serde_json::from_str(&of).unwrap(), serde_json::from_str(&list).unwrap());
        let all = list["items"].as_array().unwrap().iter().chain([&of]);
        let staying = all.filter(|object| object["metadata"]["deletionTimestamp"].is_null());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let named = |object: &Value| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
        staying.map(|object| (named(object), text(&object["metadata"]["uid"]))).collect()
    }

    /// Runs `kubectl` with the credentials of Flux's kustomize-controller; what it complains of.
    pub(super) async fn as_flux(&self, arguments: &[&str]) -> String {
        let output = self.scene.stage.cluster.kubectl_as(&self.account, arguments, "").await.unwrap();
        assert!(!output.success(), "{arguments:?}: {}", output.stdout);
        output.stderr
    }

    /// Waits until the gate has denied Flux the deletion of an object.
    pub(super) async fn is_denied_to_delete(&self, object: &str) {
        let parts = [object, "operation=Delete", "decision=Denied", "flux-system:kustomize-controller"];
        self.until(&format!("a denied deletion of {object}"), async || {
            let log = std::fs::read_to_string(self.scene.stage.webhook_log()).unwrap_or_default();
            log.lines().any(|line| parts.iter().all(|part| line.contains(part))).then_some(())
        })
        .await;
    }

    /// A value of the other namespace's ConfigMap.
    pub(super) async fn price(&self) -> Value {
        let found = self.scene.kubectl(&["get", "configmap/prices", "-n", "books", "-o", "json"]).await;
        serde_json::from_str::<Value>(&found).unwrap()["data"]["atlas"].clone()
    }

    pub(super) async fn price_becomes(&self, price: &str) {
        self.until(&format!("a price of {price}"), async || (self.price().await == price).then_some(())).await;
    }

    /// Pushes the Secret by itself, for a Kustomization of its own: the commit.
    pub(super) fn push_token(&self, token: &str) -> String {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: payment, namespace: shop}}\nstringData: {{token: {token}}}\n"
        );
        self.scene.stage.work.write("secrets/payment.yaml", secret).unwrap();
        let (commit, pushed) = self.scene.stage.push("A token").unwrap();
        pushed.checked().unwrap();
        commit
    }

    /// Pushes another price for Flux to apply: the commit.
    pub(super) fn push_price(&self, price: &str) -> String {
        let work = &self.scene.stage.work;
        work.write("flux/books/shelf.yaml", INSTALLED[4].1.replace("\"30\"", &format!("\"{price}\""))).unwrap();
        let (commit, pushed) = self.scene.stage.push("Another price").unwrap();
        pushed.checked().unwrap();
        commit
    }
}

fn ready(kustomization: &Value) -> Value {
    let conditions = kustomization["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default()
}
