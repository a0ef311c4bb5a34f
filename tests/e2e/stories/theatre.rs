//! One stage for many stories, each in a scene of its own.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use gitward_test_cluster::{ENVIRONMENT, Error, Options, Output, Stage};
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use tokio::sync::Mutex;

use super::scene::Scene;
use super::{Story, manifests};
use crate::edits;
use crate::fleet::gitward;

/// How long anything may take before a story gives it up. Controllers that were refused once wait
/// long, and so are found out.
const GIVE_UP: Duration = Duration::from_secs(90);

/// Kinds as the stories name them: group, version, kind, and whether it is in a namespace.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &str, &str, bool)] = &[
    ("clusterrole", "rbac.authorization.k8s.io", "v1", "ClusterRole", false),
    ("configmap", "", "v1", "ConfigMap", true),
    ("crd", "apiextensions.k8s.io", "v1", "CustomResourceDefinition", false),
    ("cronjob", "batch", "v1", "CronJob", true),
    ("daemonset", "apps", "v1", "DaemonSet", true),
    ("deployment", "apps", "v1", "Deployment", true),
    ("endpointslice", "discovery.k8s.io", "v1", "EndpointSlice", true),
    ("environment", "gitward.dev", "v1alpha1", "Environment", false),
    ("job", "batch", "v1", "Job", true),
    ("lease", "coordination.k8s.io", "v1", "Lease", true),
    ("namespace", "", "v1", "Namespace", false),
    ("node", "", "v1", "Node", false),
    ("pdb", "policy", "v1", "PodDisruptionBudget", true),
    ("pod", "", "v1", "Pod", true),
    ("pv", "", "v1", "PersistentVolume", false),
    ("pvc", "", "v1", "PersistentVolumeClaim", true),
    ("quota", "", "v1", "ResourceQuota", true),
    ("replicaset", "apps", "v1", "ReplicaSet", true),
    ("resourceclaim", "resource.k8s.io", "v1", "ResourceClaim", true),
    ("revision", "apps", "v1", "ControllerRevision", true),
    ("service", "", "v1", "Service", true),
    ("statefulset", "apps", "v1", "StatefulSet", true),
    ("widget", "stories.example.org", "v1", "Widget", true),
    ("widget2", "stories.example.org", "v2", "Widget", true),
];

/// The stage and the repository that all stories share.
pub(super) struct Theatre {
    pub(super) stage: Stage,
    client: Client,
    /// The commits so far, in order. Held while one is made.
    commits: Mutex<Vec<String>>,
    /// What the webhook had counted each time before it was killed.
    pub(super) kept: Vec<String>,
}

impl Theatre {
    /// A stage with people and nothing in Git yet.
    pub(super) async fn set(options: Options) -> Self {
        let stage = Stage::set(gitward(), options).await.unwrap();
        stage.install_hooks().unwrap();
        edits::empower(&stage).await.unwrap();
        let client = stage.cluster.client().await.unwrap();
        Self { stage, client, commits: Mutex::default(), kept: Vec::new() }
    }

    /// The first commit, with what every story begins with; both gates close.
    pub(super) async fn plant(&mut self) {
        self.stage.work.write("gitward.yaml", include_str!("gitward.yaml")).unwrap();
        for (file, text) in manifests::first() {
            self.stage.work.write(&file, text).unwrap();
        }
        let first = self.commit("Everything begins", &[]).await;
        self.stage.create_environment().await.unwrap();
        self.stage.start_reconciler().await.unwrap();
        self.stage.start_webhook().await.unwrap();
        self.converged(first).await;
    }

    /// Plays one story; what went wrong.
    pub(super) async fn play(&self, Story(name, namespace, play): &Story) -> Option<String> {
        let began = Instant::now();
        let outcome = AssertUnwindSafe(play(self.scene(namespace))).catch_unwind().await;
        told(name, began, outcome)
    }

