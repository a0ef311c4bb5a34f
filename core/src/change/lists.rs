//! Lists, whose elements are told apart by merge keys.

use serde_json::Value;

use super::absent::Stored;
use super::{Change, alike, compare};
use crate::path::{FieldPath, Step};

/// Compares two lists, element by element where a merge key tells elements apart.
pub(super) fn compare_lists(stored: Stored, old: &[Value], new: &[Value], path: &FieldPath, found: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let whole = |found: &mut Vec<Change>| {
        found.push(Change {
            path: path.clone(),
            old: Some(Value::Array(old.to_vec())),
            new: Some(Value::Array(new.to_vec())),
        });
    };
    let Some(keys) = merge_keys(path, old, new) else {
        if old.len() == new.len() && old.iter().zip(new).all(|(a, b)| alike(stored, "", a, b)) {
            return;
        }
        return whole(found);
    };
    let key_of = |item: &Value| -> Vec<(String, Value)> {
        keys.iter().filter_map(|k| item.get(k).map(|v| ((*k).to_owned(), v.clone()))).collect()
    };
    let old_keys: Vec<_> = old.iter().map(key_of).collect();
    let new_keys: Vec<_> = new.iter().map(key_of).collect();
    for (item, key) in old.iter().zip(&old_keys) {
        let at = path.with(Step::Key(key.clone()));
        match new_keys.iter().position(|k| k == key) {
            Some(i) => compare(stored, "", Some(item), Some(&new[i]), &at, found),
            None => found.push(Change { path: at, old: Some(item.clone()), new: None }),
        }
    }
    for (item, key) in new.iter().zip(&new_keys) {
        if !old_keys.contains(key) {
            found.push(Change { path: path.with(Step::Key(key.clone())), old: None, new: Some(item.clone()) });
        }
    }
    let kept_old = old_keys.iter().filter(|k| new_keys.contains(k));
    let kept_new = new_keys.iter().filter(|k| old_keys.contains(k));
    // Beside other changes too: the order is one of its own.
    if !kept_old.eq(kept_new) {
        whole(found);
    }
}

/// Candidates for merge keys by the list's field name, as the API types' `listMapKeys` and
/// `patchMergeKey` have them; the first that identifies every element on both sides is taken.
fn merge_keys(path: &FieldPath, old: &[Value], new: &[Value]) -> Option<&'static [&'static str]> {
    let field = path.fields().last().copied().unwrap_or_default();
    let candidates: &[&[&str]] = match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets"
        | "webhooks"
        | "resourceClaims"
        | "versions"
        | "schedulingGates"
        | "matchConditions" => &[&["name"]],
        "volumeMounts" => &[&["mountPath"]],
        "volumeDevices" => &[&["devicePath"]],
        "ports" => &[&["containerPort", "protocol"], &["port", "protocol"], &["containerPort"], &["port"]],
        "conditions" => &[&["type"]],
        "ownerReferences" => &[&["uid"]],
        "hostAliases" => &[&["ip"]],
        "topologySpreadConstraints" => &[&["topologyKey", "whenUnsatisfiable"]],
        "volumeClaimTemplates" => return None,
        _ => return None,
    };
    candidates.iter().copied().find(|keys| identifies(keys, old) && identifies(keys, new))
}

/// The elements of the list at `path`, each with its step and the position of its counterpart in
/// another list: found by their merge key; where they have none, by their position in lists of the
/// same length, else by their value.
pub(crate) fn aligned(path: &FieldPath, list: &[Value], other: &[Value]) -> Vec<(Step, Option<usize>)> {
    let keys = merge_keys(path, list, list);
    let shared = merge_keys(path, other, list);
    let same_key = |a: &Value, b: &Value| shared.is_some_and(|keys| keys.iter().all(|k| a.get(*k) == b.get(*k)));
    let counterpart = |n: usize, item: &Value| match shared {
        Some(_) => other.iter().position(|o| same_key(o, item)),
        None if other.len() == list.len() => Some(n),
        None => other.iter().position(|o| o == item),
    };
    let step = |n: usize, item: &Value| match keys {
        Some(keys) => Step::Key(keys.iter().filter_map(|k| Some(((*k).to_owned(), item.get(k)?.clone()))).collect()),
        None => Step::Index(n),
    };
    list.iter().enumerate().map(|(n, item)| (step(n, item), counterpart(n, item))).collect()
}

fn identifies(keys: &[&str], items: &[Value]) -> bool {
    let mut seen: Vec<Vec<&Value>> = Vec::with_capacity(items.len());
    for item in items {
        let mut key = Vec::with_capacity(keys.len());
        for k in keys {
            match item.get(k) {
                Some(v) if v.is_string() || v.is_number() => key.push(v),
                _ => return false,
            }
        }
        if seen.contains(&key) {
            return false;
        }
        seen.push(key);
    }
    true
}
