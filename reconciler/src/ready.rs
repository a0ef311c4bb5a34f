//! The condition `Ready`: whether what the ref's newest commit declares is what runs. One task writes
//! it, so that waiting for one commit's workloads never writes over what became of the next commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::health::not_ready;
use crate::state::State;
use crate::status::Status;

const CONDITION: &str = "Ready";

/// How long workloads may take to get ready before that is told.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(300);

/// How often it is looked at them until then, and afterwards.
const LOOK: Duration = Duration::from_millis(250);
const LOOK_LATER: Duration = Duration::from_secs(5);

/// How a commit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is on its way; what runs is another's, or nobody's yet.
    Coming(String),
    /// It does not run, or not as it says: one word why, and a sentence.
    Short(&'static str, String),
    /// The cluster was brought to the commit of this id: its workloads say the rest.
    Applied(String),
}

/// Says how the commits stand.
pub(crate) struct Ready {
    /// The newest commit of the ref, where it cannot even be tried.
    refused: Option<Standing>,
    /// The newest commit that could be tried.
    current: Option<Standing>,
    said: watch::Sender<Option<Standing>>,
}

impl Ready {
    /// Starts the task that writes. Must be called within a tokio runtime; it ends with the value.
    pub(crate) fn start(state: Arc<State>, status: Arc<Status>) -> Self {
        let (said, heard) = watch::channel(None);
        tokio::spawn(keep(state, status, heard));
        Self { refused: None, current: None, said }
    }

    /// The ref's commit cannot be used. What was tried before goes on running, and is not what
    /// whoever waits for it asked for.
    pub(crate) fn refused(&mut self, reason: &'static str, message: String) {
        self.refused = Some(Standing::Short(reason, message));
        self.say();
    }

    /// The ref's commit can be used (again).
    pub(crate) fn usable(&mut self) {
        self.refused = None;
        self.say();
    }

    /// How the newest commit that can be used stands.
    pub(crate) fn stands(&mut self, standing: Standing) {
        self.current = Some(standing);
        self.say();
    }

    fn say(&self) {
        let now = self.refused.as_ref().or(self.current.as_ref()).cloned();
        self.said.send_if_modified(|said| {
            let is_news = *said != now;
            *said = now;
            is_news
        });
    }
}

async fn keep(state: Arc<State>, status: Arc<Status>, mut heard: watch::Receiver<Option<Standing>>) {
    let (mut since, mut told) = (Instant::now(), None);
    loop {
        let Some(standing) = heard.borrow_and_update().clone() else {
            if heard.changed().await.is_err() {
                return;
            }
            continue;
        };
        let (sound, again) = sound(&standing, &state, since.elapsed());
        if told.as_ref() != Some(&sound) {
            let (holds, reason, message) = &sound;
            // Never broken off: what is under way could arrive after what follows it.
            status.set_condition(CONDITION, holds, reason, message).await;
            tracing::info!(ready = holds, reason, "{message}");
            told = Some(sound);
        }
        let heard_more = match again {
            Some(pause) => timeout(pause, heard.changed()).await,
            None => Ok(heard.changed().await),
        };
        match heard_more {
            Ok(Ok(())) => since = Instant::now(),
            Ok(Err(_)) => return,
            // Nothing new of commits; the workloads may have got further.
            Err(_) => {}
        }
    }
}

type Sound = (&'static str, &'static str, String);

/// What is told, and when it is to be looked at again.
fn sound(standing: &Standing, state: &State, waited: Duration) -> (Sound, Option<Duration>) {
    match standing {
        Standing::Coming(message) => (("Unknown", "Progressing", message.clone()), None),
        Standing::Short(reason, message) => (("False", reason, message.clone()), None),
        Standing::Applied(commit) => {
            let waiting = state.held().filter(|h| h.commit.id == *commit).map(|held| not_ready(&held, &state.index));
            let short = commit.get(..12).unwrap_or(commit);
            match waiting.as_deref() {
                Some([]) => (("True", "Ready", format!("everything of commit {short} is ready")), None),
                Some([(key, why), ..]) if waited >= HEALTH_TIMEOUT => {
                    let count = waiting.as_ref().map_or(0, Vec::len);
                    let message = format!("commit {short}: {count} objects are not ready, the first: {key}: {why}");
                    (("False", "NotReady", message), Some(LOOK_LATER))
                }
                _ => {
                    let message = format!("commit {short} is in the cluster and not everything of it is ready yet");
                    (("Unknown", "Progressing", message), Some(LOOK))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ready: &Ready) -> Option<Standing> {
        ready.said.borrow().clone()
    }

    #[test]
    fn a_refusal_of_the_refs_commit_stands_before_what_was_good() {
        let mut ready = Ready { refused: None, current: None, said: watch::channel(None).0 };
        let good = Standing::Applied("good".to_owned());
        ready.stands(good.clone());
        assert_eq!(said(&ready), Some(good.clone()));
        ready.refused("Refused", "no YAML".to_owned());
        ready.stands(Standing::Short("Failed", "the good one fails as well".to_owned()));
        assert_eq!(said(&ready), Some(Standing::Short("Refused", "no YAML".to_owned())));
        ready.stands(good.clone());
        ready.usable();
        assert_eq!(said(&ready), Some(good), "the ref is back where it was");
    }
}
