//! A control plane is upgraded one API server after the other: meanwhile two API servers of different
//! versions answer at once, on one etcd, and ask two webhooks. What Git allows passes through either of them,
//! nothing else does, and nobody fights over what one of them fills in and the other leaves out.

mod shop;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Component, KUBERNETES_BEFORE, Options, Stage};
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::fleet::gitward;
use crate::running::Running;
use shop::{CONFIGURATION, Edit, WIDGETS, brought_by, devices, edits, shop};

const WITHIN: Duration = Duration::from_secs(120);

/// How long nothing may happen where nothing has to.
const QUIET: Duration = Duration::from_secs(3);

/// How long an API server may take to know of kinds and registrations after its start.
const MOMENT: Duration = Duration::from_secs(2);

/// One of the two API servers, as the story tells of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// The one that the controllers talk to.
    First,
    Second,
}

const BOTH: [Server; 2] = [Server::First, Server::Second];

impl Server {
    fn component(self) -> Component {
        match self {
            Server::First => Component::ApiServer,
            Server::Second => Component::ApiServerBeside,
        }
    }
}

/// Two API servers, two webhooks, a reconciler, and mallory, who may do everything that RBAC can allow.
struct Upgrade {
    stage: Stage,
    webhooks: [Running; 2],
    _balancer: Balancer,
    reconciler: Running,
    release: usize,
}

impl Upgrade {
    /// Everything is of the version before, and the shop runs.
    async fn begins() -> Self {
        let people = vec![("mallory".to_owned(), Vec::new())];
        let options = Options { release_before: true, people, ..Options::with_nodes(2) };
        let mut stage = Stage::set(gitward(), options).await.unwrap();
        stage.cluster.start_component(Component::ApiServerBeside).await.unwrap();
        let bind = ["create", "clusterrolebinding", "mallory", "--clusterrole=cluster-admin", "--user=mallory"];
        stage.cluster.kubectl(&bind).await.unwrap().checked().unwrap();
        stage.cluster.apply(WIDGETS).await.unwrap().checked().unwrap();
        stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
        stage.work.write("crds/widgets.yaml", WIDGETS).unwrap();
        stage.work.write("prod/shop.yaml", shop(0)).unwrap();
        stage.work.write("prod/devices.json", devices(false)).unwrap();
        let (commit, pushed) = stage.push("The shop").unwrap();
        pushed.checked().unwrap();
        stage.create_environment().await.unwrap();
        let reconciler = reconciler(&stage, Server::First, "reconciler-0").await;
        let (webhooks, balancer) = webhooks(&stage).await;
        stage.wait_converged(&commit, WITHIN).await.unwrap();
        Self { stage, webhooks, _balancer: balancer, reconciler, release: 0 }
    }

    /// An API server ends and begins anew in the newer version.
    async fn changes(&mut self, server: Server) {
        let cluster = &mut self.stage.cluster;
        cluster.be_of_the_release_before(server.component(), false);
        cluster.restart(server.component()).await.unwrap();
        tokio::time::sleep(MOMENT).await;
    }

    /// The reconciler's API server changes under it, and it learns everything anew.
    async fn changes_under_the_reconciler(&mut self) {
        const TOLD: &str = "the API server is of another version";
        let told = self.reconciler.count(TOLD);
        self.changes(Server::First).await;
        self.reconciler.says_more(TOLD, told).await;
    }

    /// The reconciler talks to another API server from now on.
    async fn reconciler_moves_to(&mut self, server: Server) {
        self.nothing_was_wrong("before the reconciler moves");
        self.reconciler.signal(Signal::TERM);
        self.reconciler.ended().await;
        let name = format!("reconciler-{server:?}-{}", self.release);
        self.reconciler = reconciler(&self.stage, server, &name).await;
        self.reconciler.says_more("reason=Converged", 0).await;
    }

    /// A field that API servers of the version before leave out is refused by name as long as one of them is asked,
    /// and comes into force with the first of the version after.
    async fn a_new_field_waits_for_the_version_that_keeps_it(&mut self) {
        const FIELD: &str = "spec.extendedResourceName";
        self.stage.work.write("prod/devices.json", devices(true)).unwrap();
        let (commit, pushed) = self.stage.push("Ask for devices by a resource's name").unwrap();
        pushed.checked().unwrap();
        let refused = async || {
            let environment = self.stage.environment().await?;
            let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let is_refusal = |c: &Value| c["type"] == "Converged" && c["reason"] == "Refused";
            let message = conditions.iter().find(|c| is_refusal(c)).map(|c| c["message"].to_string());
            Ok(message.filter(|message| message.contains(&commit[..8])))
        };
        let message = self.stage.wait_for("the field to be refused", WITHIN, refused).await.unwrap();
        assert!(message.contains(FIELD), "{message}");
        self.reconciler_moves_to(Server::Second).await;
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
    }

