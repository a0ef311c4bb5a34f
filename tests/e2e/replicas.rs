//! Two webhooks behind one address: each decides alone, they share one certificate authority, and
//! nobody notices when one goes or when the authority is changed.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use gitward_test_cluster::{Options, Result, Stage};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{Patch, PatchParams};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::balancer::Balancer;
use crate::fleet::{SETTINGS, SHOP_ALONE, gitward};
use crate::running::Running;

/// One field of one kind that somebody may count in.
const COUNTING: &str = "\
exemptions:
- name: counting
  accounts: [alice]
  kinds: [ConfigMap]
  fields: [data.count]
  reason: requests that have to pass
";

const WITHIN: Duration = Duration::from_secs(60);

/// What a webhook says that listens.
const SERVING: &str = ": serving address";

/// An API server takes notice of a changed registration within moments.
const MOMENT: Duration = Duration::from_secs(2);

/// A stage without a webhook of its own, and the webhooks' kubeconfig.
async fn open() -> Result<(Stage, String, PathBuf)> {
    let people = ["alice", "mallory"].map(|name| (name.to_owned(), Vec::new())).to_vec();
    let mut stage = Stage::set(gitward(), Options { people, ..Options::default() }).await?;
    for name in ["alice", "mallory"] {
        let user = format!("--user={name}");
        let bind = ["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", &user];
        stage.cluster.kubectl(&bind).await?.checked()?;
    }
    stage.work.write("gitward.yaml", format!("{SHOP_ALONE}{COUNTING}"))?;
    stage.work.write("prod/shop.yaml", SETTINGS)?;
    let (commit, pushed) = stage.push("The shop")?;
    pushed.checked()?;
    stage.create_environment().await?;
    stage.start_reconciler().await?;
    stage.wait_converged(&commit, WITHIN).await?;
    let account = stage.cluster.kubeconfig_for_service_account("gitward-system", "gitward-webhook").await?;
    Ok((stage, commit, account))
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn get(stage: &Stage, words: &[&str]) -> Value {
    let output = stage.cluster.kubectl(&[&["get"], words, &["-o", "json"]].concat()).await.unwrap();
    serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
}

async fn bundle(stage: &Stage) -> String {
    let registration = get(stage, &["validatingwebhookconfiguration", "gitward-prod"]).await;
    let bundle = registration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default().to_owned();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(bundle).unwrap()).unwrap()
}

async fn authorities(secrets: &Api<Secret>) -> Secret {
    secrets.get("gitward-webhook-prod").await.unwrap()
}

fn content(secret: &Secret, key: &str) -> String {
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    data.map(|bytes| String::from_utf8(bytes.0.clone()).unwrap()).unwrap_or_default()
}

/// People who write again and again: alice what has to pass, mallory what must not.
struct Load {
    stop: Arc<AtomicBool>,
    alice: JoinHandle<(usize, Vec<String>)>,
    mallory: JoinHandle<Vec<String>>,
}

impl Load {
    async fn start(stage: &Stage) -> Self {
        let client = async |name| {
            let kubeconfig = stage.cluster.person_kubeconfig(name, &[]).unwrap();
            Api::<ConfigMap>::namespaced(stage.cluster.client_for(kubeconfig).await.unwrap(), "shop")
        };
        let stop = Arc::new(AtomicBool::new(false));
        let alice = tokio::spawn(count(client("alice").await, stop.clone()));
        let mallory = tokio::spawn(close(client("mallory").await, stop.clone()));
        Self { stop, alice, mallory }
    }

    /// How many passed, and what went wrong.
    async fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let (passed, mut wrong) = self.alice.await.unwrap();
        wrong.extend(self.mallory.await.unwrap());
        (passed, wrong)
    }
}

