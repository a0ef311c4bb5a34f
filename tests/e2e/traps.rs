//! The traps of the expected object: what the API server, its plugins, its controllers and others
//! put into declared objects. Each is told twice: what is meant to be there stays in peace, and the
//! attack that looks like it stands out.

mod changes;
mod classes;
mod commits;
mod files;
mod injector;
mod jobs;
mod mutator;
mod mutators;
mod objects;
mod places;
mod pruning;
mod sight;

use std::time::{Duration, Instant};

use gitward_test_cluster::{Options, Output, Result, Stage};
use kube::Client;
use serde_json::Value;

use crate::edits::{Editor, MALLORY};
use crate::fleet::gitward;
use crate::{edits, picture};

/// How long anything may take before a story gives it up.
const GIVE_UP: Duration = Duration::from_secs(40);

/// How long a story watches that nothing happens.
const QUIET: Duration = Duration::from_secs(3);

/// A stage with a repository of its own, for traps.
struct Traps {
    stage: Stage,
    client: Client,
}

impl Traps {
    /// Converges a repository of these manifests; the webhook and the reconciler run.
    async fn set(files: &[(&str, &str)]) -> Self {
        Self::set_with(edits::options(), files).await
    }

    /// The same on a control plane of these options.
    async fn set_with(options: Options, files: &[(&str, &str)]) -> Self {
        let mut stage = Stage::set(gitward(), options).await.unwrap();
        stage.install_hooks().unwrap();
        edits::empower(&stage).await.unwrap();
        stage.work.write("gitward.yaml", include_str!("fixtures/traps/gitward.yaml")).unwrap();
        stage.work.write("prod/base.yaml", include_str!("fixtures/traps/base.yaml")).unwrap();
        for (file, text) in files {
            stage.work.write(file, text).unwrap();
        }
        stage.open("Traps", GIVE_UP).await.unwrap();
        let client = stage.cluster.client().await.unwrap();
        Self { stage, client }
    }

    /// Commits, pushes through the gate and waits for convergence; its message.
    async fn push(&self, message: &str) -> String {
        let commit = self.push_only(message);
        self.stage.wait_converged(&commit, GIVE_UP).await.unwrap()
    }

    /// Commits and pushes through the gate.
    fn push_only(&self, message: &str) -> String {
        let (commit, pushed) = self.stage.push(message).unwrap();
        assert!(pushed.success(), "{}", pushed.stderr);
        commit
    }

    /// Replaces a text in a file of the repository.
    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.stage.work.read(file).unwrap();
        assert!(text.contains(from), "{from} is not in {file}");
        self.stage.work.write(file, text.replacen(from, to, 1)).unwrap();
    }

    /// Takes the admission gate away.
    async fn without_webhook(&mut self) {
        self.stage.remove_webhook().await.unwrap();
    }

    /// Runs `kubectl` as a person.
    async fn kubectl_as(&self, person: &str, line: &str, input: &str) -> Output {
        Editor::new(&self.stage, person).unwrap().kubectl(line, input).await.unwrap()
    }

    /// Runs `kubectl` as the attacker, who has to be let through.
    async fn attack(&self, line: &str, input: &str) {
        self.kubectl_as(MALLORY, line, input).await.checked().unwrap();
    }

    /// Runs `kubectl` as the attacker, whom gitward denies it; what it said.
    async fn denied(&self, line: &str, input: &str) -> String {
        let output = self.kubectl_as(MALLORY, line, input).await;
        assert!(!output.success(), "{line} is let through: {}", output.stdout);
        assert!(output.stderr.contains("denied the request"), "{line}: {}", output.stderr);
        output.stderr
    }

    /// Everything that was learnt, as it is published.
    async fn published(&self) -> String {
        let maps = ["get", "configmaps", "-n", "gitward-system", "-o", "jsonpath={.items[*].data}"];
        self.stage.cluster.kubectl(&maps).await.unwrap().checked().unwrap()
    }

    async fn get(&self, object: &str) -> Value {
        picture::get(&self.client, object).await.unwrap()
    }

    /// Waits until an object is as it should be; the object.
    async fn until(&self, object: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let mut last = Value::Null;
        let found = self.stage.wait_for(what, GIVE_UP, async || {
            last = picture::get(&self.client, object).await?;
            Ok(holds(&last).then(|| last.clone()))
        });
        let found = found.await;
        let found = found.unwrap_or_else(|error| panic!("{object}: {error}"));
        println!("{:>6} ms  {what}", started.elapsed().as_millis());
        found
    }

    /// Waits for an Event of gitward's about an object; its message.
    async fn told(&self, reason: &str, name: &str) -> String {
        let tell = async || -> Result<Option<String>> {
            let events = picture::list(&self.client, "", "v1", "Event").await?;
            let mut about = events.iter().filter(|e| e["source"]["component"] == "gitward");
            let event = about.find(|e| e["reason"] == reason && e["involvedObject"]["name"] == name);
            Ok(event.and_then(|e| e["message"].as_str()).map(str::to_owned))
        };
        self.stage.wait_for(&format!("an Event {reason} about {name}"), GIVE_UP, tell).await.unwrap()
    }

    /// What the reconciler has told of divergences so far, a line each.
    fn divergences(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told = ["reason=Diverged", "reason=Reverted", "reason=Fight", "could not be brought back"];
        log.lines().filter(|l| told.iter().any(|t| l.contains(t))).map(str::to_owned).collect()
    }

    /// Nothing was taken for a divergence so far, and nothing writes to these objects for a while.
    async fn in_peace(&self, objects: &[&str]) {
        self.in_peace_since(0, objects).await;
    }

    /// The same, after so many divergences that were told before.
    async fn in_peace_since(&self, divergences: usize, objects: &[&str]) {
        let versions = async || {
            let mut versions = Vec::new();
            for object in objects {
                let live = self.get(object).await;
                versions.push(format!("{object} {}", live["metadata"]["resourceVersion"]));
            }
            versions
        };
        let before = versions().await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(before, versions().await, "something goes on writing");
        assert_eq!(self.divergences().split_off(divergences), Vec::<String>::new());
        self.stage.wait_condition("Converged", "True", GIVE_UP).await.unwrap();
    }
}
