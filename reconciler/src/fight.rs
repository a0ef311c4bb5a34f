//! What the guard remembers of objects: to tell things once, and to slow down where
//! another party writes against Git again and again.

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

/// What is remembered.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    reverts: HashMap<ObjectKey, Vec<Instant>>,
    paused: HashMap<ObjectKey, Instant>,
    told: HashMap<ObjectKey, String>,
    /// Orphans that wait for their adoption, by uid, and since when.
    orphans: HashMap<ObjectKey, (String, Instant)>,
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
        remembered.orphans.remove(key);
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
}
