//! Judging by what the API server says now: the index may lag behind.

use std::time::Duration;

use gitward_core::derived::Context;
use gitward_core::lookup::Recording;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Snapshot;
use gitward_core::trace::{Judged, judge_live};
use gitward_index::{apart, read_live};
use jiff::Timestamp;
use serde_json::Value;

use crate::state::State;

/// Time for the live reads behind one comparison.
const READ_BUDGET: Duration = Duration::from_secs(2);

pub(super) async fn judge_afresh(state: &State, held: &Snapshot, key: &ObjectKey, live: &Value) -> Judged {
    let questions = {
        let recording = Recording::new(&state.index);
        let context = Context { snapshot: held, live: &recording, now: Timestamp::now() };
        let judged = apart::judging(held, || judge_live(key, live, &context));
        let questions = recording.into_questions();
        if questions.is_empty() || !matches!(judged, Judged::Diverged(_) | Judged::Undeclared(_)) {
            return judged;
        }
        questions
    };
    let fresh = read_live(state.api.client(), state.index.discovery(), &questions, READ_BUDGET).await;
    let overlay = fresh.over(&state.index);
    let context = Context { snapshot: held, live: &overlay, now: Timestamp::now() };
    apart::judging(held, || judge_live(key, live, &context))
}
