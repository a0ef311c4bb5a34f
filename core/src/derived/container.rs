//! Reading and completing the containers of a Pod's spec.

use serde_json::{Map, Value};

pub(super) const LISTS: [&str; 2] = ["containers", "initContainers"];

/// A Pod's spec as a map.
pub(super) type Spec = Map<String, Value>;

/// All containers of a kind.
pub(super) fn of<'a>(spec: &'a Spec, list: &str) -> &'a [Value] {
    spec.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// All containers, to complete them.
pub(super) fn each(spec: &mut Spec, mut complete: impl FnMut(&mut Map<String, Value>)) {
    for list in LISTS {
        if let Some(containers) = spec.get_mut(list).and_then(Value::as_array_mut) {
            containers.iter_mut().filter_map(Value::as_object_mut).for_each(&mut complete);
        }
    }
}

/// A map within a map, made if it is not there. A value of another shape is replaced: what is
/// built here is compared with the real object afterwards, which then differs.
pub(super) fn map_in<'a>(map: &'a mut Map<String, Value>, field: &str) -> &'a mut Map<String, Value> {
    let value = map.entry(field).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made a map above"),
    }
}

/// A list within a map, made if it is not there; see [`map_in`].
pub(super) fn list_in<'a>(map: &'a mut Map<String, Value>, field: &str) -> &'a mut Vec<Value> {
    let value = map.entry(field).or_insert(Value::Null);
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(list) => list,
        _ => unreachable!("it was made a list above"),
    }
}

/// Sets a field that is not there.
pub(super) fn default_to(map: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    let entry = map.entry(field).or_insert(Value::Null);
    if entry.is_null() {
        *entry = value.into();
    }
}
