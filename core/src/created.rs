//! What an object's creation set and no update sets again, such as the additions of a mutator that
//! is asked about creations alone. It is kept as a list of additions, each with its path, and laid
//! over whatever the object is meant to be from then on.

use serde_json::{Map, Value, json};

use crate::change::{changes, is_empty};
use crate::path::{FieldPath, Step};

/// What of a creation's answer an update of the same content does not yield, and Git does not
/// declare; both answers normalised. Empty if there is nothing of the kind.
pub fn create_only(declared: &Value, created: &Value, updated: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for change in changes(updated, created) {
        let (Some(value), true) = (change.new, change.path.get(declared).is_none_or(is_empty)) else { continue };
        let path: Vec<Value> = change.path.0.iter().map(step_to_json).collect();
        let mut addition = json!({"path": path, "value": value});
        if let Some(at) = position(&change.path, created) {
            addition["at"] = json!(at);
        }
        found.push(addition);
    }
    found
}

/// Keeps of these additions those that an object has.
pub fn only_present(additions: Vec<Value>, live: &Value) -> Vec<Value> {
    let is_there = |addition: &Value| {
        let path = addition.get("path").and_then(Value::as_array)?;
        let there = path.iter().try_fold(live, |v, step| child(v, step))?;
        Some(there == addition.get("value")?)
    };
    additions.into_iter().filter(|a| is_there(a).unwrap_or(false)).collect()
}

/// Lays such additions over `target`. What Git declares by now is not touched, and what was added
/// to an element of a list goes with the element.
pub fn lay_over(target: &mut Value, declared: &Value, additions: &Value) {
    for addition in additions.as_array().into_iter().flatten() {
        let (Some(path), Some(value)) = (addition.get("path").and_then(Value::as_array), addition.get("value")) else {
            continue;
        };
        let at = addition.get("at").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let in_declared = path.iter().try_fold(declared, |v, step| child(v, step));
        if reaches(target, path) {
            lay(target, path, value, in_declared, at);
        }
    }
}

fn step_to_json(step: &Step) -> Value {
    match step {
        Step::Field(name) => json!(name),
        Step::Index(index) => json!(index),
        Step::Key(keys) => Value::Object(keys.iter().cloned().collect()),
    }
}

/// Where in its list an element stands.
fn position(path: &FieldPath, object: &Value) -> Option<usize> {
    let Some(Step::Key(keys)) = path.0.last() else { return None };
    let list = path.parent()?;
    list.get(object)?.as_array()?.iter().position(|item| keys.iter().all(|(k, v)| item.get(k) == Some(v)))
}

fn is_element(item: &Value, keys: &Map<String, Value>) -> bool {
    keys.iter().all(|(k, v)| item.get(k).unwrap_or(&Value::Null) == v)
}

fn child<'a>(value: &'a Value, step: &Value) -> Option<&'a Value> {
    match step {
        Value::String(field) => value.get(field),
        Value::Object(keys) => value.as_array()?.iter().find(|item| is_element(item, keys)),
        _ => None,
    }
}

/// Whether all elements on the way are there; maps are made, elements are not.
fn reaches(target: &Value, path: &[Value]) -> bool {
    let Some((_, way)) = path.split_last() else { return false };
    let mut here = Some(target);
    for step in way {
        let next = here.and_then(|v| child(v, step));
        if next.is_none() && !step.is_string() {
            return false;
        }
        here = next;
    }
    true
}

fn lay(target: &mut Value, path: &[Value], value: &Value, declared: Option<&Value>, at: Option<usize>) {
    match path.split_first() {
        None => merge(target, value, declared),
        Some((Value::String(field), rest)) => {
            if target.is_null() {
                *target = json!({});
            }
            if let Some(fields) = target.as_object_mut() {
                lay(fields.entry(field.as_str()).or_insert(Value::Null), rest, value, declared, at);
            }
        }
        Some((Value::Object(keys), rest)) => {
            if target.is_null() {
                *target = json!([]);
            }
            let Some(items) = target.as_array_mut() else { return };
            match items.iter().position(|item| is_element(item, keys)) {
                Some(n) => lay(&mut items[n], rest, value, declared, at),
                None if rest.is_empty() => items.insert(at.unwrap_or(items.len()).min(items.len()), value.clone()),
                None => {}
            }
        }
        Some(_) => {}
    }
}

