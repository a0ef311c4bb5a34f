//! People who write again and again: what Git allows, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gitward_test_cluster::Cluster;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Those who write at a time, so that the API server has several connections to the webhook. More
/// than eight denials of one account are not looked at again at a time: most of mallory's come after
/// Git was asked, the others at once.
const WRITERS: [(&str, Write, usize); 3] =
    [("alice", Write::Count, 2), ("alice", Write::Declared, 1), ("mallory", Write::Close, 16)];

/// Everyone who writes.
pub(crate) const PEOPLE: [&str; 2] = ["alice", "mallory"];

/// Between two writes of one writer.
const PAUSE: Duration = Duration::from_millis(50);

/// What a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// A field that an exemption leaves to them.
    Count,
    /// What Git declares, as a dry run.
    Declared,
    /// What nobody declared.
    Close,
}

impl Write {
    fn is_allowed(self) -> bool {
        self != Write::Close
    }

    fn patch(self, number: usize) -> Value {
        match self {
            Write::Count => json!({"data": {"count": number.to_string()}}),
            Write::Declared => json!({"data": {"open": "yes"}}),
            Write::Close => json!({"data": {"open": "no"}}),
        }
    }
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Passed,
    /// The webhook said no.
    Denied,
    /// Somebody else did.
    Failed(String),
}

/// One write.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    is_allowed: bool,
    pub(crate) started: Instant,
    took: Duration,
    pub(crate) end: End,
}

/// The people, while they write.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Vec<Attempt>>>,
}

impl Load {
    pub(crate) async fn start(cluster: &Cluster) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for (name, write, count) in WRITERS {
            let kubeconfig = cluster.person_kubeconfig(name, &[]).unwrap();
            let client = cluster.client_for(kubeconfig).await.unwrap();
            let settings = Api::namespaced(client, "shop");
            writers.extend((0..count).map(|_| tokio::spawn(go_on(settings.clone(), write, stop.clone()))));
        }
        Self { stop, writers }
    }

    /// Lets them end, and tells how they fared.
    pub(crate) async fn end(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        let mut attempts = Vec::new();
        for writer in self.writers {
            attempts.extend(writer.await.unwrap());
        }
        Told(attempts)
    }
}

async fn go_on(settings: Api<ConfigMap>, write: Write, stop: Arc<AtomicBool>) -> Vec<Attempt> {
    let parameters = PatchParams { dry_run: write == Write::Declared, ..PatchParams::default() };
    let mut attempts = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let started = Instant::now();
        let end = match settings.patch("settings", &parameters, &Patch::Merge(write.patch(attempts.len()))).await {
            Ok(_) => End::Passed,
            Err(error) if error.to_string().contains("denied the request") => End::Denied,
            Err(error) => End::Failed(error.to_string()),
        };
        attempts.push(Attempt { is_allowed: write.is_allowed(), started, took: started.elapsed(), end });
        tokio::time::sleep(PAUSE).await;
    }
    attempts
}

/// Every write of a load.
pub(crate) struct Told(Vec<Attempt>);

impl Told {
    /// Writes that Git allows, and that did not pass.
    pub(crate) fn lost(&self) -> Vec<&Attempt> {
        self.0.iter().filter(|attempt| attempt.is_allowed && attempt.end != End::Passed).collect()
    }

    /// Writes that Git does not allow, and that passed.
    pub(crate) fn let_in(&self) -> usize {
        self.0.iter().filter(|attempt| !attempt.is_allowed && attempt.end == End::Passed).count()
    }

    /// Writes that Git does not allow, and that somebody else than the webhook refused.
    pub(crate) fn not_judged(&self) -> Vec<&Attempt> {
        self.0.iter().filter(|attempt| !attempt.is_allowed && matches!(attempt.end, End::Failed(_))).collect()
    }

    /// How many passed that Git allows.
    pub(crate) fn passed(&self) -> usize {
        self.0.iter().filter(|attempt| attempt.is_allowed && attempt.end == End::Passed).count()
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let denied = self.0.iter().filter(|attempt| attempt.end == End::Denied && !attempt.is_allowed).count();
        let passed = self.0.iter().filter(|attempt| attempt.end == End::Passed);
        let slowest = passed.map(|attempt| attempt.took).max().unwrap_or_default();
        format!(
            "{} passed, {} lost, {denied} denied, {} refused unjudged, {} let in; the slowest that passed took {} ms",
            self.passed(),
            self.lost().len(),
            self.not_judged().len(),
            self.let_in(),
            slowest.as_millis()
        )
    }
}
