//! Asking for a fetch of Git: many may ask, one is made, all get its answer. And asking for its history.

use std::sync::Arc;

use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Snapshot;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::past::{Found, Past};

/// The asking side. Requests are numbered; a fetch answers all that were made before it began.
#[derive(Debug, Clone)]
pub struct Looker {
    wanted: watch::Sender<u64>,
    done: watch::Receiver<Done>,
    pub(super) past: Arc<Past>,
}

/// How far fetches have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// The last request that is answered.
    pub(super) upto: u64,
    /// Whether Git was reached.
    pub(super) reached: bool,
}

/// The answering side.
#[derive(Debug)]
pub(super) struct Looks {
    pub(super) wanted: watch::Receiver<u64>,
    pub(super) done: watch::Sender<Done>,
    pub(super) found: mpsc::Receiver<Found>,
}

impl Looker {
    pub(super) fn new() -> (Self, Looks) {
        let (wanted, wanted_by) = watch::channel(0);
        let (done, done_by) = watch::channel(Done::default());
        let (past, found) = Past::new();
        (Self { wanted, done: done_by, past }, Looks { wanted: wanted_by, done, found })
    }

    /// Asks for a fetch and does not wait for it.
    pub fn notify(&self) {
        self.wanted.send_modify(|n| *n += 1);
    }

    /// Asks for a fetch and waits until one that began later has ended, with its commit in force.
    /// Returns whether Git was reached before `deadline`.
    pub async fn look(&self, deadline: Instant) -> bool {
        let mut number = 0;
        self.wanted.send_modify(|n| {
            *n += 1;
            number = *n;
        });
        let mut done = self.done.clone();
        let answered = done.wait_for(|d| d.upto >= number);
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(Ok(done)) => done.reached,
            _ => false,
        }
    }

    /// Looks for earlier contents of a declared object in Git's history, once for each object. Whether there
    /// may be more in force before `deadline` than `snapshot` knows.
    pub async fn recall(&self, snapshot: &Arc<Snapshot>, owner: ObjectKey, deadline: Instant) -> bool {
        let (past, snapshot) = (self.past.clone(), snapshot.clone());
        // Who asked may not be able to wait; whoever asks next finds it.
        let recalled = tokio::spawn(async move { past.recall(&snapshot, &owner).await });
        matches!(tokio::time::timeout_at(deadline, recalled).await, Ok(Ok(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn one_fetch_answers_all_who_asked_before_it() {
        let (looker, looks) = Looker::new();
        let deadline = Instant::now() + Duration::from_secs(5);
        let asking: Vec<_> = (0..3)
            .map(|_| {
                let looker = looker.clone();
                tokio::spawn(async move { looker.look(deadline).await })
            })
            .collect();
        let mut wanted = looks.wanted.clone();
        wanted.wait_for(|n| *n == 3).await.unwrap();
        looks.done.send_replace(Done { upto: 3, reached: true });
        for one in asking {
            assert!(one.await.unwrap());
        }
    }

    #[tokio::test]
    async fn nobody_waits_past_the_deadline() {
        let (looker, _looks) = Looker::new();
        assert!(!looker.look(Instant::now() + Duration::from_millis(20)).await);
    }
}
