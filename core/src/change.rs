//! What differs between two objects: a list of changes, each one field path with old and new value.
//!
//! Both sides are objects as an API server writes them, so the comparison is of canonical forms.
//! `null` and absent mean the same; an empty list does for built-in kinds, whose stored form does not
//! tell them apart, and an empty map where it is a plain field of an API type. Elsewhere an empty map
//! says something: a selector of everything, a subresource that is there, an empty directory.
//! Nor is there a default that API servers of one version fill in and those of another leave out.
//! Everything else is equal or it is not. Lists with a merge key are compared element by element; a change of their order alone is a change of the
//! list, since order decides for environment variables, init containers and rules.

mod absent;
mod lists;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Map, Value};

use crate::path::{FieldPath, Step};
use absent::{Stored, is_absent, name_below, stored, stored_below};
use lists::compare_lists;

pub(crate) use absent::is_plainly_empty;
pub use absent::{counts_as_absent, is_built_in};
pub(crate) use lists::aligned;

/// One field path with its old and its new value; `None` where the field is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: FieldPath,
    /// The value before.
    pub old: Option<Value>,
    /// The value after.
    pub new: Option<Value>,
}

impl Change {
    /// The object as a whole is made, removed or connected to.
    pub fn whole() -> Self {
        Self { path: FieldPath::root(), old: None, new: None }
    }
}

/// Values may be a Secret's: a change is serialised by its path and its kind alone.
impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut s = serializer.serialize_struct("Change", 2)?;
        s.serialize_field("path", &self.path)?;
        let kind = match (&self.old, &self.new) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            _ => "changed",
        };
        s.serialize_field("kind", kind)?;
        s.end()
    }
}

/// Whether a value counts as not being there.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn last(path: &FieldPath) -> &str {
    match path.0.last() {
        Some(Step::Field(field)) => field,
        _ => "",
    }
}

/// All changes from `old` to `new`, in field order.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(stored(new), "", Some(old), Some(new), &FieldPath::root(), &mut found);
    found
}

/// Whether two values of a built-in kind mean the same to an API server.
pub fn same(a: &Value, b: &Value) -> bool {
    alike(Stored::Typed, "", a, b)
}

/// Whether two values of an object mean the same to an API server.
pub fn same_in(object: &Value, a: &Value, b: &Value) -> bool {
    alike(stored(object), "", a, b)
}

fn alike(stored: Stored, key: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let absent = |k: &str, v: &Value| is_absent(stored_below(stored, k), name_below(key, [x, y], k), v);
            x.iter().all(|(k, v)| match y.get(k) {
                Some(w) => alike(stored_below(stored, k), k, v, w),
                None => absent(k, v),
            }) && y.iter().all(|(k, w)| x.contains_key(k) || absent(k, w))
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(v, w)| alike(stored, "", v, w))
        }
        _ => a == b || (is_absent(stored, key, a) && is_absent(stored, key, b)),
    }
}

/// `key` is the name at the end of the path; see [`name_below`].
fn compare(
    stored: Stored,
    key: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &FieldPath,
    found: &mut Vec<Change>,
) {
    let old = old.filter(|v| !is_absent(stored, key, v));
    let new = new.filter(|v| !is_absent(stored, key, v));
    let before = found.len();
    match (old, new) {
        (None, None) => return,
        (Some(Value::Object(a)), Some(Value::Object(b))) => return compare_maps(stored, a, b, path, found),
        (Some(Value::Array(a)), Some(Value::Array(b))) => return compare_lists(stored, a, b, path, found),
        // A map that appears or goes is listed field by field: each may have another origin.
        (Some(Value::Object(a)), None) => compare_maps(stored, a, &Map::new(), path, found),
        (None, Some(Value::Object(b))) => compare_maps(stored, &Map::new(), b, path, found),
        (a, b) if a == b => return,
        _ => {}
    }
    // The same goes for what is there and has no fields that count.
    if found.len() == before {
        found.push(Change { path: path.clone(), old: old.cloned(), new: new.cloned() });
    }
}

