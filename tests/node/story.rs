//! What comes to pass on the node while people write, and what it costs them.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitward_test_cluster::{ControlPlane, Options};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::images;
use crate::installed::Installed;
use crate::load::{Attempt, Load, PEOPLE, Told};
use crate::node::Node;
use crate::pods::{self, Pod};
use crate::sandbox::{ADDRESS, Within};

/// People write before and after what happens, too.
const MOMENT: Duration = Duration::from_secs(2);

/// From the end of a container that nobody asked to end until no connection is made to it any more:
/// the kubelet looks, the endpoints follow, and kube-proxy follows them.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

/// Tells the whole story.
pub(crate) fn tell(within: &Within) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::set(within).await;
        stage.a_pod_is_deleted().await;
        stage.a_container_is_killed().await;
        stage.the_authority_is_changed().await;
        stage.another_version_is_rolled_out().await;
        stage.kubelet_and_containerd_are_restarted().await;
        stage.the_power_is_cut().await;
        stage.nothing_got_in().await;
    });
}

struct Stage {
    within: Within,
    installed: Installed,
    node: Node,
    began: Instant,
}

impl Stage {
    async fn set(within: &Within) -> Self {
        let began = Instant::now();
        let people = PEOPLE.map(|name| (name.to_owned(), Vec::new())).to_vec();
        // Pods reach it by its Service, so that it has to listen on the bridge and to say so.
        let api_server_flags = ["--bind-address=0.0.0.0", "--endpoint-reconciler-type=lease"].map(ToOwned::to_owned);
        let api_server_flags = [&api_server_flags[..], &[format!("--advertise-address={ADDRESS}")]].concat();
        let options = Options { scheduler: true, people, api_server_flags, ..Options::default() };
        let cluster = ControlPlane::start(options).await.unwrap();
        for name in PEOPLE {
            let user = format!("--user={name}");
            let bind = ["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", &user];
            cluster.kubectl(&bind).await.unwrap().checked().unwrap();
        }
        let node = Node::start(&cluster, within);
        cluster.kubectl(&["wait", "--for=create", "node/worker", "--timeout=60s"]).await.unwrap().checked().unwrap();
        let ready = ["wait", "--for=condition=Ready", "node/worker", "--timeout=60s"];
        cluster.kubectl(&ready).await.unwrap().checked().unwrap();
        println!("the node is ready after {:?}", began.elapsed());
        let installed = Installed::install(cluster, &within.folder).await;
        println!("gitward is installed after {:?}", began.elapsed());
        Self { within: within.clone(), installed, node, began }
    }

    async fn load(&self) -> Load {
        let load = Load::start(&self.installed.cluster).await;
        tokio::time::sleep(MOMENT).await;
        load
    }

    /// Lets people write a moment longer.
    async fn end(&self, what: &str, load: Load) -> Told {
        tokio::time::sleep(MOMENT).await;
        let told = load.end().await;
        println!("{:>4} s, {what}: {}", self.began.elapsed().as_secs(), told.summary());
        assert_eq!(told.let_in(), 0, "{what}: nothing that Git does not allow gets in");
        told
    }

    /// Nobody noticed anything.
    async fn end_unnoticed(&self, what: &str, load: Load) {
        let told = self.end(what, load).await;
        let (lost, not_judged) = (told.lost(), told.not_judged());
        assert!(told.passed() > 20 && lost.is_empty() && not_judged.is_empty(), "{what}: {lost:#?} {not_judged:#?}");
    }

    async fn pods(&self) -> Vec<Pod> {
        pods::of_the_webhook(&self.installed.cluster).await
    }

    /// Waits for two Pods that are ready, of which none runs in one of these containers.
    async fn two_are_ready(&self, without: &[Pod]) -> Vec<Pod> {
        let ready = async || {
            let pods = self.pods().await;
            let new = |pod: &Pod| pod.is_ready && without.iter().all(|old| old.container != pod.container);
            (pods.len() == 2 && pods.iter().all(new)).then_some(pods)
        };
        self.installed.wait_for("two ready Pods of the webhook", ready).await
    }

    async fn a_pod_is_deleted(&self) {
        let first = self.two_are_ready(&[]).await.remove(0);
        let load = self.load().await;
        self.installed.kubectl(&["delete", "pod", "-n", "gitward-system", &first.name]).await;
        self.two_are_ready(&[first]).await;
        self.end_unnoticed("a Pod is deleted", load).await;
    }

    /// What it was answering is lost with it, and what is sent to it before its end is noticed.
    async fn a_container_is_killed(&self) {
        let first = self.two_are_ready(&[]).await.remove(0);
        let load = self.load().await;
        let killed = Instant::now();
        pods::kill(&self.within, &first.container);
        self.two_are_ready(&[first]).await;
        let told = self.end("a container is killed", load).await;
        all_between(&told.lost(), killed, killed + NOTICED_WITHIN);
    }

