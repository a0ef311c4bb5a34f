//! What Git declared before this process began: controllers go on with what they made of templates that
//! nobody here remembers.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::{Declared, Expected, Snapshot};
use gitward_repo::Source;
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc, oneshot};

/// The side that asks for earlier contents.
#[derive(Debug)]
pub(super) struct Past {
    /// Where they are found; `None` until it is known.
    pub(super) source: ArcSwapOption<Source>,
    /// From when on this process remembers itself.
    began: Timestamp,
    looked_for: Mutex<HashSet<ObjectKey>>,
    found: mpsc::Sender<Found>,
}

/// Earlier contents of an object, to be put in force with the commit that they were looked for by.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) commit: String,
    pub(super) owner: ObjectKey,
    pub(super) earlier: Vec<Expected>,
    pub(super) until: Timestamp,
    /// Told when it is done.
    pub(super) done: oneshot::Sender<bool>,
}

impl Past {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Found>) {
        let (found, finds) = mpsc::channel(1);
        let looked_for = Mutex::default();
        (Arc::new(Self { source: ArcSwapOption::empty(), began: Timestamp::now(), looked_for, found }), finds)
    }

    /// Looks for earlier contents of a declared object, once for each. Whether there may be more now than
    /// `snapshot` knows.
    pub(super) async fn recall(&self, snapshot: &Snapshot, owner: &ObjectKey) -> bool {
        let Some(declared) = snapshot.declared(owner) else { return false };
        // Whoever asks for the same one meanwhile waits for what is found.
        let mut looked_for = self.looked_for.lock().await;
        if looked_for.contains(owner) {
            return true;
        }
        let Some(earlier) = self.expected_before(snapshot, declared).await else { return false };
        tracing::info!(%owner, found = earlier.len(), "what Git declared before was looked for");
        let (done, is_done) = oneshot::channel();
        let (commit, owner) = (snapshot.commit.id.clone(), owner.clone());
        let found = Found { commit, owner: owner.clone(), earlier, until: self.began, done };
        let taken = self.found.send(found).await.is_ok() && is_done.await.unwrap_or(false);
        if taken {
            looked_for.insert(owner);
        }
        taken
    }

    /// What the API server made of them, as far as that follows from what it makes of the present one;
    /// `None` if Git could not be read, or it is not known what it makes of the present one.
    async fn expected_before(&self, snapshot: &Snapshot, declared: &Declared) -> Option<Vec<Expected>> {
        let source = self.source.load_full().filter(|_| declared.learnt.is_some())?;
        let (commit, now) = (snapshot.commit.id.clone(), declared.clone());
        let before = tokio::task::spawn_blocking(move || source.before(&commit, &now)).await;
        declared.expected_before(&before.ok()?.ok()?)
    }
}
