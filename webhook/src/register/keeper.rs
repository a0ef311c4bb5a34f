//! Keeping the registration: applied once everything that judges is loaded, and put right at once
//! when anyone changes or deletes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use gitward_core::object::{Gvk, ObjectKey};
use gitward_core::snapshot::Snapshot;
use gitward_index::pauses::Pauses;
use gitward_index::registration::{DIGEST, digest, name};
use gitward_index::trouble::{Told, explain};
use gitward_index::{Discovery, Event, LiveIndex, next_about};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::api::PostParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config};
use kube::{Api, Client};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::commits::{Commits, Repair};
use super::configuration::{Address, COMMIT, Registration, configuration, converted};
use super::conversions::Conversions;
use crate::follow::{Looker, SnapshotStore};
use crate::metrics::Metrics;

/// Looked at again without a reason this often; also what the API server serves, which changes with
/// its own version and with the APIs of others.
const INTERVAL: Duration = Duration::from_secs(30);

/// After a change of a CustomResourceDefinition, what is served is looked at again so often and for
/// so long: the API server needs a moment to serve it.
const AFTER_DEFINITION: Duration = Duration::from_secs(10);
const REDISCOVERY: Duration = Duration::from_secs(1);

/// After a failure.
const RETRY: Duration = Duration::from_secs(1);

/// After a registration that came out otherwise than it was written.
const REWRITTEN: Duration = Duration::from_secs(3);

const REWRITES: &str = "something changes the registration as it is written: look for a MutatingAdmissionPolicy that matches \
                        validatingwebhookconfigurations";

/// Time for a look at Git before a registration is put right that a commit unknown here made.
const LOOK: Duration = Duration::from_secs(2);

/// So many repairs within a second, and the rest has to wait: two webhooks that disagree must not
/// wear the API server out.
const REPAIRS_A_SECOND: u32 = 20;

/// What the keeper works with.
pub struct Keeper {
    /// Client of the webhook's account.
    pub client: Client,
    /// Tells of changed CustomResourceDefinitions.
    pub index: LiveIndex,
    /// Served kinds.
    pub discovery: Discovery,
    /// Told what the registration has converted.
    pub conversions: Arc<Conversions>,
    /// What Git says.
    pub snapshots: Arc<SnapshotStore>,
    /// Asks Git whether there is more.
    pub looker: Looker,
    /// CA certificates to trust the webhook by.
    pub bundle: watch::Receiver<String>,
    /// Where the webhook is reached.
    pub address: Address,
    /// Account that learns.
    pub learner: String,
    /// Counts repairs.
    pub metrics: Arc<Metrics>,
}