/// Fields that name an element of a list that an addition may have brought as a whole.
const ELEMENT_KEYS: [&str; 3] = ["name", "mountPath", "containerPort"];

fn merge(target: &mut Value, value: &Value, declared: Option<&Value>) {
    let declared = declared.filter(|d| !is_empty(d));
    match (&mut *target, value) {
        (Value::Object(fields), Value::Object(added)) => {
            for (field, value) in added {
                let declared = declared.and_then(|d| d.get(field));
                merge(fields.entry(field.as_str()).or_insert(Value::Null), value, declared);
            }
        }
        // Git declares elements by now where there were none.
        (Value::Array(items), Value::Array(added)) if declared.is_some() => {
            for element in added {
                let Some(key) = ELEMENT_KEYS.into_iter().find(|k| element.get(k).is_some()) else { return };
                if !items.iter().any(|item| item.get(key) == element.get(key)) {
                    items.push(element.clone());
                }
            }
        }
        _ if declared.is_none() => *target = value.clone(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(containers: Value) -> Value {
        json!({"metadata": {"name": "d"}, "spec": {"replicas": 1, "containers": containers}})
    }

    fn laid_over(declared: &Value, additions: &[Value]) -> Value {
        let mut target = declared.clone();
        lay_over(&mut target, declared, &json!(additions));
        target
    }

    /// A label, a variable beside a declared one and one alone, a container in front, other defaults.
    fn additions() -> (Value, Value, Vec<Value>) {
        let declared = json!({"metadata": {"name": "d"}, "spec": {"containers": [
            {"name": "a", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}});
        let updated = deployment(json!([{"name": "a", "env": [{"name": "X", "value": "1"}], "pull": "No"},
            {"name": "b", "pull": "No"}]));
        let mut created = deployment(json!([{"name": "side"},
            {"name": "a", "pull": "Yes", "env": [{"name": "ADDED"}, {"name": "X", "value": "1"}]},
            {"name": "b", "pull": "No", "env": [{"name": "ADDED"}]}]));
        created["metadata"]["labels"] = json!({"l": "yes"});
        created["spec"]["replicas"] = json!(3);
        let additions = create_only(&declared, &created, &updated);
        (declared, created, additions)
    }

    #[test]
    fn what_a_creation_added_is_laid_over_the_same_content() {
        let (declared, created, additions) = additions();
        let mut expected = created;
        expected["spec"]["containers"][2].as_object_mut().unwrap().remove("pull");
        assert_eq!(laid_over(&declared, &additions), expected);
        assert_eq!(laid_over(&expected, &additions), expected);
    }

    #[test]
    fn what_git_declares_by_now_stands_and_what_is_gone_stays_gone() {
        let (_, _, additions) = additions();
        let declared = json!({"metadata": {"name": "d", "labels": {"l": "mine", "m": "n"}}, "spec": {"replicas": 2,
            "containers": [{"name": "b", "env": [{"name": "Y", "value": "2"}]}]}});
        let target = laid_over(&declared, &additions);
        assert_eq!(target["metadata"]["labels"], json!({"l": "mine", "m": "n"}));
        assert_eq!(target["spec"]["replicas"], 2);
        let containers = json!([{"name": "side"},
            {"name": "b", "env": [{"name": "Y", "value": "2"}, {"name": "ADDED"}]}]);
        assert_eq!(target["spec"]["containers"], containers);
    }

    #[test]
    fn an_object_that_came_before_is_given_nothing() {
        let (_, mut live, additions) = additions();
        live["spec"]["replicas"] = json!(5);
        live["metadata"]["labels"] = json!({});
        let kept = only_present(additions.clone(), &live);
        assert_eq!(kept.len(), additions.len() - 2);
    }

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let declared = json!({"a": {"b": 1}});
        for odd in
            [json!(null), json!({}), json!([1, {"path": 1}, {"path": [], "value": 1}, {"path": [1], "value": 1}])]
        {
            let mut target = declared.clone();
            lay_over(&mut target, &declared, &odd);
            assert_eq!(target, declared);
        }
    }
}
