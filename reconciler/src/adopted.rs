//! Since when everything is governed is written down in the Environment's status, so that a reconciler that
//! starts anew does not take what came since for what was there before.

use gitward_core::adoption::Adoption;
use gitward_index::environment::{EnvironmentStatus, adopted};
use jiff::Timestamp;
use serde_json::json;

use crate::state::State;
use crate::status::Status;

/// What is written down of it.
pub(crate) struct Noted {
    first: Option<Timestamp>,
    written: Option<Adoption>,
}

impl Noted {
    /// Goes on from what the status says.
    pub(crate) async fn begin(state: &State, status: &Status, before: &EnvironmentStatus) -> Self {
        state.set_adoption(before.adoption());
        let first = first(before);
        if let Some(at) = first {
            status.set([("adoptedAt", json!(at.to_string()))]).await;
        }
        Self { first, written: None }
    }

    /// Writes it down, where it is another than was written.
    pub(crate) async fn note(&mut self, state: &State, status: &Status) {
        let adoption = state.adoption();
        if self.written.as_ref() == Some(&adoption) {
            return;
        }
        if self.first.is_none() {
            self.first = adoption.entries().map(|(_, at)| at).min();
        }
        let first = self.first.map(|at| at.to_string());
        status.set([("adoptedAt", json!(first)), ("adopted", json!(adopted(&adoption)))]).await;
        self.written = Some(adoption);
    }
}

/// When anything was first taken over, as the status says. A time that is still to come is none of one who
/// governed before.
fn first(status: &EnvironmentStatus) -> Option<Timestamp> {
    let said: Timestamp = status.adopted_at.as_deref()?.parse().ok()?;
    Some(said.min(Timestamp::now()))
}