/// All changes from `old` to `new` of what is compared of an object: those between their
/// [normalised] forms, which are not made, since most updates change next to nothing.
pub fn object_changes(old: &Value, new: &Value, has_status_subresource: bool) -> Vec<Change> {
    let odd = |v: &Value| v.get("metadata").is_some_and(|m| !m.is_object() && !m.is_null());
    let (Value::Object(a), Value::Object(b), false) = (old, new, odd(old) || odd(new)) else {
        // No API server writes this.
        return changes(&normalised(old, has_status_subresource), &normalised(new, has_status_subresource));
    };
    let mut found = Vec::new();
    let stored = stored(new);
    for (key, old, new) in pairs(a, b) {
        match key {
            "status" if has_status_subresource => {}
            "metadata" => compare_metadata(old, new, &mut found),
            _ => compare_field(stored, (key, key), old, new, &FieldPath::root(), &mut found),
        }
    }
    found
}

/// Whether nothing that is compared of an object changes.
pub fn is_unchanged(old: &Value, new: &Value, has_status_subresource: bool) -> bool {
    object_changes(old, new, has_status_subresource).is_empty()
}

fn compare_metadata<'a>(old: Option<&'a Value>, new: Option<&'a Value>, found: &mut Vec<Change>) {
    let none = Map::new();
    let map = |v: Option<&'a Value>| v.and_then(Value::as_object);
    let (a, b) = (map(old).unwrap_or(&none), map(new).unwrap_or(&none));
    let at = FieldPath::root().field("metadata");
    for (key, old, new) in pairs(a, b) {
        if !is_server_metadata(key) {
            compare_field(Stored::Typed, (key, key), old, new, &at, found);
        }
    }
}

fn compare_maps(
    stored: Stored,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &FieldPath,
    found: &mut Vec<Change>,
) {
    let (siblings, parent) = ([old, new], last(path));
    for (key, old, new) in pairs(old, new) {
        // The metadata of every object is of one type.
        let stored = if path.0.is_empty() && key == "metadata" { Stored::Typed } else { stored_below(stored, key) };
        compare_field(stored, (key, name_below(parent, siblings, key)), old, new, path, found);
    }
}

/// Compares one field, by its key and by the name of [`name_below`]. Paths are made for what differs
/// alone.
fn compare_field(
    stored: Stored,
    (key, name): (&str, &str),
    old: Option<&Value>,
    new: Option<&Value>,
    path: &FieldPath,
    found: &mut Vec<Change>,
) {
    let same = match (old, new) {
        (Some(a), Some(b)) => alike(stored, name, a, b),
        (Some(one), None) | (None, Some(one)) => is_absent(stored, name, one),
        (None, None) => true,
    };
    if !same {
        compare(stored, name, old, new, &path.field(key), found);
    }
}

/// The fields of both maps: those of the first, then those of the second alone.
fn pairs<'a>(
    old: &'a Map<String, Value>,
    new: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a str, Option<&'a Value>, Option<&'a Value>)> {
    let first = old.iter().map(|(k, v)| (k.as_str(), Some(v), new.get(k)));
    let second = new.iter().filter(|(k, _)| !old.contains_key(*k)).map(|(k, v)| (k.as_str(), None, Some(v)));
    first.chain(second)
}

/// Fields of `metadata` that the API server alone keeps; they are never compared.
///
/// A deletion timestamp is among them: termination is judged as such, not as a field.
pub(crate) const SERVER_METADATA: [&str; 8] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
];

/// Whether a field of an object is never compared: the API server alone keeps it, or it is the status
/// of a kind that keeps that in a subresource.
pub(crate) fn is_kept(path: &FieldPath, has_status_subresource: bool) -> bool {
    match path.fields().as_slice() {
        ["metadata", field, ..] => is_server_metadata(field),
        ["status", ..] => has_status_subresource,
        _ => false,
    }
}

fn is_server_metadata(field: &str) -> bool {
    SERVER_METADATA.contains(&field)
}