    async fn client(&self, person: &str, server: Server) -> Client {
        let cluster = &self.stage.cluster;
        let kubeconfig = match person {
            "admin" => cluster.admin_kubeconfig().to_owned(),
            person => cluster.person_kubeconfig(person, &[]).unwrap(),
        };
        cluster.client_for(lead_to(&self.stage, kubeconfig, server)).await.unwrap()
    }

    /// With the API servers in these minor versions, everything is as it should be.
    async fn holds(&mut self, minors: [u32; 2]) {
        let began = Instant::now();
        for (server, minor) in BOTH.into_iter().zip(minors) {
            self.is_of(server, minor).await;
        }
        self.next_release().await;
        let rolled_out = began.elapsed();
        for server in BOTH {
            self.what_git_says_passes(server).await;
            self.nothing_else_passes(server).await;
        }
        self.is_quiet().await;
        self.nothing_was_wrong(&format!("{minors:?}"));
        let (release, held) = (self.release, began.elapsed());
        println!("{minors:?} held with release {release}: rolled out after {rolled_out:.1?}, all after {held:.1?}");
    }

    /// An API server is of a version, and differs from the other as the story needs it.
    async fn is_of(&self, server: Server, minor: u32) {
        let client = self.client("admin", server).await;
        assert_eq!(client.apiserver_version().await.unwrap().minor, minor.to_string(), "{server:?}");
        let mut elsewhere: Value = serde_json::from_str(&brought_by(0)).unwrap();
        elsewhere["metadata"]["namespace"] = json!("default");
        let sets = objects(client, "apps/v1", "StatefulSet", "default");
        let object = serde_json::from_value(elsewhere).unwrap();
        let made = sets.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await.unwrap();
        let filled_in = &made.data["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
        assert_eq!(filled_in, &if minor == 35 { json!(1) } else { Value::Null }, "{server:?}");
    }

    /// Git brings a release, which rolls out.
    async fn next_release(&mut self) {
        self.release += 1;
        self.stage.work.write("prod/shop.yaml", shop(self.release)).unwrap();
        self.stage.work.write(&format!("prod/brought-{}.json", self.release), brought_by(self.release)).unwrap();
        let (commit, pushed) = self.stage.push(&format!("Release {}", self.release)).unwrap();
        pushed.checked().unwrap();
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        let brought = format!("brought-{}", self.release);
        for (kind, name) in
            [("Deployment", "web"), ("StatefulSet", "ledger"), ("DaemonSet", "agent"), ("StatefulSet", &*brought)]
        {
            let rolled_out = async || Ok(self.is_rolled_out(kind, name).await.then_some(()));
            self.stage.wait_for(&format!("{kind} {name} to roll out"), WITHIN, rolled_out).await.unwrap();
        }
    }

    async fn is_rolled_out(&self, kind: &str, name: &str) -> bool {
        let client = self.client("admin", Server::First).await;
        let object = objects(client, "apps/v1", kind, "shop").get(name).await.unwrap();
        let (spec, status) = (&object.data["spec"], &object.data["status"]);
        let (wanted, updated, ready) = match kind {
            "DaemonSet" => (&json!(2), &status["updatedNumberScheduled"], &status["numberReady"]),
            _ => (&spec["replicas"], &status["updatedReplicas"], &status["readyReplicas"]),
        };
        status["observedGeneration"].as_i64() == object.metadata.generation && updated == wanted && ready == wanted
    }

    /// Who writes what Git says is let through, whichever API server it was read from: as it is, and
    /// whole, as if it were not there yet.
    async fn what_git_says_passes(&self, server: Server) {
        let writer = self.client("mallory", server).await;
        for from in BOTH {
            let reader = self.client("mallory", from).await;
            for Edit { version, kind, name, .. } in edits() {
                let (read, written) = (of(&reader, version, kind), of(&writer, version, kind));
                for _ in 0..5 {
                    match written.replace(name, &PostParams::default(), &read.get(name).await.unwrap()).await {
                        Err(kube::Error::Api(status)) if status.code == 409 => {}
                        other => {
                            other.unwrap_or_else(|e| panic!("{kind} {name} from {from:?} through {server:?}: {e}"));
                            break;
                        }
                    }
                }
            }
        }
        let again = of(&writer, "apps/v1", "StatefulSet");
        let brought = serde_json::from_str(&brought_by(self.release)).unwrap();
        let there = again.create(&PostParams::default(), &brought).await.unwrap_err().to_string();
        assert!(there.contains("already exists"), "{server:?}: {there}");
    }

    async fn nothing_else_passes(&self, server: Server) {
        let client = self.client("mallory", server).await;
        for edit in edits() {
            self.is_denied(&client, server, &edit).await;
        }
        let undeclared = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "planted"}});
        let planted = of(&client, "v1", "ConfigMap")
            .create(&PostParams::default(), &serde_json::from_value(undeclared).unwrap())
            .await;
        let denial = planted.unwrap_err().to_string();
        assert!(denial.contains("is not declared in Git"), "{server:?}: {denial}");
    }

    async fn is_denied(&self, client: &Client, server: Server, edit: &Edit) {
        let objects = of(client, edit.version, edit.kind);
        let before = objects.get(edit.name).await.unwrap();
        let what = format!("{} {} through {server:?}", edit.kind, edit.field);
        match objects.patch(edit.name, &PatchParams::default(), &Patch::Merge(&edit.patch)).await {
            Err(error) => {
                let denial = error.to_string();
                assert!(denial.contains("denied the request") && denial.contains(edit.field), "{what}: {denial}");
            }
            Ok(after) => {
                assert!(edit.may_be_dropped, "{what} passed");
                assert_eq!(after.data["spec"], before.data["spec"], "{what} was neither dropped nor denied");
            }
        }
    }

    /// Nothing is written to what Git declares.
    async fn is_quiet(&self) {
        let generations = async || {
            let client = self.client("admin", Server::Second).await;
            let mut found = Vec::new();
            for Edit { version, kind, name, .. } in edits() {
                found.push((kind, of(&client, version, kind).get(name).await.unwrap().metadata.generation));
            }
            found
        };
        let before = generations().await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(generations().await, before, "something goes on: {}", self.reconciler.text());
    }

    /// Nobody but mallory was denied anything, and nothing had to be brought back.
    fn nothing_was_wrong(&self, when: &str) {
        let mut wrong: Vec<String> = Vec::new();
        for webhook in &self.webhooks {
            let denied = |line: &&str| line.contains("Denied") && !line.contains("mallory");
            wrong.extend(webhook.text().lines().filter(denied).map(str::to_owned));
        }
        let told = ["Diverged", "Reverted", "Fight", "Failed", "UnknownMutator"];
        let is_told = |line: &&str| told.iter().any(|reason| line.contains(&format!("reason={reason}")));
        wrong.extend(self.reconciler.text().lines().filter(is_told).map(str::to_owned));
        assert!(wrong.is_empty(), "{when}: {wrong:#?}");
    }
}

