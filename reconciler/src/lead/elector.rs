//! Taking, renewing and giving back the Lease.

use std::time::Duration;

use gitward_index::additions::NAMESPACE;
use gitward_index::trouble::{Told, says};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::sight::Sight;

/// How long a Lease holds without being renewed, in seconds.
pub(super) const LEASE: i32 = 15;

/// A leader that could not renew it for so long writes no more: before anybody else may take it.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long a write may still be under way after that.
pub(super) const LAST_WRITES: Duration = Duration::from_secs(3);

/// Between two renewals, and between two looks of those who stand by.
const RENEWAL: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_secs(1);

/// Longest time for one request.
const REQUEST: Duration = Duration::from_secs(4);

/// Whether this process leads, and until when for certain.
#[derive(Debug, Clone)]
pub struct Leadership(watch::Receiver<Option<Instant>>);

impl Leadership {
    #[cfg(test)]
    pub(super) fn of(until: watch::Receiver<Option<Instant>>) -> Self {
        Self(until)
    }

    /// Until when this process may write, if it may now.
    pub fn until(&self) -> Option<Instant> {
        self.0.borrow().filter(|until| Instant::now() < *until)
    }
}

/// One candidate for one environment's Lease.
pub(super) struct Elector {
    api: Api<Lease>,
    name: String,
    me: String,
    sight: Sight,
    until: watch::Sender<Option<Instant>>,
    /// The Lease's transitions at this process' election. With another number somebody else has led
    /// meanwhile, and what this one remembers is old.
    term: Option<i32>,
    told: Told,
}

/// What came of an attempt.
enum Attempt {
    Held,
    HeldBy(String),
    /// Somebody else was faster.
    Missed,
}

impl Elector {
    /// A candidate under a name that no other candidate has.
    pub(super) fn new(client: Client, environment: &str, me: &str) -> Self {
        Self {
            api: Api::namespaced(client, NAMESPACE),
            name: format!("gitward-reconciler-{environment}"),
            me: me.to_owned(),
            sight: Sight::default(),
            until: watch::channel(None).0,
            term: None,
            told: Told::default(),
        }
    }

    /// Tells whether this process leads.
    pub(super) fn leadership(&self) -> Leadership {
        Leadership(self.until.subscribe())
    }

    /// Stands by until this process leads.
    pub(super) async fn elected(&mut self) {
        loop {
            match self.attempt().await {
                Ok(Attempt::Held) => {
                    self.term = Some(self.sight.transitions());
                    self.told.is_over();
                    return tracing::info!(lease = self.name, me = self.me, "leads");
                }
                Ok(Attempt::HeldBy(holder)) => {
                    if self.told.is_news(&holder) {
                        tracing::info!(lease = self.name, holder, "another leads; standing by");
                    }
                }
                Ok(Attempt::Missed) => {}
                Err(error) => {
                    if self.told.is_news(&error) {
                        tracing::warn!(lease = self.name, "standing by, since the Lease cannot be had: {error}");
                    }
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Renews the Lease for as long as nobody else takes it. While it cannot be renewed nothing is
    /// written, and writing goes on when it can, unless somebody else has led by then.
    pub(super) async fn superseded(&mut self) {
        self.renewed_for_long().await;
        self.term = None;
        self.resign();
    }

    async fn renewed_for_long(&mut self) {
        loop {
            sleep(RENEWAL).await;
            match self.attempt().await {
                Ok(Attempt::Held) if !self.is_in_term() => {
                    return tracing::warn!(lease = self.name, "another has led meanwhile; all is begun anew");
                }
                Ok(Attempt::Held) => {
                    if self.told.is_over() {
                        tracing::info!(lease = self.name, "leads again");
                    }
                }
                Ok(Attempt::HeldBy(holder)) => {
                    self.told.is_over();
                    return tracing::warn!(lease = self.name, holder, "another leads by now; nothing more is written");
                }
                Ok(Attempt::Missed) => {}
                Err(error) => {
                    if !self.is_certain() && self.told.is_news(&error) {
                        tracing::warn!(
                            lease = self.name,
                            "the Lease cannot be renewed and nothing is written: {error}"
                        );
                    }
                }
            }
        }
    }

    /// From now on nothing is written.
    pub(super) fn resign(&self) {
        self.until.send_replace(None);
    }

    /// Gives the Lease back, so that another need not wait for its end. What fails is left to that.
    pub(super) async fn give_back(mut self) {
        self.resign();
        let given = timeout(REQUEST, async {
            let Some(mut lease) = self.look().await? else { return Ok(()) };
            if self.sight.holder() != Some(self.me.as_str()) {
                return Ok(());
            }
            let spec = LeaseSpec { holder_identity: None, lease_duration_seconds: Some(1), ..self.spec() };
            lease.spec = Some(spec);
            self.api.replace(&self.name, &PostParams::default(), &lease).await.map(drop)
        });
        match given.await {
            Ok(Ok(())) => tracing::info!(lease = self.name, "given back"),
            Ok(Err(error)) => tracing::warn!(lease = self.name, "the Lease is not given back: {}", says(&error)),
            Err(_) => tracing::warn!(lease = self.name, "the Lease is not given back: the API server does not answer"),
        }
    }

    async fn attempt(&mut self) -> Result<Attempt, String> {
        let began = Instant::now();
        let attempt = timeout(REQUEST, self.take_or_renew()).await;
        let attempt = attempt.map_err(|_| "the API server does not answer".to_owned())?.map_err(|e| says(&e))?;
        if matches!(attempt, Attempt::Held) && self.is_in_term() {
            // Others measure from when they see it, which is later.
            self.until.send_replace(Some(began + DEADLINE));
        }
        Ok(attempt)
    }

    async fn take_or_renew(&mut self) -> Result<Attempt, kube::Error> {
        let found = self.look().await?;
        if !self.sight.is_free_for(&self.me, Instant::now()) {
            return Ok(Attempt::HeldBy(self.sight.holder().unwrap_or_default().to_owned()));
        }
        let parameters = PostParams::default();
        let written = match found {
            Some(mut lease) => {
                // With the resource version that was seen: of two who try, one has it.
                lease.spec = Some(self.spec());
                self.api.replace(&self.name, &parameters, &lease).await
            }
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(self.spec()) };
                self.api.create(&parameters, &lease).await
            }
        };
        match written {
            Ok(lease) => {
                self.sight.see(lease.spec.as_ref(), Instant::now());
                Ok(Attempt::Held)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Missed),
            Err(error) => Err(error),
        }
    }

    async fn look(&mut self) -> Result<Option<Lease>, kube::Error> {
        let found = self.api.get_opt(&self.name).await?;
        self.sight.see(found.as_ref().and_then(|lease| lease.spec.as_ref()), Instant::now());
        Ok(found)
    }

    fn is_in_term(&self) -> bool {
        self.term.is_none_or(|term| term == self.sight.transitions())
    }

    /// Whether nobody else can lead by now.
    fn is_certain(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// The Lease as this process holds it.
    fn spec(&self) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let before = self.sight.last();
        // One that was deleted under its holder is written anew as it was.
        let is_mine = self.sight.holder() == Some(self.me.as_str()) || (before.is_none() && self.is_certain());
        let transitions = before.map_or(self.term.filter(|_| is_mine), |_| Some(self.sight.transitions()));
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: Some(LEASE),
            acquire_time: before.filter(|_| is_mine).and_then(|lease| lease.acquire_time.clone()).or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions.unwrap_or_default().saturating_add(i32::from(!is_mine))),
            ..LeaseSpec::default()
        }
    }
}
