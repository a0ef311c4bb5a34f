//! Asking the engine about one object, with what its rules ask read live.

use std::collections::BTreeSet;
use std::time::Duration;

use gitward_core::derived::Context;
use gitward_core::lookup::{Lookup, Question, Recording};
use gitward_index::{FreshReads, read_live};
use jiff::Timestamp;

use crate::Sight;

/// Time for the reads of one round.
const BUDGET: Duration = Duration::from_secs(10);

/// An answer may lead to further questions: an owner's owner, and so on.
const ROUNDS: usize = 6;

/// What the engine says, and what it could not be told.
pub(crate) struct Looked<T> {
    pub(crate) answer: T,
    /// Why some of what it asked is not known; empty if all is.
    pub(crate) unread: Vec<String>,
}

impl Sight {
    /// Asks the engine with what `beneath` knows alone; also what was asked.
    pub(crate) fn judge<T>(&self, beneath: &dyn Lookup, ask: &dyn Fn(&Context<'_>) -> T) -> (T, BTreeSet<Question>) {
        let (recording, snapshot) = (Recording::new(beneath), self.past.snapshot());
        let answer = ask(&Context { snapshot: &snapshot, live: &recording, now: Timestamp::now() });
        (answer, recording.into_questions())
    }

    /// Asks the engine again and again until all that it asks was read live.
    pub(crate) async fn judge_afresh<T>(&self, beneath: &dyn Lookup, ask: &dyn Fn(&Context<'_>) -> T) -> Looked<T> {
        let mut asked = BTreeSet::new();
        let mut fresh = FreshReads::default();
        let mut rounds = 0;
        loop {
            let (answer, questions) = self.judge(&fresh.over(beneath), ask);
            let is_done = questions.is_subset(&asked);
            if is_done || rounds == ROUNDS {
                return Looked { answer, unread: unread(&fresh, &questions, is_done) };
            }
            asked.extend(questions);
            fresh = read_live(&self.client, &self.discovery, &asked, BUDGET).await;
            rounds += 1;
        }
    }
}

/// Why some of the questions that the last answer rests on are not answered.
fn unread(fresh: &FreshReads, questions: &BTreeSet<Question>, is_done: bool) -> Vec<String> {
    let failed = fresh.failed.iter().filter(|(question, _)| questions.contains(question));
    let mut why: BTreeSet<String> = failed.map(|(_, why)| why.clone()).collect();
    if !is_done || fresh.unanswered > fresh.failed.len() {
        why.insert("more was asked of the cluster than is read for one object".to_owned());
    }
    why.into_iter().collect()
}