/// Keeps the registration of an environment until `shutdown`. It stays when the webhook ends:
/// what governs fails closed.
pub async fn keep(mut keeper: Keeper, environment: String, shutdown: CancellationToken) {
    let config = Config::default().fields(&format!("metadata.name={}", name(&environment)));
    let api: Api<ValidatingWebhookConfiguration> = Api::all(keeper.client.clone());
    let mut events = watcher::watcher(api.clone(), config).backoff(Pauses::default()).boxed();
    let mut swaps = keeper.snapshots.subscribe();
    let mut definitions = keeper.index.subscribe();
    let mut changed_until = Instant::now();
    let mut stale = true;
    let mut applied = None;
    let mut repairs = Repairs::default();
    let told = Told::default();
    loop {
        if std::mem::take(&mut stale)
            && let Err(error) = keeper.discovery.refresh().await
        {
            tell("what the API server serves cannot be read, the last that was known stays", &error, &keeper, &told);
        }
        let pause = match keeper.put_right(&api, &mut applied, &mut repairs).await {
            Ok(pause) => {
                keeper.index.trouble().over();
                told.is_over();
                pause.unwrap_or(if Instant::now() < changed_until { REDISCOVERY } else { INTERVAL })
            }
            // Another replica was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => Duration::ZERO,
            Err(error) => {
                tell("the registration cannot be put right", &error, &keeper, &told);
                RETRY
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            Some(_) = events.next() => {}
            Ok(()) = swaps.changed() => {}
            Ok(()) = keeper.bundle.changed() => {}
            () = definition_changed(&mut definitions) => {
                changed_until = Instant::now() + AFTER_DEFINITION;
                stale = true;
            }
            () = tokio::time::sleep(pause) => stale = true,
        }
    }
}

/// Tells once what is tried again every second.
fn tell(what: &str, error: &kube::Error, keeper: &Keeper, told: &Told) {
    let line = format!("{what}: {}", explain(error));
    if !keeper.index.trouble().tell(error) && told.is_news(&line) {
        tracing::error!("{line}");
    }
}

/// Waits until some CustomResourceDefinition changed.
async fn definition_changed(events: &mut broadcast::Receiver<Event>) {
    if !next_about(events, |key| key.kind == "CustomResourceDefinition").await {
        std::future::pending().await
    }
}

/// The kinds that a snapshot declares, in the versions in which it does.
fn declared_kinds(snapshot: &Snapshot) -> BTreeSet<Gvk> {
    let mut kinds = BTreeSet::new();
    for declared in snapshot.declared.values() {
        if !kinds.contains(declared.gvk()) {
            kinds.insert(declared.gvk().clone());
        }
    }
    kinds
}

/// What is remembered of repairs.
#[derive(Default)]
struct Repairs {
    budget: Budget,
    commits: Commits,
    /// Whether it was told that what is written comes out otherwise.
    rewritten: Told,
}

impl Keeper {
    /// Puts the registration right. How long to wait before the next look, if it is not settled.
    async fn put_right(
        &mut self,
        api: &Api<ValidatingWebhookConfiguration>,
        applied: &mut Option<ValidatingWebhookConfiguration>,
        repairs: &mut Repairs,
    ) -> Result<Option<Duration>, kube::Error> {
        let Some(snapshot) = self.snapshots.load() else { return Ok(None) };
        let commit = &snapshot.commit.id;
        repairs.commits.in_force(commit);
        let registration = Registration {
            address: self.address.clone(),
            ca_bundle: self.bundle.borrow().clone(),
            learner: self.learner.clone(),
        };
        let shared: BTreeSet<ObjectKey> = snapshot.shared().map(|d| d.manifest.key.clone()).collect();
        for (group, kind) in shared.iter().map(|k| (&k.group, &k.kind)).collect::<BTreeSet<_>>() {
            self.discovery.resolve(group, kind).await?;
        }
        for kind in &snapshot.environment.cluster_kinds {
            let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
            self.discovery.resolve(group, kind).await?;
        }
        let served = self.discovery.table();
        let converted = converted(&declared_kinds(&snapshot), &served);
        let breaks_glass = !snapshot.configuration.break_glass.is_empty();
        let (mut wanted, unknown) =
            configuration(&snapshot.environment, &shared, &converted, &registration, &served, breaks_glass);
        if !unknown.is_empty() {
            tracing::debug!(?unknown, "kinds that the API server does not serve are not registered yet");
        }
        let name = wanted.metadata.name.clone().unwrap_or_default();
        let found = api.get_opt(&name).await?;
        if found.as_ref().is_some_and(|found| is_as_wanted(found, &wanted)) {
            *applied = Some(wanted);
            self.conversions.registered(&converted);
            return Ok(None);
        }
        let maker = found.as_ref().and_then(|f| f.metadata.annotations.as_ref()?.get(COMMIT));
        match repairs.commits.repair(maker.map(String::as_str), Instant::now()) {
            Repair::Now => {}
            Repair::AfterALook => {
                self.looker.look(Instant::now() + LOOK).await;
                return Ok(Some(Duration::ZERO));
            }
            Repair::In(pause) => return Ok(Some(pause)),
        }
        let by_others = applied.as_ref() == Some(&wanted);
        if by_others {
            self.conversions.unsettled();
            repairs.budget.spend().await;
            self.metrics.repairs.inc();
            let how = if found.is_some() { "changed" } else { "deleted" };
            tracing::error!(name, how, "others touched the registration; putting it right");
        }
        let unversioned = wanted.clone();
        wanted.metadata.annotations =
            Some(BTreeMap::from([(COMMIT.to_owned(), commit.clone()), (DIGEST.to_owned(), digest_of(&wanted))]));
        let stored = match found {
            None => api.create(&PostParams::default(), &wanted).await?,
            Some(found) => {
                wanted.metadata.resource_version = found.metadata.resource_version;
                api.replace(&name, &PostParams::default(), &wanted).await?
            }
        };
        if !is_as_wanted(&stored, &unversioned) {
            *applied = None;
            if repairs.rewritten.is_news(REWRITES) {
                tracing::error!(name, "{REWRITES}");
            }
            return Ok(Some(REWRITTEN));
        }
        repairs.rewritten.is_over();
        if !by_others {
            tracing::info!(name, "registered with the API server");
        }
        *applied = Some(unversioned);
        self.conversions.registered(&converted);
        Ok(None)
    }
}

/// Everything that decides what the API server asks about.
fn is_as_wanted(found: &ValidatingWebhookConfiguration, wanted: &ValidatingWebhookConfiguration) -> bool {
    let normal = |o: &ValidatingWebhookConfiguration| o.webhooks.clone().filter(|w| !w.is_empty());
    // An owner that is gone would have it collected, a finalizer would keep a deleted one half there.
    let metadata = &found.metadata;
    metadata.labels == wanted.metadata.labels
        && metadata.deletion_timestamp.is_none()
        && metadata.owner_references.as_ref().is_none_or(Vec::is_empty)
        && metadata.finalizers.as_ref().is_none_or(Vec::is_empty)
        && normal(found) == normal(wanted)
        && metadata.annotations.as_ref().and_then(|a| a.get(DIGEST)) == Some(&digest_of(wanted))
}

fn digest_of(configuration: &ValidatingWebhookConfiguration) -> String {
    digest(&serde_json::to_value(&configuration.webhooks).unwrap_or_default())
}

struct Budget {
    left: u32,
    since: tokio::time::Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: REPAIRS_A_SECOND, since: tokio::time::Instant::now() }
    }
}

impl Budget {
    async fn spend(&mut self) {
        let second = Duration::from_secs(1);
        if self.left == 0 {
            tokio::time::sleep(second.saturating_sub(self.since.elapsed())).await;
        }
        if self.since.elapsed() >= second {
            *self = Self::default();
        }
        self.left = self.left.saturating_sub(1);
    }
}
