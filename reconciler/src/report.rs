//! Telling people: Events on the objects, the Environment's status, the log.

use std::sync::Arc;

use gitward_core::object::ObjectKey;
use gitward_core::report::harmless;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::PostParams;
use kube::{Api, Client};
use prometheus_client::encoding::EncodeLabelValue;
use tokio::sync::mpsc;

use crate::metrics::Metrics;
use crate::status;

/// Where Events live that are about objects without a namespace: the API server takes them nowhere
/// else.
const ELSEWHERE: &str = "default";

/// Events waiting to be written; more are counted and dropped, the log has them all.
const WAITING: usize = 1024;

/// Why an Event is written, as its `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Reason {
    /// A live object is not what Git says.
    Diverged,
    /// It was brought back.
    Reverted,
    /// It is left alone, though Git does not say it.
    LeftAlone,
    /// A commit was brought to the cluster.
    Converged,
    /// A commit was refused as a whole before its first write.
    Refused,
    /// Something of a commit could not be written.
    Failed,
    /// Git stopped declaring an object and it was removed.
    Pruned,
    /// A mutator that Git does not know is in force.
    UnknownMutator,
    /// Another party writes against Git again and again.
    Fight,
    /// The ref was rewound and is not followed.
    Rewound,
    /// An exemption or a delegation that Git declares holds no more.
    Expired,
    /// A delegation allows more than what was seen.
    Broader,
    /// Somebody broke a glass that Git declares, or it is whole again.
    BreakGlass,
}

impl Reason {
    fn is_warning(self) -> bool {
        !matches!(self, Self::Reverted | Self::Converged | Self::Pruned)
    }
}

struct Note {
    about: ObjectReference,
    namespace: String,
    reason: Reason,
    message: String,
}

/// Writes Events in the background: no revert waits for a message about it.
#[derive(Clone)]
pub struct Reporter {
    environment: String,
    notes: mpsc::Sender<Note>,
    /// Counts what is told.
    pub metrics: Arc<Metrics>,
}

impl Reporter {
    /// Starts the task that writes. Must be called within a tokio runtime.
    pub fn start(client: Client, environment: &str, metrics: Arc<Metrics>) -> Self {
        let (notes, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(client, waiting));
        Self { environment: environment.to_owned(), notes, metrics }
    }

    /// Tells something about an object. `message` never holds a Secret's value.
    pub fn about(&self, key: &ObjectKey, api_version: &str, uid: &str, reason: Reason, message: String) {
        // What Git and other people's objects say reaches terminals by way of Events and the log.
        let message = harmless(&message).into_owned();
        log(key, reason, &message);
        self.metrics.told(reason);
        let namespace = if key.namespace.is_empty() { ELSEWHERE } else { &key.namespace };
        let about = ObjectReference {
            api_version: Some(api_version.to_owned()),
            kind: Some(key.kind.clone()),
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()).filter(|n| !n.is_empty()),
            uid: Some(uid.to_owned()).filter(|u| !u.is_empty()),
            ..ObjectReference::default()
        };
        self.note(Note { about, namespace: namespace.to_owned(), reason, message });
    }

    /// Tells something about the environment as a whole.
    pub fn about_environment(&self, reason: Reason, message: String) {
        let (gvk, key) = status::environment(&self.environment);
        self.about(&key, &gvk.api_version(), "", reason, message);
    }

    fn note(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            tracing::warn!("too many events wait to be written; one was dropped");
        }
    }
}

fn log(key: &ObjectKey, reason: Reason, message: &str) {
    if reason.is_warning() {
        tracing::warn!(object = %key, ?reason, "{message}");
    } else {
        tracing::info!(object = %key, ?reason, "{message}");
    }
}

async fn write(client: Client, mut waiting: mpsc::Receiver<Note>) {
    while let Some(note) = waiting.recv().await {
        let api: Api<Event> = Api::namespaced(client.clone(), &note.namespace);
        let mut created = api.create(&PostParams::default(), &event(&note, &note.namespace)).await;
        if created.is_err() && note.namespace != ELSEWHERE {
            // The object's namespace may be gone, or not there yet.
            let api: Api<Event> = Api::namespaced(client.clone(), ELSEWHERE);
            created = api.create(&PostParams::default(), &event(&note, ELSEWHERE)).await;
        }
        if let Err(error) = created {
            tracing::warn!(%error, "an event could not be written");
        }
    }
}

fn event(note: &Note, namespace: &str) -> Event {
    let now = Timestamp::now();
    let mut about = note.about.clone();
    if about.namespace.as_deref() != Some(namespace) {
        // An Event lives in the namespace of the object it is about; elsewhere it names none.
        about.namespace = None;
    }
    Event {
        metadata: ObjectMeta {
            generate_name: Some("gitward-".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: about,
        reason: Some(format!("{:?}", note.reason)),
        message: Some(note.message.chars().take(1000).collect()),
        type_: Some(if note.reason.is_warning() { "Warning" } else { "Normal" }.to_owned()),
        source: Some(EventSource { component: Some("gitward".to_owned()), host: None }),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        reporting_component: Some("gitward".to_owned()),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(namespace: &str) -> Note {
        let about = ObjectReference {
            name: Some("a".to_owned()),
            namespace: Some(namespace.to_owned()).filter(|n| !n.is_empty()),
            ..ObjectReference::default()
        };
        let message = "m".repeat(5000);
        Note { about, namespace: namespace.to_owned(), reason: Reason::Diverged, message }
    }

    #[test]
    fn an_event_names_the_namespace_that_it_lives_in_or_none() {
        let at_home = event(&note("shop"), "shop");
        assert_eq!(at_home.involved_object.namespace.as_deref(), Some("shop"));
        assert_eq!(event(&note("shop"), ELSEWHERE).involved_object.namespace, None);
        assert_eq!(event(&note(""), ELSEWHERE).involved_object.namespace, None);
        assert_eq!(at_home.message.map(|m| m.len()), Some(1000));
        assert_eq!(at_home.type_.as_deref(), Some("Warning"));
    }
}
