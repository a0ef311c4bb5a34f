//! The objects themselves: plain data that watches fold into and rules read from.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gitward_core::object::ObjectKey;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::kinds::{Span, Target};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It is there, as the index now holds it.
    Applied,
    /// It is gone.
    Deleted,
}

/// One change of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The object.
    pub key: ObjectKey,
    /// What happened to it.
    pub kind: EventKind,
    /// What was seen of an object last before its removal was seen. `None` where it was missing from
    /// a list: it may have changed before it went.
    pub last: Option<Arc<Value>>,
}

/// Waits for an event about an object that `concerns`, or until events were missed, which may have
/// been such; whether there will be any more.
pub async fn next_about(events: &mut broadcast::Receiver<Event>, concerns: impl Fn(&ObjectKey) -> bool) -> bool {
    loop {
        match events.recv().await {
            Ok(event) if !concerns(&event.key) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

/// How long it is known of an object that went what was seen of it last.
pub const GONE_FOR: Duration = Duration::from_secs(30);

/// Of so many objects at most.
const GONE_KEPT: usize = 2048;

type ByName = HashMap<String, Arc<Value>>;
type ByNamespace = BTreeMap<String, ByName>;

/// Objects by group, kind, namespace and name.
#[derive(Default)]
pub(crate) struct Store {
    groups: HashMap<String, HashMap<String, ByNamespace>>,
    /// The latest at the back.
    gone: VecDeque<(Instant, ObjectKey, Arc<Value>)>,
}

impl Store {
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.groups.get(&key.group)?.get(&key.kind)?.get(&key.namespace)?.get(&key.name).cloned()
    }

    /// What was seen last of an object that went a short while ago.
    pub(crate) fn gone(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        let recent = self.gone.iter().rev().take_while(|(when, ..)| when.elapsed() <= GONE_FOR);
        recent.filter(|(_, k, _)| k == key).map(|(.., last)| last.clone()).next()
    }

    fn remember(&mut self, key: &ObjectKey, last: Arc<Value>) {
        self.gone.push_back((Instant::now(), key.clone(), last));
        while self.gone.len() > GONE_KEPT || self.gone.front().is_some_and(|(when, ..)| when.elapsed() > GONE_FOR) {
            self.gone.pop_front();
        }
    }

    pub(crate) fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        let Some(namespaces) = self.groups.get(group).and_then(|g| g.get(kind)) else { return Vec::new() };
        if namespace.is_empty() {
            return namespaces.values().flat_map(HashMap::values).cloned().collect();
        }
        namespaces.get(namespace).map(|names| names.values().cloned().collect()).unwrap_or_default()
    }

    fn kind_mut(&mut self, group: &str, kind: &str) -> &mut ByNamespace {
        self.groups.entry(group.to_owned()).or_default().entry(kind.to_owned()).or_default()
    }

    pub(crate) fn apply(&mut self, key: &ObjectKey, object: Arc<Value>) -> Event {
        let names = self.kind_mut(&key.group, &key.kind).entry(key.namespace.clone()).or_default();
        names.insert(key.name.clone(), object);
        Event { key: key.clone(), kind: EventKind::Applied, last: None }
    }

    pub(crate) fn delete(&mut self, key: &ObjectKey) -> Option<Event> {
        let namespaces = self.kind_mut(&key.group, &key.kind);
        let names = namespaces.get_mut(&key.namespace)?;
        let last = names.remove(&key.name)?;
        if names.is_empty() {
            namespaces.remove(&key.namespace);
        }
        self.remember(key, last.clone());
        Some(Event { key: key.clone(), kind: EventKind::Deleted, last: Some(last) })
    }

    /// Replaces everything that a watch covers by what it listed.
    ///
    /// Objects that are the same as before (by `resourceVersion` and `uid`) make no event.
    pub(crate) fn replace(&mut self, target: &Target, listed: Vec<(ObjectKey, Arc<Value>)>) -> Vec<Event> {
        let present: HashSet<(&str, &str)> = listed.iter().map(|(k, _)| (&*k.namespace, &*k.name)).collect();
        let mut gone = Vec::new();
        for (namespace, names) in self.kind_mut(&target.group, &target.kind).iter() {
            for name in names.keys() {
                if target.span.covers(namespace, name) && !present.contains(&(&**namespace, &**name)) {
                    gone.push(ObjectKey::new(&target.group, &target.kind, namespace, name));
                }
            }
        }
        let gone = gone.iter().filter_map(|key| self.delete(key));
        let mut events: Vec<Event> = gone.map(|event| Event { last: None, ..event }).collect();
        for (key, object) in listed {
            let same = self.get(&key).is_some_and(|before| same_version(&before, &object));
            let event = self.apply(&key, object);
            if !same {
                events.push(event);
            }
        }
        events
    }

    /// Forgets what a watch covered and no other does, without events: nobody looks there any more.
    pub(crate) fn forget(&mut self, target: &Target, others: &[&Span]) {
        let ended = |namespace: &str, name: &str| {
            target.span.covers(namespace, name) && !others.iter().any(|s| s.covers(namespace, name))
        };
        let namespaces = self.kind_mut(&target.group, &target.kind);
        for (namespace, names) in namespaces.iter_mut() {
            names.retain(|name, _| !ended(namespace, name));
        }
        namespaces.retain(|_, names| !names.is_empty());
    }
}

fn same_version(a: &Value, b: &Value) -> bool {
    let field = |v: &Value, f: &str| v.get("metadata").and_then(|m| m.get(f)).cloned();
    field(a, "resourceVersion").is_some() && ["resourceVersion", "uid"].iter().all(|f| field(a, f) == field(b, f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Content;
    use serde_json::json;

    fn pod(namespace: &str, name: &str, version: &str) -> (ObjectKey, Arc<Value>) {
        let object = json!({"metadata": {"name": name, "namespace": namespace, "resourceVersion": version}});
        (ObjectKey::new("", "Pod", namespace, name), Arc::new(object))
    }

    fn target(namespace: &str) -> Target {
        Target {
            group: String::new(),
            kind: "Pod".into(),
            content: Content::Whole,
            span: Span::Namespace(namespace.into()),
        }
    }

    #[test]
    fn a_new_list_replaces_what_its_watch_covers_and_nothing_else() {
        let mut store = Store::default();
        for (key, object) in [pod("a", "kept", "1"), pod("a", "gone", "1"), pod("b", "other", "1")] {
            store.apply(&key, object);
        }
        let events = store.replace(&target("a"), vec![pod("a", "kept", "1"), pod("a", "new", "2")]);
        let told: Vec<_> = events.iter().map(|e| (e.key.name.as_str(), e.kind)).collect();
        assert_eq!(told, [("gone", EventKind::Deleted), ("new", EventKind::Applied)]);
        assert_eq!(store.list("", "Pod", "").len(), 3);
        assert!(store.get(&ObjectKey::new("", "Pod", "b", "other")).is_some());
    }

    #[test]
    fn what_went_is_known_for_a_while() {
        let mut store = Store::default();
        let (key, object) = pod("a", "x", "1");
        store.apply(&key, object.clone());
        assert_eq!(store.gone(&key), None);
        store.delete(&key);
        assert_eq!((store.get(&key), store.gone(&key)), (None, Some(object)));
        for i in 0..GONE_KEPT {
            let (key, object) = pod("a", &i.to_string(), "1");
            store.apply(&key, object);
            store.delete(&key);
        }
        assert_eq!(store.gone(&key), None, "it is bounded");
    }

    #[test]
    fn what_is_no_longer_governed_is_forgotten() {
        let mut store = Store::default();
        for (key, object) in [pod("a", "x", "1"), pod("a", "still", "1"), pod("b", "y", "1")] {
            store.apply(&key, object);
        }
        store.forget(&target("a"), &[&Span::One("a".into(), "still".into())]);
        assert_eq!(store.list("", "Pod", "a").len(), 1);
        store.forget(&target("a"), &[]);
        assert!(store.list("", "Pod", "a").is_empty());
        assert_eq!(store.list("", "Pod", "b").len(), 1);
    }
}