async fn count(settings: Api<ConfigMap>, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let (mut passed, mut wrong) = (0, Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let count = Patch::Merge(json!({"data": {"count": passed.to_string()}}));
        match settings.patch("settings", &PatchParams::default(), &count).await {
            Ok(_) => passed += 1,
            Err(error) => wrong.push(format!("alice: {error}")),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (passed, wrong)
}

async fn close(settings: Api<ConfigMap>, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut wrong = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let close = Patch::Merge(json!({"data": {"open": "no"}}));
        match settings.patch("settings", &PatchParams::default(), &close).await {
            Ok(_) => wrong.push("mallory's edit got in".to_owned()),
            Err(error) if error.to_string().contains("denied the request") => {}
            Err(error) => wrong.push(format!("mallory: {error}")),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_one_to_whoever_asks_while_they_come_and_go() {
    let (stage, commit, account) = open().await.unwrap();
    let folder = stage.cluster.folder().to_owned();
    let at = [free(), free()];
    let balancer = Balancer::start(at.to_vec()).await;
    let url = format!("--url={}", balancer.url());
    let start = |name: &str, at: SocketAddr| {
        let listen = format!("--listen={at}");
        let more = [listen.as_str(), url.as_str(), "--share-authority", "--drain=2s"];
        Running::start("webhook", &account, &folder, name, &more)
    };
    let (mut first, mut second) = (start("first", at[0]), start("second", at[1]));
    let registered = async || Ok((!bundle(&stage).await.is_empty()).then_some(()));
    stage.wait_for("the registration", WITHIN, registered).await.unwrap();
    for replica in [&mut first, &mut second] {
        replica.says_more("commit in force", 0).await;
    }
    let secrets: Api<Secret> = Api::namespaced(stage.cluster.client().await.unwrap(), "gitward-system");
    assert_eq!(bundle(&stage).await, content(&authorities(&secrets).await, "ca.crt"), "one authority for both");
    tokio::time::sleep(MOMENT).await;

    // One after the other ends and comes back, as in a rolling update.
    let load = Load::start(&stage).await;
    tokio::time::sleep(MOMENT).await;
    first.signal(Signal::TERM);
    assert!(first.ended().await.success(), "{}", first.text());
    first = start("first", at[0]);
    first.says_more(SERVING, 0).await;
    second.signal(Signal::TERM);
    assert!(second.ended().await.success(), "{}", second.text());
    second = start("third", at[1]);
    second.says_more(SERVING, 0).await;
    tokio::time::sleep(MOMENT).await;
    let (passed, wrong) = load.end().await;
    assert!(passed > 20 && wrong.is_empty(), "{passed} passed; {wrong:#?}");
    assert!(balancer.connections().iter().all(|n| *n > 0), "{:?}", balancer.connections());
    assert_eq!(bundle(&stage).await, content(&authorities(&secrets).await, "ca.crt"), "a new replica has it too");

    // A replica that is killed takes at most what it was answering with it, and lets nothing pass.
    let load = Load::start(&stage).await;
    first.signal(Signal::KILL);
    first.ended().await;
    tokio::time::sleep(MOMENT).await;
    let (passed, wrong) = load.end().await;
    assert!(passed > 20 && wrong.len() <= 2, "{passed} passed; {wrong:#?}");
    assert!(!wrong.iter().any(|wrong| wrong.contains("got in")), "{wrong:#?}");
    drop(second);
    assert_eq!(get(&stage, &["configmap", "settings", "-n", "shop"]).await["data"]["open"], "yes", "{commit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shared_authority_is_changed_and_lost_without_a_request_lost() {
    let (stage, _, account) = open().await.unwrap();
    let folder = stage.cluster.folder().to_owned();
    let at = [free(), free()];
    let balancer = Balancer::start(at.to_vec()).await;
    let url = format!("--url={}", balancer.url());
    let start = |name: &str, at: SocketAddr| {
        let listen = format!("--listen={at}");
        Running::start("webhook", &account, &folder, name, &[&listen, &url, "--share-authority"])
    };
    let (mut first, mut second) = (start("first", at[0]), start("second", at[1]));
    for replica in [&mut first, &mut second] {
        replica.says_more("commit in force", 0).await;
    }
    let registered = async || Ok((!bundle(&stage).await.is_empty()).then_some(()));
    stage.wait_for("the registration", WITHIN, registered).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    let secrets: Api<Secret> = Api::namespaced(stage.cluster.client().await.unwrap(), "gitward-system");
    let before = authorities(&secrets).await;
    let load = Load::start(&stage).await;

    // Lost: those that have it put it back.
    stage.cluster.kubectl(&["delete", "secret", "gitward-webhook-prod", "-n", "gitward-system"]).await.unwrap();
    let back = async || Ok(secrets.get_opt("gitward-webhook-prod").await.unwrap().map(drop));
    stage.wait_for("the authority to come back", WITHIN, back).await.unwrap();
    assert_eq!(authorities(&secrets).await.data, before.data);

    // It comes near its end: its successor is trusted beside it, and takes over a month later.
    for (days, certificates) in [(40, 2), (20, 2)] {
        let secret = authorities(&secrets).await;
        let mut present: Value = serde_json::from_str(&content(&secret, "ca.json")).unwrap();
        present["expires"] = json!((Timestamp::now() + SignedDuration::from_hours(24 * days)).to_string());
        let text = base64::engine::general_purpose::STANDARD.encode(present.to_string());
        let patch = Patch::Merge(json!({"data": {"ca.json": text}}));
        secrets.patch("gitward-webhook-prod", &PatchParams::default(), &patch).await.unwrap();
        let agreed = async || {
            let (trusted, kept) = (bundle(&stage).await, authorities(&secrets).await);
            let count = trusted.matches("BEGIN CERTIFICATE").count();
            let is_over = days == 40 || !content(&kept, "ca.json").contains(present["key"].as_str().unwrap());
            Ok((count == certificates && trusted == content(&kept, "ca.crt") && is_over).then_some(()))
        };
        stage.wait_for("the registration to trust the authorities", WITHIN, agreed).await.unwrap();
        tokio::time::sleep(MOMENT).await;
    }
    let first_certificate = content(&before, "ca.crt");
    assert!(!bundle(&stage).await.starts_with(&first_certificate), "another signs by now");
    let (passed, wrong) = load.end().await;
    assert!(passed > 20 && wrong.is_empty(), "{passed} passed; {wrong:#?}\n{}\n{}", first.text(), second.text());
}