    async fn the_authority_is_changed(&self) {
        let secrets: Api<Secret> = Api::namespaced(self.installed.cluster.client().await.unwrap(), "gitward-system");
        let before = content(&secrets, "ca.crt").await;
        let load = self.load().await;
        // It comes near its end: its successor is trusted beside it, and takes over a month later.
        for days in [40, 20] {
            let mut present: Value = serde_json::from_str(&content(&secrets, "ca.json").await).unwrap();
            present["expires"] = json!((Timestamp::now() + SignedDuration::from_hours(24 * days)).to_string());
            let patch = json!({"data": {"ca.json": STANDARD.encode(present.to_string())}});
            secrets.patch("gitward-webhook-prod", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
            let agreed = async || {
                let (trusted, kept) = (self.bundle().await, content(&secrets, "ca.crt").await);
                let key = present["key"].as_str().unwrap();
                let is_over = days == 40 || !content(&secrets, "ca.json").await.contains(key);
                (trusted == kept && trusted.matches("BEGIN CERTIFICATE").count() == 2 && is_over).then_some(())
            };
            self.installed.wait_for("the registration to trust both authorities", agreed).await;
            tokio::time::sleep(MOMENT).await;
        }
        assert!(!self.bundle().await.starts_with(&before), "another signs by now");
        self.end_unnoticed("the certificates are changed", load).await;
    }

    /// The authorities that the API server trusts.
    async fn bundle(&self) -> String {
        let registration = self.installed.get(&["validatingwebhookconfiguration", "gitward-prod"]).await;
        let bundle = registration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default();
        String::from_utf8(STANDARD.decode(bundle).unwrap()).unwrap()
    }

    async fn another_version_is_rolled_out(&self) {
        let before = self.pods().await;
        let load = self.load().await;
        self.installed.apply(images::SECOND).await;
        self.installed.rolled_out().await;
        self.two_are_ready(&before).await;
        self.end_unnoticed("another version is rolled out", load).await;
    }

    /// The containers go on.
    async fn kubelet_and_containerd_are_restarted(&mut self) {
        let before = self.two_are_ready(&[]).await;
        let load = self.load().await;
        self.node.restart_services();
        self.installed.kubectl(&["wait", "--for=condition=Ready", "node/worker", "--timeout=60s"]).await;
        let after = self.two_are_ready(&[]).await;
        assert_eq!(after, before, "the same containers");
        self.end_unnoticed("kubelet and containerd are restarted", load).await;
    }

    /// No Pod is left on the one node there is: what is governed stays closed until one is back.
    async fn the_power_is_cut(&mut self) {
        let before = self.two_are_ready(&[]).await;
        let load = self.load().await;
        let cut = Instant::now();
        self.node.cut_power();
        tokio::time::sleep(MOMENT).await;
        self.node.start_again();
        let one_is_back = async || {
            let pods = self.pods().await;
            pods.iter().any(|pod| pod.is_ready && before.iter().all(|old| old.container != pod.container)).then_some(())
        };
        self.installed.wait_for("a Pod of the webhook to come back", one_is_back).await;
        let back = Instant::now();
        println!("the webhook is back {:?} after the cut", back - cut);
        self.two_are_ready(&before).await;
        let told = self.end("the power is cut", load).await;
        all_between(&told.lost(), cut, back + NOTICED_WITHIN);
        self.end_unnoticed("afterwards", self.load().await).await;
    }

    /// What Git declares is what is there, and it runs.
    async fn nothing_got_in(&self) {
        let settings = self.installed.get(&["configmap", "settings", "-n", "shop"]).await;
        assert_eq!(settings["data"]["open"], "yes");
        let till = ["rollout", "status", "-n", "shop", "deployment/till", "--timeout=60s"];
        self.installed.kubectl(&till).await;
    }
}

/// Writes were lost from one time to another alone.
fn all_between(lost: &[&Attempt], from: Instant, to: Instant) {
    // One that had begun before may have been on its way.
    let outside = |attempt: &&&Attempt| attempt.started + MOMENT < from || attempt.started > to;
    let outside: Vec<_> = lost.iter().filter(outside).collect();
    assert!(outside.is_empty(), "lost outside of the {:?} that it takes: {outside:#?}", to - from);
    if let Some(last) = lost.iter().map(|attempt| attempt.started).max() {
        println!("the last that was lost began {:?} after", last - from);
    }
}

async fn content(secrets: &Api<Secret>, key: &str) -> String {
    let secret = secrets.get("gitward-webhook-prod").await.unwrap();
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    data.map(|bytes| String::from_utf8(bytes.0.clone()).unwrap()).unwrap_or_default()
}
