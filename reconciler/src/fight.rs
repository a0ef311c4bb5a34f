//! What the guard remembers of objects: to tell things once, and to slow down where another party
//! writes against Git again and again, or where a revert fails again and again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gitward_core::object::ObjectKey;
use serde_json::Value;
use tokio::time::Instant;

/// So many reverts of one object within [`WINDOW`] are a fight.
const FIGHT: usize = 5;
const WINDOW: Duration = Duration::from_secs(30);

/// Longest pause before the next revert.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Pause after the first failure to bring an object back; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// The longest such pause is the first one doubled so often: 128 s.
const DOUBLINGS: u32 = 6;

/// What is remembered.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    reverts: HashMap<ObjectKey, Vec<Instant>>,
    paused: HashMap<ObjectKey, Instant>,
    told: HashMap<ObjectKey, String>,
    failed: HashMap<ObjectKey, Failed>,
    tries: u64,
    /// Orphans that wait for their adoption, by uid, and since when.
    orphans: HashMap<ObjectKey, (String, Instant)>,
}

/// What is remembered of failures to bring an object back.
struct Failed {
    /// What it was that could not be brought back: the live object's version and Git's content.
    what: String,
    message: String,
    doublings: u32,
    /// Number of the try that is due; those before it are superseded.
    turn: u64,
}

/// An object could not be brought back.
pub(crate) struct Retry {
    /// How long to wait before the next try.
    pub(crate) pause: Duration,
    /// Names the next try; see [`Memory::is_due`].
    pub(crate) turn: u64,
    /// Whether this failure was not told before.
    pub(crate) is_news: bool,
}

/// Another party writes against Git again and again.
pub(crate) struct Fight {
    /// Who, and how often.
    pub(crate) message: String,
    /// How long to wait before the next revert.
    pub(crate) pause: Duration,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is told of an object that is left alone; whether it is news.
    pub(crate) fn is_news(&self, key: &ObjectKey, what: String) -> bool {
        let before = self.lock().told.insert(key.clone(), what.clone());
        before != Some(what)
    }

    /// The object is as it should be: whatever comes next is news.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        let mut remembered = self.lock();
        remembered.told.remove(key);
        remembered.failed.remove(key);
        remembered.orphans.remove(key);
    }

    /// Notes that an object could not be brought back. `what` is what was to be brought back to
    /// what: where that is another than at the failure before, the pauses begin anew.
    pub(crate) fn failed(&self, key: &ObjectKey, what: String, message: String) -> Retry {
        let mut remembered = self.lock();
        remembered.tries += 1;
        let turn = remembered.tries;
        let before = remembered.failed.remove(key);
        let is_news = before.as_ref().is_none_or(|b| b.message != message);
        let doublings = before.filter(|b| b.what == what).map_or(0, |b| (b.doublings + 1).min(DOUBLINGS));
        remembered.failed.insert(key.clone(), Failed { what, message, doublings, turn });
        Retry { pause: FIRST_RETRY * 2_u32.pow(doublings), turn, is_news }
    }

    /// Whether a try is still to be made: neither was the object brought back meanwhile, nor did
    /// it fail since for another reason to look at it. So one object has one try waiting.
    pub(crate) fn is_due(&self, key: &ObjectKey, turn: u64) -> bool {
        self.lock().failed.get(key).is_some_and(|f| f.turn == turn)
    }

    /// Whether an orphan may still be adopted: it was first seen at most `within` ago.
    pub(crate) fn awaits_adoption(&self, key: &ObjectKey, uid: &str, within: Duration, now: Instant) -> bool {
        let mut remembered = self.lock();
        remembered.orphans.retain(|_, (_, since)| now.duration_since(*since) < WINDOW.max(within));
        let (known, since) = remembered.orphans.entry(key.clone()).or_insert_with(|| (uid.to_owned(), now));
        if known != uid {
            (*known, *since) = (uid.to_owned(), now);
        }
        now.duration_since(*since) < within
    }

    /// Whether an object's next revert waits. Other objects never wait for it.
    pub(crate) fn is_paused(&self, key: &ObjectKey, now: Instant) -> bool {
        self.lock().paused.get(key).is_some_and(|until| now < *until)
    }

    /// Notes a revert that is about to be made; a fight if it is one too many and has not waited.
    pub(crate) fn fight(&self, key: &ObjectKey, live: &Value, now: Instant) -> Option<Fight> {
        let mut remembered = self.lock();
        if remembered.paused.remove(key).is_some() {
            return None;
        }
        let times = remembered.reverts.entry(key.clone()).or_default();
        times.retain(|t| now.duration_since(*t) < WINDOW);
        times.push(now);
        let count = times.len();
        let over = count.saturating_sub(FIGHT);
        if over == 0 {
            return None;
        }
        let pause = Duration::from_millis(250 << over.min(7)).min(LONGEST_PAUSE);
        remembered.paused.insert(key.clone(), now + pause);
        let message = format!(
            "{key} was brought back {count} times in {} s; written against Git by: {}",
            WINDOW.as_secs(),
            writers(live)
        );
        Some(Fight { message, pause })
    }
}