    pub(super) fn scene(&self, namespace: &'static str) -> Scene<'_> {
        Scene { theatre: self, namespace }
    }

    /// Commits texts of files (none removes a file) and pushes through the gate: the number of the
    /// commit.
    pub(super) async fn commit(&self, message: &str, files: &[(&str, Option<&str>)]) -> usize {
        let mut commits = self.commits.lock().await;
        for (file, text) in files {
            match text {
                Some(text) => self.stage.work.write(file, text).unwrap(),
                None => self.stage.work.remove(file).unwrap(),
            }
        }
        // Other stories go on meanwhile.
        let (work, text) = (self.stage.work.clone(), message.to_owned());
        let pushing = tokio::task::spawn_blocking(move || Ok((work.commit(&text)?, work.push()?)));
        let (commit, pushed): (String, Output) = pushing.await.unwrap().unwrap_or_else(|e: Error| panic!("{e}"));
        if !pushed.success() {
            // The others' commits go on without this one.
            self.stage.work.git(&["reset", "--quiet", "--hard", "@{upstream}"]).unwrap().checked().unwrap();
            panic!("{message}: {}", pushed.stderr);
        }
        commits.push(commit);
        commits.len() - 1
    }

    /// Waits until the cluster was brought to this commit or a later one.
    pub(super) async fn converged(&self, number: usize) {
        let reached = async || {
            let environment = self.find("", &format!("environment/{ENVIRONMENT}")).await;
            let commit = environment["status"]["commit"].as_str()?.to_owned();
            let conditions = environment["status"]["conditions"].as_array()?.clone();
            let converged = conditions.iter().find(|c| c["type"] == "Converged")?;
            let is_it = converged["status"] == "True" && converged["message"].as_str()?.contains(commit.get(..12)?);
            let commits = self.commits.lock().await;
            let position = commits.iter().position(|c| *c == commit)?;
            (is_it && position >= number).then_some(())
        };
        self.wait(&format!("convergence to commit {number}"), reached).await;
    }

    /// Asks again and again until there is an answer.
    pub(super) async fn wait<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if began.elapsed() > GIVE_UP {
                panic!("waited in vain for {what}");
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// One object (`deployment/web`); `null` if it is not there.
    pub(super) async fn find(&self, namespace: &str, object: &str) -> Value {
        let (kind, name) = object.split_once('/').unwrap();
        let found = self.api(namespace, kind).get_opt(name).await;
        // The API server may be busy; whoever waits asks again.
        found.ok().flatten().map_or(Value::Null, |o| serde_json::to_value(o).unwrap())
    }

    pub(super) async fn find_all(&self, namespace: &str, kind: &str) -> Vec<Value> {
        let found = self.api(namespace, kind).list(&ListParams::default()).await;
        found.map(|l| l.items).unwrap_or_default().into_iter().map(|o| serde_json::to_value(o).unwrap()).collect()
    }

    fn api(&self, namespace: &str, short: &str) -> Api<DynamicObject> {
        let found = KINDS.iter().find(|(s, ..)| *s == short);
        let (_, group, version, kind, namespaced) = found.unwrap_or_else(|| panic!("{short} is no kind"));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        match namespaced {
            true => Api::namespaced_with(self.client.clone(), namespace, &resource),
            false => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// Runs `kubectl` as the administrator, who has to succeed.
    pub(super) async fn admin(&self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        self.stage.cluster.kubectl(&words).await.unwrap().checked().unwrap();
    }

    /// Keeps what the webhook has counted, which ends with it.
    pub(super) async fn keep_figures(&mut self) {
        self.kept.push(self.stage.webhook_metrics().await.unwrap());
    }

    /// How many nodes are there and answer.
    pub(super) async fn nodes(&self) -> i64 {
        let nodes = self.find_all("", "node").await;
        let is_ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
        let ready =
            nodes.iter().filter(|n| n["status"]["conditions"].as_array().is_some_and(|c| c.iter().any(is_ready)));
        ready.count().try_into().unwrap()
    }

    /// What the reconciler has told of divergences, a line each.
    pub(super) fn divergences(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told = ["reason=Diverged", "reason=Reverted", "reason=Fight", "could not be brought back"];
        log.lines().filter(|l| told.iter().any(|t| l.contains(t))).map(str::to_owned).collect()
    }
}

/// Says how a story ended.
pub(super) fn told(name: &str, began: Instant, outcome: Result<(), Box<dyn Any + Send>>) -> Option<String> {
    let took = began.elapsed().as_secs_f64();
    let Err(panic) = outcome else {
        println!("{took:>6.1} s  {name}");
        return None;
    };
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default();
    println!("{took:>6.1} s  FAILED: {name}: {text}");
    Some(format!("{name}: {text}"))
}
