//! Additions: what was learnt of each declared object, in a form that can be published and stored.
//!
//! An entry holds the difference between what Git declares and what the API server makes of it,
//! never the object itself: whoever has the tree has the rest. Values of Secrets therefore never
//! leave Git and the cluster.

mod classes;
mod earlier;
mod filled;
mod plugins;
mod unexplained;

use std::collections::BTreeMap;

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::change::is_empty;
use crate::object::ObjectKey;
use crate::snapshot::{Declared, Digest, Expected};

pub use classes::strange_class;
pub use unexplained::{is_foreseeable, unexplained};

/// What was learnt of one declared object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The object.
    pub key: ObjectKey,
    /// Content that this was learnt for.
    pub digest: Digest,
    /// Uid of the live object that this holds for; `None` before the object was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// From the declared object to the expected one (RFC 6902).
    pub patch: Patch,
    /// What was set at the object's creation and is not set by an update, as a partial object. It
    /// belongs to `uid`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub record: Value,
    /// The object ran to its end and was removed as it asked to be: it is not made again for this
    /// content.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finished: bool,
}

impl Entry {
    /// An entry from the API server's answer, both sides normalised.
    pub fn learnt(declared: &Declared, answer: &Value, uid: Option<&str>, record: Value) -> Self {
        Self {
            key: declared.manifest.key.clone(),
            digest: declared.digest.clone(),
            uid: uid.map(str::to_owned),
            patch: json_patch::diff(&declared.canonical, answer),
            record,
            finished: false,
        }
    }

    /// The expected object, if this was learnt for the declared content.
    pub fn expected(&self, declared: &Declared) -> Option<Expected> {
        if self.digest != declared.digest {
            return None;
        }
        let mut object = declared.canonical.as_ref().clone();
        json_patch::patch(&mut object, &self.patch).ok()?;
        let record = (!self.record.is_null()).then(|| self.record.clone());
        Some(Expected { object, uid: self.uid.clone(), record })
    }

    /// What the API server would make of an earlier content of the object, as far as that follows from what it
    /// makes of `declared`.
    pub(crate) fn expected_before(&self, declared: &Declared, earlier: &Declared) -> Option<Expected> {
        let is_of_this = self.digest == declared.digest;
        let object = || earlier::completed(&self.patch, &declared.canonical, &earlier.canonical);
        is_of_this.then(|| Expected { object: object(), uid: self.uid.clone(), record: None })
    }

    /// A Job runs once for its content: whether one that was made, asks to be removed when it is
    /// done, and is not there, has run.
    pub fn ran_to_its_end(&self, declared: &Declared) -> bool {
        let key = &declared.manifest.key;
        let removes_itself = declared.canonical.pointer("/spec/ttlSecondsAfterFinished").is_some();
        let is_job = key.group == "batch" && key.kind == "Job" && self.digest == declared.digest;
        is_job && (self.finished || (self.uid.is_some() && removes_itself))
    }
}

/// All entries of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Additions {
    /// By object.
    pub entries: BTreeMap<ObjectKey, Entry>,
}

/// Number of shards that entries are spread over, so that no published document grows past what
/// an API server stores (1 MiB) and a change rewrites little.
pub const SHARDS: u8 = 16;

impl Additions {
    /// The shard that an object's entry lives in.
    pub fn shard_of(key: &ObjectKey) -> u8 {
        blake3::hash(key.to_string().as_bytes()).as_bytes()[0] % SHARDS
    }