/// Who else wrote the object, by the names that they gave themselves.
fn writers(live: &Value) -> String {
    let managers = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let others = managers.into_iter().flatten().filter_map(|m| m["manager"].as_str());
    let others: Vec<&str> = others.filter(|m| *m != crate::api::FIELD_MANAGER).collect();
    if others.is_empty() { "unknown".to_owned() } else { others.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_waits_for_its_adoption_once() {
        let (memory, key, within) = (Memory::default(), ObjectKey::new("", "Pod", "a", "x"), Duration::from_secs(10));
        let now = Instant::now();
        assert!(memory.awaits_adoption(&key, "1", within, now));
        assert!(memory.awaits_adoption(&key, "1", within, now + within / 2));
        assert!(!memory.awaits_adoption(&key, "1", within, now + within));
        assert!(memory.awaits_adoption(&key, "2", within, now + within));
    }

    #[test]
    fn a_fight_slows_down_one_object_alone() {
        let (one, other) = (ObjectKey::new("", "ConfigMap", "a", "x"), ObjectKey::new("", "ConfigMap", "a", "y"));
        let memory = Memory::default();
        let now = Instant::now();
        for _ in 0..FIGHT {
            assert!(memory.fight(&one, &Value::Null, now).is_none());
        }
        let fight = memory.fight(&one, &Value::Null, now).unwrap();
        assert!(memory.is_paused(&one, now) && !memory.is_paused(&other, now));
        assert!(memory.fight(&other, &Value::Null, now).is_none());
        let later = now + fight.pause;
        assert!(!memory.is_paused(&one, later));
        assert!(memory.fight(&one, &Value::Null, later).is_none());
        assert!(memory.fight(&one, &Value::Null, later).unwrap().pause > fight.pause);
    }

    #[test]
    fn failures_are_told_once_and_tried_again_ever_more_slowly_until_something_changes() {
        let key = ObjectKey::new("", "ConfigMap", "a", "x");
        let memory = Memory::default();
        let fail = |what: &str, message: &str| memory.failed(&key, what.to_owned(), message.to_owned());
        let tries: Vec<Retry> = (0..9).map(|_| fail("1", "no right")).collect();
        let pauses: Vec<u64> = tries.iter().map(|t| t.pause.as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 128, 128]);
        assert_eq!(tries.iter().filter(|t| t.is_news).count(), 1);
        assert!(tries[0].is_news);
        let due: Vec<bool> = tries.iter().map(|t| memory.is_due(&key, t.turn)).collect();
        assert_eq!(due.iter().filter(|due| **due).count(), 1, "one try waits");
        assert!(due[8]);

        let other = fail("1", "another reason");
        assert!(other.is_news && other.pause.as_secs() == 128);
        let changed = fail("2", "another reason");
        assert!(!changed.is_news && changed.pause.as_secs() == 2);
        memory.forget(&key);
        assert!(!memory.is_due(&key, changed.turn));
        let anew = fail("2", "another reason");
        assert!(anew.is_news && anew.pause.as_secs() == 2);
    }
}