/// A kubeconfig that leads to one of the API servers.
fn lead_to(stage: &Stage, kubeconfig: PathBuf, server: Server) -> PathBuf {
    match server {
        Server::First => kubeconfig,
        Server::Second => stage.cluster.beside(&kubeconfig).unwrap(),
    }
}

async fn account(stage: &Stage, name: &str, server: Server) -> PathBuf {
    let kubeconfig = stage.cluster.kubeconfig_for_service_account("gitward-system", name).await.unwrap();
    lead_to(stage, kubeconfig, server)
}

async fn reconciler(stage: &Stage, server: Server, name: &str) -> Running {
    let kubeconfig = account(stage, "gitward-reconciler", server).await;
    Running::start("reconcile", &kubeconfig, stage.cluster.folder(), name, &[])
}

/// Two webhooks behind one address, each with an API server of its own.
async fn webhooks(stage: &Stage) -> ([Running; 2], Balancer) {
    let at = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let balancer = Balancer::start(at.to_vec()).await;
    let url = format!("--url={}", balancer.url());
    let mut running = Vec::new();
    for ((server, at), name) in BOTH.into_iter().zip(at).zip(["one", "other"]) {
        let (listen, kubeconfig) = (format!("--listen={at}"), account(stage, "gitward-webhook", server).await);
        let more = [listen.as_str(), url.as_str(), "--share-authority"];
        running.push(Running::start("webhook", &kubeconfig, stage.cluster.folder(), name, &more));
    }
    for webhook in &mut running {
        webhook.says_more("commit in force", 0).await;
    }
    let registered = async || {
        let get = ["get", "validatingwebhookconfiguration", "gitward-prod"];
        Ok(stage.cluster.kubectl(&get).await?.success().then_some(()))
    };
    stage.wait_for("the registration", WITHIN, registered).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    let [one, other] = running.try_into().unwrap_or_else(|_| panic!("two webhooks"));
    ([one, other], balancer)
}

fn of(client: &Client, version: &str, kind: &str) -> Api<DynamicObject> {
    objects(client.clone(), version, kind, if kind == "DeviceClass" { "" } else { "shop" })
}

fn objects(client: Client, version: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    if namespace.is_empty() {
        return Api::all_with(client, &resource);
    }
    Api::namespaced_with(client, namespace, &resource)
}

#[tokio::test(flavor = "multi_thread")]
async fn api_servers_of_two_versions_give_no_wrong_answer() {
    assert!(KUBERNETES_BEFORE.starts_with("1.35."));
    let mut upgrade = Upgrade::begins().await;
    upgrade.holds([35, 35]).await;

    upgrade.changes(Server::Second).await;
    upgrade.holds([35, 36]).await;

    // What is learnt from the one, the controllers write through the other.
    upgrade.a_new_field_waits_for_the_version_that_keeps_it().await;
    upgrade.holds([35, 36]).await;

    upgrade.reconciler_moves_to(Server::First).await;
    upgrade.changes_under_the_reconciler().await;
    upgrade.holds([36, 36]).await;
}
