//! Several reconcilers of one environment: one leads and writes, the others stand by and take over.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use gitward_test_cluster::{Options, Result, Stage};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::fleet::{SETTINGS, SHOP_ALONE, gitward};
use crate::running::Running;

const WITHIN: Duration = Duration::from_secs(60);

const REVERTED: &str = "reason=Reverted";

/// What one says that leads from now on.
const LEADS: &str = ": leads lease";

/// A stage without a webhook, so that every edit gets in, and the reconciler's kubeconfig.
async fn open() -> Result<(Stage, String, PathBuf)> {
    let stage = Stage::set(gitward(), Options::default()).await?;
    stage.work.write("gitward.yaml", SHOP_ALONE)?;
    stage.work.write("prod/shop.yaml", SETTINGS)?;
    let (commit, pushed) = stage.push("The shop")?;
    pushed.checked()?;
    stage.create_environment().await?;
    let account = stage.cluster.kubeconfig_for_service_account("gitward-system", "gitward-reconciler").await?;
    Ok((stage, commit, account))
}

async fn json(stage: &Stage, words: &[&str]) -> Result<Value> {
    let output = stage.cluster.kubectl(&[words, &["-o", "json"]].concat()).await?;
    Ok(serde_json::from_str(&output.stdout).unwrap_or(Value::Null))
}