    /// One shard as JSON, entries in a stable order.
    pub fn shard(&self, shard: u8) -> String {
        let entries: Vec<&Entry> = self.entries.values().filter(|e| Self::shard_of(&e.key) == shard).collect();
        serde_json::to_string(&entries).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Replaces one shard by its JSON.
    ///
    /// # Errors
    /// The JSON is not a list of entries; nothing is changed then.
    pub fn load_shard(&mut self, shard: u8, json: &str) -> Result<(), serde_json::Error> {
        let entries: Vec<Entry> = serde_json::from_str(json)?;
        self.entries.retain(|key, _| Self::shard_of(key) != shard);
        self.entries.extend(entries.into_iter().map(|e| (e.key.clone(), e)));
        Ok(())
    }
}

/// The fields of `answer` that `declared` does not have, as a partial object. Elements of lists
/// that carry a merge key are matched by it; other lists are taken only where `declared` has none.
pub fn added(declared: &Value, answer: &Value) -> Value {
    let (Value::Object(d), Value::Object(a)) = (declared, answer) else { return Value::Null };
    let mut out = Map::new();
    for (field, value) in a {
        let part = match d.get(field) {
            None => value.clone(),
            Some(there) if is_empty(there) => value.clone(),
            Some(Value::Array(items)) => added_to_list(items, value),
            Some(there) => added(there, value),
        };
        if !is_empty(&part) {
            out.insert(field.clone(), part);
        }
    }
    Value::Object(out)
}

fn added_to_list(declared: &[Value], answer: &Value) -> Value {
    let Some(items) = answer.as_array() else { return Value::Null };
    let mut out = Vec::new();
    for item in items {
        let Some(there) = declared.iter().find(|d| same_element(d, item)) else { continue };
        let Value::Object(mut part) = added(there, item) else { continue };
        if part.is_empty() {
            continue;
        }
        for key in ELEMENT_KEYS {
            if let Some(v) = item.get(key) {
                part.insert(key.to_owned(), v.clone());
            }
        }
        out.push(Value::Object(part));
    }
    Value::Array(out)
}

/// Fields that name an element of a list in Kubernetes' types.
const ELEMENT_KEYS: [&str; 6] = ["name", "port", "containerPort", "protocol", "mountPath", "uid"];

/// Whether two elements of lists are the same one by the fields that name elements.
pub(crate) fn same_element(a: &Value, b: &Value) -> bool {
    let mut shared = ELEMENT_KEYS.iter().filter_map(|k| Some((a.get(k)?, b.get(k)?))).peekable();
    shared.peek().is_some() && shared.all(|(x, y)| x == y)
}

/// Lays a partial object over `target`: fields that are not there are added, nothing that is there
/// is changed, and no element is added to a list that has some.
pub fn overlay(target: &mut Value, partial: &Value) {
    match (target, partial) {
        (Value::Object(t), Value::Object(p)) => {
            for (field, value) in p {
                match t.get_mut(field) {
                    Some(there) if !is_empty(there) => overlay(there, value),
                    _ => {
                        t.insert(field.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(parts)) => {
            for part in parts {
                if let Some(item) = items.iter_mut().find(|i| same_element(i, part)) {
                    overlay(item, part);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_creation_adds_is_found_and_laid_over_again() {
        let declared = json!({"spec": {"ports": [{"port": 80, "name": "http"}], "selector": {"a": "b"}}});
        let answer = json!({"spec": {"clusterIP": "10.0.0.7", "selector": {"a": "b"},
            "ports": [{"port": 80, "name": "http", "protocol": "TCP", "nodePort": 30001}]}});
        let record = added(&declared, &answer);
        assert_eq!(record["spec"]["clusterIP"], "10.0.0.7");
        let mut target = json!({"spec": {"ports": [{"port": 80, "name": "http", "protocol": "TCP"}, {"port": 81, "name": "x", "protocol": "TCP"}]}});
        overlay(&mut target, &record);
        assert_eq!(target["spec"]["ports"][0]["nodePort"], 30001);
        assert_eq!(target["spec"]["ports"][1], json!({"port": 81, "name": "x", "protocol": "TCP"}));
        assert_eq!(target["spec"]["clusterIP"], "10.0.0.7");
    }

    #[test]
    fn nothing_declared_is_overlaid() {
        let mut target = json!({"spec": {"ingressClassName": "mine"}});
        overlay(&mut target, &json!({"spec": {"ingressClassName": "default"}}));
        assert_eq!(target["spec"]["ingressClassName"], "mine");
    }

    #[test]
    fn a_shard_survives_its_json() {
        let key = ObjectKey::new("", "ConfigMap", "a", "b");
        let entry = Entry {
            key: key.clone(),
            digest: Digest("d".into()),
            uid: None,
            patch: json_patch::diff(&json!({}), &json!({"a": 1})),
            record: Value::Null,
            finished: false,
        };
        let mut one = Additions::default();
        one.entries.insert(key.clone(), entry);
        let shard = Additions::shard_of(&key);
        let mut two = Additions::default();
        two.load_shard(shard, &one.shard(shard)).unwrap();
        assert_eq!(one, two);
        assert!(two.load_shard(shard, "{").is_err());
        assert_eq!(one, two);
    }
}
