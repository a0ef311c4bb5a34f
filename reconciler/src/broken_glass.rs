//! Break-glass at runtime: while a glass is broken, what it reaches is told and left; when it ends,
//! everything is looked at again and undone.

use std::sync::Arc;
use std::time::Duration;

use gitward_core::break_glass::{self, Broken};
use gitward_core::object::ObjectKey;
use gitward_index::next_about;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::fight::Memory;
use crate::guard::Poke;
use crate::report::Reason;
use crate::state::State;
use crate::status::Status;

/// Condition of the Environment that says whether a glass is broken.
const CONDITION: &str = "BreakGlass";

/// How often the broken glasses are counted again, whatever the watches said: Git may have taken a
/// declaration away.
const INTERVAL: Duration = Duration::from_secs(30);

/// Tells once that an object is left as it is until the glass is whole again.
pub(crate) fn tell_left(
    state: &State,
    (key, api_version, uid): (&ObjectKey, &str, &str),
    what: &str,
    glass: &Broken,
    memory: &Memory,
) {
    if memory.is_news(key, format!("{uid} {} {what}", glass.uid)) {
        let message = format!("{key} {what}; {}", because(glass));
        state.reporter.about(key, api_version, uid, Reason::BreakGlass, message);
    }
}

fn because(glass: &Broken) -> String {
    let Broken { name, declaration, place, account, reason, until, .. } = glass;
    format!("{account} broke the glass {name} ({declaration} at {place}: {reason}), so it is left until {until}")
}

/// Announces every glass that is broken and every one that is whole again, and has everything
/// looked at when one is.
pub(crate) async fn watch(state: Arc<State>, status: Arc<Status>, poke: Poke) {
    let mut events = state.index.subscribe();
    let mut before: Option<Vec<Broken>> = None;
    loop {
        let now = state.held().map(|held| break_glass::broken(&state.context(&held))).unwrap_or_default();
        if before.as_ref() != Some(&now) {
            announce(&state, before.as_deref().unwrap_or_default(), &now);
            if before.is_some() || !now.is_empty() {
                say(&status, &now).await;
                poke.everything();
            }
            before = Some(now);
        }
        let next = before.iter().flatten().map(|glass| left(glass.until)).min().unwrap_or(INTERVAL);
        let event = timeout(next.min(INTERVAL), next_about(&mut events, break_glass::is_about)).await;
        if event == Ok(false) {
            return;
        }
    }
}

/// Time until then, and a moment more.
fn left(until: Timestamp) -> Duration {
    let left = until.duration_since(Timestamp::now());
    Duration::try_from(left).unwrap_or_default() + Duration::from_millis(10)
}

fn announce(state: &State, before: &[Broken], now: &[Broken]) {
    let without = |list: &[Broken], other: &[Broken]| -> Vec<Broken> {
        list.iter().filter(|g| other.iter().all(|o| o.uid != g.uid)).cloned().collect()
    };
    for glass in without(now, before) {
        state.reporter.about_environment(Reason::BreakGlass, because(&glass));
    }
    for glass in without(before, now) {
        let message = format!(
            "the glass {} that {} broke is whole again: what Git does not say is undone",
            glass.name, glass.account
        );
        state.reporter.about_environment(Reason::BreakGlass, message);
    }
}

async fn say(status: &Status, now: &[Broken]) {
    if now.is_empty() {
        status.set_condition(CONDITION, "False", "Whole", "no glass is broken").await;
        return;
    }
    let all: Vec<String> = now.iter().map(because).collect();
    status.set_condition(CONDITION, "True", "Broken", &all.join("; ")).await;
}