async fn holder(stage: &Stage) -> Result<String> {
    let lease = json(stage, &["get", "lease", "gitward-reconciler-prod", "-n", "gitward-system"]).await?;
    Ok(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
}

async fn settings(stage: &Stage) -> Result<Value> {
    json(stage, &["get", "configmap", "settings", "-n", "shop"]).await
}

async fn edit(stage: &Stage, value: &str) -> Result<()> {
    let patch = format!(r#"{{"data":{{"open":"{value}"}}}}"#);
    let edit = ["patch", "configmap", "settings", "-n", "shop", "--type=merge", "-p", &patch];
    stage.cluster.kubectl(&edit).await?.checked().map(drop)
}

/// Waits until an edit is reverted.
async fn reverted(stage: &Stage, by: &Running) -> Result<()> {
    let reverted = async || Ok((settings(stage).await?["data"]["open"] == "yes").then_some(()));
    let done = stage.wait_for("the revert of the edit", WITHIN, reverted).await;
    assert!(done.is_ok(), "{done:?}\n{}", by.text());
    done
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What a reconciler shows of itself.
async fn metrics(at: SocketAddr) -> String {
    let client = kube::Client::try_from(kube::Config::new(format!("http://{at}").parse().unwrap())).unwrap();
    client.request_text(http::Request::get("/metrics").body(Vec::new()).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_another_takes_over_however_it_ends() {
    let (stage, commit, account) = open().await.unwrap();
    let folder = stage.cluster.folder().to_owned();
    let shows = [free(), free(), free()];
    let start =
        |name: &str, n: usize| Running::start("reconcile", &account, &folder, name, &[&format!("--show={}", shows[n])]);
    let mut first = start("first", 0);
    stage.wait_converged(&commit, WITHIN).await.unwrap();
    first.says(LEADS, 1).await;
    let leader = holder(&stage).await.unwrap();
    let mut second = start("second", 1);
    second.says("another leads; standing by", 1).await;
    let (leading, standing_by) = (metrics(shows[0]).await, metrics(shows[1]).await);
    for line in ["gitward_reconciler_leader 1", &format!("gitward_reconciler_commit{{commit=\"{commit}\"}} 1")] {
        assert!(leading.contains(line), "{line}: {leading}");
    }
    assert!(standing_by.contains("gitward_reconciler_leader 0"), "{standing_by}");
    assert!(second.text().contains(&leader), "{}", second.text());

    // The one that leads puts it right, and it alone.
    edit(&stage, "no").await.unwrap();
    reverted(&stage, &first).await.unwrap();
    assert_eq!((first.count(REVERTED), second.count(REVERTED)), (1, 0));

    // Killed without a word: the other takes over when the Lease is over.
    first.signal(Signal::KILL);
    first.ended().await;
    edit(&stage, "no").await.unwrap();
    reverted(&stage, &second).await.unwrap();
    assert_eq!(second.count(LEADS), 1);
    assert_ne!(holder(&stage).await.unwrap(), leader);

    // Asked to end, it gives the Lease back, and nobody waits for that to be over.
    let mut third = start("third", 2);
    third.says("another leads; standing by", 1).await;
    second.signal(Signal::TERM);
    assert!(second.ended().await.success(), "{}", second.text());
    assert!(second.text().contains("given back"), "{}", second.text());
    edit(&stage, "no").await.unwrap();
    reverted(&stage, &third).await.unwrap();

    // Started again with its state directory, one is its own successor.
    third.signal(Signal::KILL);
    third.ended().await;
    let before = holder(&stage).await.unwrap();
    let mut third = start("third", 2);
    third.says(LEADS, 1).await;
    assert_eq!(holder(&stage).await.unwrap(), before);
}

/// A leader that was held up for longer than its Lease learns of that after another took over. What
/// it was about to write it must not write any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_lost_its_lease_writes_no_more() {
    let (stage, commit, account) = open().await.unwrap();
    let folder = stage.cluster.folder().to_owned();
    let start = |name: &str| Running::start("reconcile", &account, &folder, name, &[]);
    let mut first = start("first");
    stage.wait_converged(&commit, WITHIN).await.unwrap();
    let leader = holder(&stage).await.unwrap();
    let mut second = start("second");
    second.says("another leads; standing by", 1).await;

    first.signal(Signal::STOP);
    second.says(LEADS, 1).await;
    assert_ne!(holder(&stage).await.unwrap(), leader);
    // Where nobody reverts it, the edit stays: whoever writes now is the one that was held up.
    second.signal(Signal::STOP);
    edit(&stage, "no").await.unwrap();
    let edited = settings(&stage).await.unwrap()["metadata"]["resourceVersion"].clone();
    first.signal(Signal::CONT);
    first.says("another leads by now; nothing more is written", 1).await;
    assert_eq!(settings(&stage).await.unwrap()["metadata"]["resourceVersion"], edited, "{}", first.text());
    assert_eq!(first.count(REVERTED), 0, "{}", first.text());
    // The second is held up in its turn and loses the Lease: the first leads again, in the same process.
    first.says(LEADS, 2).await;
    reverted(&stage, &first).await.unwrap();
    second.signal(Signal::CONT);
    second.says("another leads by now; nothing more is written", 1).await;
    second.says("another leads; standing by", 2).await;
    assert_eq!(second.count(REVERTED), 0, "{}", second.text());
}

/// A leader that still reaches everything but its Lease: it cannot know whether another leads by
/// now, so it writes nothing until it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_cannot_renew_its_lease_writes_nothing_until_it_can() {
    let (stage, commit, _) = open().await.unwrap();
    let account = without_leases(&stage).await.unwrap();
    bind_leases(&stage).await.unwrap();
    let mut leader = Running::start("reconcile", &account, stage.cluster.folder(), "leader", &[]);
    let converged = stage.wait_converged(&commit, WITHIN).await;
    assert!(converged.is_ok(), "{converged:?}\n{}", leader.text());
    let unbind = ["delete", "clusterrolebinding", "leases"];
    stage.cluster.kubectl(&unbind).await.unwrap().checked().unwrap();
    leader.says("the Lease cannot be renewed and nothing is written", 1).await;
    edit(&stage, "no").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(settings(&stage).await.unwrap()["data"]["open"], "no", "{}", leader.text());
    bind_leases(&stage).await.unwrap();
    leader.says("leads again", 1).await;
    reverted(&stage, &leader).await.unwrap();

    // Somebody else led and gave it back meanwhile: what this one remembers is old.
    stage.cluster.kubectl(&unbind).await.unwrap().checked().unwrap();
    leader.says("the Lease cannot be renewed and nothing is written", 2).await;
    led_and_given_back(&stage).await.unwrap();
    edit(&stage, "no").await.unwrap();
    bind_leases(&stage).await.unwrap();
    leader.says("another has led meanwhile", 1).await;
    leader.says(LEADS, 2).await;
    reverted(&stage, &leader).await.unwrap();
}

/// Leaves the Lease as another reconciler does that had it and ended.
async fn led_and_given_back(stage: &Stage) -> Result<()> {
    let lease = json(stage, &["get", "lease", "gitward-reconciler-prod", "-n", "gitward-system"]).await?;
    let transitions = lease["spec"]["leaseTransitions"].as_i64().unwrap_or_default() + 1;
    let spec = json!({"spec": {"holderIdentity": null, "leaseDurationSeconds": 1, "leaseTransitions": transitions}});
    let (name, patch) = ("gitward-reconciler-prod", spec.to_string());
    let given = ["patch", "lease", name, "-n", "gitward-system", "--type=merge", "-p", &patch];
    stage.cluster.kubectl(&given).await?.checked().map(drop)
}

/// The kubeconfig of an account that may do everything but touch Leases.
async fn without_leases(stage: &Stage) -> Result<PathBuf> {
    let versions = stage.cluster.kubectl(&["api-versions"]).await?.checked()?;
    let groups = versions.lines().map(|version| version.split_once('/').map_or("", |(group, _)| group));
    let groups: BTreeSet<&str> = groups.filter(|group| *group != "coordination.k8s.io").collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "all-but-leases"},
        "rules": [{"apiGroups": groups, "resources": ["*"], "verbs": ["*"]}],
    });
    stage.cluster.apply(&role.to_string()).await?.checked()?;
    let account = ["create", "serviceaccount", "leader", "-n", "gitward-system"];
    stage.cluster.kubectl(&account).await?.checked()?;
    bind(stage, "all-but-leases", "all-but-leases").await?;
    let leases = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "leases"},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["*"], "verbs": ["*"]}],
    });
    stage.cluster.apply(&leases.to_string()).await?.checked()?;
    stage.cluster.kubeconfig_for_service_account("gitward-system", "leader").await
}

async fn bind_leases(stage: &Stage) -> Result<()> {
    bind(stage, "leases", "leases").await
}

async fn bind(stage: &Stage, name: &str, role: &str) -> Result<()> {
    let role = format!("--clusterrole={role}");
    let bind = ["create", "clusterrolebinding", name, &role, "--serviceaccount=gitward-system:leader"];
    stage.cluster.kubectl(&bind).await?.checked().map(drop)
}