/// The object without what the API server alone keeps in `metadata`, and without `status` where
/// the kind keeps that in a subresource.
#[must_use]
pub fn normalised(object: &Value, has_status_subresource: bool) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in SERVER_METADATA {
            metadata.remove(field);
        }
    }
    if has_status_subresource && let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(old: &Value, new: &Value) -> Vec<String> {
        changes(old, new).iter().map(|c| c.path.to_string()).collect()
    }

    #[test]
    fn what_is_empty_and_there_counts_where_it_says_something() {
        let pod = |spec: Value| json!({"apiVersion": "v1", "kind": "Pod", "spec": spec});
        let container = json!([{"name": "a"}]);
        let one = pod(json!({"containers": container}));
        assert_eq!(changes(&one, &pod(json!({"containers": container, "resources": {}}))).len(), 1);
        assert!(changes(&one, &pod(json!({"containers": [{"name": "a", "resources": {}}]}))).is_empty());
        let definition = |version: Value| json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"versions": [version]}});
        let schema = |tags: Value| json!({"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"tags": tags}}}});
        let (without, with) = (definition(schema(json!({}))), definition(schema(json!({"default": []}))));
        assert_eq!(changes(&without, &with).len(), 1);
        let (none, status) = (
            json!({"name": "v1", "subresources": {"scale": {"a": 1}}}),
            json!({"name": "v1", "subresources": {"scale": {"a": 1}, "status": {}}}),
        );
        assert_eq!(changes(&definition(none), &definition(status.clone())).len(), 1);
        assert_eq!(changes(&definition(status), &definition(json!({"name": "v1"}))).len(), 2);
        let free = |value: Value| json!({"apiVersion": "x.example.org/v1", "kind": "X", "spec": value});
        assert_eq!(changes(&free(json!({})), &free(json!({"a": null}))).len(), 1);
        assert_eq!(changes(&free(json!({"a": null})), &free(json!({}))).len(), 1);
    }

    #[test]
    fn the_order_of_a_keyed_list_counts_beside_other_changes() {
        let pod = |first: &str, second: &str, image: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"initContainers":
                [{"name": first, "image": "x"}, {"name": second, "image": image}]}})
        };
        let mut moved = pod("b", "a", "x");
        moved["spec"]["initContainers"][0]["image"] = json!("y");
        let found = changes(&pod("a", "b", "x"), &moved);
        assert!(found.iter().any(|c| c.path.to_string() == "spec.initContainers"), "{found:?}");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_a_stored_type_does_not_tell_apart_is_the_same() {
        assert!(paths(&json!({"a": null, "b": [], "resources": {}}), &json!({})).is_empty());
        assert!(same(&json!({"a": {"labels": {}}}), &json!({"a": {}})));
        assert_eq!(paths(&json!({"a": 0, "b": "", "c": false}), &json!({})), ["a", "b", "c"]);
    }

    #[test]
    fn a_default_of_one_version_alone_says_nothing() {
        let of = |kind: &str, version: &str, update: Value| json!({"apiVersion": version, "kind": kind, "spec": {"updateStrategy": {"rollingUpdate": update}}});
        let set = |update: Value| of("StatefulSet", "apps/v1", update);
        let (without, one) = (set(json!({"partition": 0})), set(json!({"partition": 0, "maxUnavailable": 1})));
        let field = FieldPath::of(["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
        assert!(paths(&without, &one).is_empty() && paths(&one, &without).is_empty());
        assert!(object_changes(&without, &one, true).is_empty());
        assert!(counts_as_absent(&one, &field, &json!(1)));
        for other in [json!(2), json!(0), json!("1"), json!("25%"), json!(1.5)] {
            let other = set(json!({"partition": 0, "maxUnavailable": other}));
            for default in [&without, &one] {
                assert_eq!(paths(default, &other), [field.to_string()], "{other}");
                assert_eq!(paths(&other, default), [field.to_string()], "{other}");
            }
        }
        // The default is another elsewhere, and a custom resource means what it likes.
        let deployment = |update: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"strategy": {"rollingUpdate": update}}});
        assert_eq!(
            paths(&deployment(json!({"maxSurge": 1})), &deployment(json!({"maxSurge": 1, "maxUnavailable": 1}))).len(),
            1
        );
        let custom = |update: Value| of("StatefulSet", "example.org/v1", update);
        assert_eq!(
            paths(&custom(json!({"partition": 0})), &custom(json!({"partition": 0, "maxUnavailable": 1}))).len(),
            1
        );
    }

    /// In each of these the attacker's side means something else: all namespaces, all Pods, a status
    /// that is written apart, a directory in place of nothing.
    #[test]
    fn an_empty_map_says_something() {
        let cases = [
            (
                json!({"spec": {"ingress": [{"from": [{"podSelector": {}}]}]}}),
                json!({"spec": {"ingress": [{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]}}),
                "spec.ingress",
            ),
            (
                json!({"spec": {"versions": [{"name": "v1"}]}}),
                json!({"spec": {"versions": [{"name": "v1", "subresources": {"status": {}}}]}}),
                "spec.versions[name=v1].subresources.status",
            ),
            (
                json!({"spec": {"volumes": [{"name": "a"}]}}),
                json!({"spec": {"volumes": [{"name": "a", "emptyDir": {}}]}}),
                "spec.volumes[name=a].emptyDir",
            ),
            (json!({"spec": {}}), json!({"spec": {"selector": {}}}), "spec.selector"),
            (json!({"spec": {"ingress": []}}), json!({"spec": {"ingress": [{}]}}), "spec.ingress"),
        ];
        for (declared, found, path) in cases {
            assert_eq!(paths(&declared, &found), [path]);
            assert_eq!(paths(&found, &declared), [path]);
            assert_eq!(object_changes(&declared, &found, true).len(), 1, "{found}");
        }
    }

    /// What a definition's author means by an empty list, or by null, nobody knows.
    #[test]
    fn custom_resources_are_compared_as_they_are_written() {
        let object = |spec: Value| json!({"apiVersion": "example.org/v1", "kind": "X", "metadata": {}, "spec": spec});
        let with = |field: Value| object(json!({"a": field}));
        assert_eq!(paths(&object(json!({})), &with(json!([]))), ["spec.a"]);
        assert_eq!(paths(&object(json!({})), &with(json!({}))), ["spec.a"]);
        assert_eq!(paths(&object(json!({})), &with(Value::Null)), ["spec.a"]);
        let mut labelled = object(json!({}));
        labelled["metadata"]["labels"] = json!({});
        assert!(paths(&object(json!({})), &labelled).is_empty());
        assert!(object_changes(&object(json!({})), &labelled, true).is_empty());
    }

    /// The comparison that copies nothing finds what the plain one finds.
    #[test]
    fn objects_are_compared_as_their_normalised_forms() {
        let base = json!({"apiVersion": "v1", "kind": "X", "status": {"a": 1}, "spec": {"l": [{"name": "a"}], "e": {}},
            "metadata": {"name": "x", "uid": "u", "resourceVersion": "1", "labels": {"a": "b"},
                "managedFields": [{"manager": "m"}]}});
        let mut others = vec![base.clone(), json!({}), json!(null), json!([1]), json!({"metadata": null})];
        let edits: [(&str, Value); 12] = [
            ("/spec/l/0/name", json!("b")),
            ("/spec/e", json!({"new": {"deep": [1]}})),
            ("/spec", json!(null)),
            ("/status", json!({"a": 2})),
            ("/metadata", json!({})),
            ("/metadata", json!(null)),
            ("/metadata", json!("text")),
            ("/metadata", json!({"uid": "other", "deletionTimestamp": "now"})),
            ("/metadata/managedFields", json!(null)),
            ("/metadata/labels", json!({"a": "c", "d": "e"})),
            ("/metadata/labels", json!({})),
            ("/kind", json!("Y")),
        ];
        for (pointer, value) in edits {
            let mut other = base.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            others.push(other);
        }
        for old in &others {
            for new in &others {
                for status in [true, false] {
                    let plain = changes(&normalised(old, status), &normalised(new, status));
                    assert_eq!(object_changes(old, new, status), plain, "{old} {new} {status}");
                }
            }
        }
    }

    #[test]
    fn an_added_container_is_one_change() {
        let old = json!({"spec": {"containers": [{"name": "app", "image": "a:1"}]}});
        let new = json!({"spec": {"containers": [{"name": "evil", "image": "x"}, {"name": "app", "image": "a:2"}]}});
        assert_eq!(paths(&old, &new), ["spec.containers[name=app].image", "spec.containers[name=evil]"]);
    }

    #[test]
    fn order_alone_is_a_change_of_the_list() {
        let old = json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]});
        let new = json!({"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]});
        assert_eq!(paths(&old, &new), ["env"]);
    }

    #[test]
    fn duplicated_keys_fall_back_to_the_whole_list() {
        let old = json!({"env": [{"name": "A", "value": "1"}]});
        let new = json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]});
        assert_eq!(paths(&old, &new), ["env"]);
    }

    #[test]
    fn a_removed_map_is_listed_by_field() {
        let old = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
        assert_eq!(paths(&old, &json!({"metadata": {}})), ["metadata.labels.a", "metadata.labels.b"]);
    }
}
