//! The Pod that is expected of a template, and comparing a real one with it.

use serde_json::{Map, Value, json};

use super::case::{Act, Case};
use super::compare::{at, differs, entries, is_suffix, map, prefix, same_but, text};
use super::container::Spec;
use super::{Refusal, owner};
use crate::change::{self, is_empty};
use crate::{object, quantity};

/// The longest name that `generateName` is cut to (`k8s.io/apiserver/pkg/storage/names`).
const MAX_GENERATED_PREFIX: usize = 58;

/// Labels that are copied from the node when a Pod is bound.
const FROM_NODE: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// What a controller asks for when it makes a Pod; admission completes it.
#[derive(Debug, Clone)]
pub(super) struct ExpectedPod {
    pub(super) labels: Map<String, Value>,
    pub(super) annotations: Map<String, Value>,
    pub(super) finalizers: Vec<Value>,
    pub(super) generate_name: String,
    /// The name, where the controller gives one itself.
    pub(super) name: Option<String>,
    pub(super) spec: Spec,
}

impl ExpectedPod {
    /// As `GetPodFromTemplate` makes it (`pkg/controller/controller_utils.go`).
    pub(super) fn of(template: &Value, owner_name: &str) -> Self {
        let copy = |path: &[&str]| map(template, path).cloned().unwrap_or_default();
        let finalizers = at(template, &["metadata", "finalizers"]).as_array().cloned().unwrap_or_default();
        Self {
            labels: copy(&["metadata", "labels"]),
            annotations: copy(&["metadata", "annotations"]),
            finalizers,
            generate_name: format!("{owner_name}-"),
            name: None,
            spec: copy(&["spec"]),
        }
    }

    /// Demands that a Pod is the expected one.
    pub(super) fn compare(&self, case: &Case<'_>, pod: &Value) -> Result<(), Refusal> {
        self.compare_name(pod)?;
        self.compare_metadata(case, pod)?;
        self.compare_spec(case, pod)?;
        if case.is(Act::Create) {
            let known = ["phase", "qosClass", "conditions", "observedGeneration"];
            ensure!(super::compare::only(at(pod, &["status"]), &known), "its status is set at creation");
        }
        Ok(())
    }

    fn compare_name(&self, pod: &Value) -> Result<(), Refusal> {
        let name = object::name(pod);
        ensure!(text(pod, &["metadata", "generateName"]) == self.generate_name, "generateName is not its owner's");
        let right = match &self.name {
            Some(wanted) => name == wanted,
            None => name.strip_prefix(prefix(&self.generate_name, MAX_GENERATED_PREFIX)).is_some_and(is_suffix),
        };
        ensure!(right, "its name is not one that its owner gives");
        Ok(())
    }

    fn compare_metadata(&self, case: &Case<'_>, pod: &Value) -> Result<(), Refusal> {
        let except: &[&str] = if case.is(Act::Live) { &FROM_NODE } else { &[] };
        for (field, wanted, except) in
            [("labels", &self.labels, except), ("annotations", &self.annotations, &[] as &[&str])]
        {
            let found = map(pod, &["metadata", field]);
            if !same_but(Some(wanted), found, except) {
                let found = found.cloned().unwrap_or_default();
                return Err(differs(
                    &format!("metadata.{field}"),
                    &Value::Object(wanted.clone()),
                    &Value::Object(found),
                ));
            }
        }
        let wanted = self.finalizers.iter().filter_map(Value::as_str);
        let found: Vec<&str> = object::finalizers(pod).collect();
        // Job tracking is taken off again once the Pod was counted.
        let right = if case.is(Act::Live) {
            found.iter().all(|f| wanted.clone().any(|w| w == *f) || *f == "foregroundDeletion")
        } else {
            wanted.eq(found)
        };
        ensure!(right, "its finalizers are not what they should be");
        Ok(())
    }

    fn compare_spec(&self, case: &Case<'_>, pod: &Value) -> Result<(), Refusal> {
        let none = Map::new();
        let found = map(pod, &["spec"]).unwrap_or(&none);
        let fields = self.spec.keys().chain(found.keys().filter(|k| !self.spec.contains_key(*k)));
        for field in fields {
            let (a, b) = (self.spec.get(field).unwrap_or(&Value::Null), found.get(field).unwrap_or(&Value::Null));
            let right = match field.as_str() {
                "nodeName" if case.is(Act::Live) && is_empty(a) => true,
                "nodeName" => {
                    ensure!(change::same(a, b), "it is created on a node of its own choice");
                    true
                }
                // Admission adds to both in no certain order.
                "volumes" | "tolerations" => change::same(a, b) || same_set(a, b),
                _ => change::same(a, b) || same_amounts(a, b, false),
            };
            if !right {
                return Err(differs("spec", &json!({ field: a }), &json!({ field: b })));
            }
        }
        Ok(())
    }
}

/// Whether two lists hold the same elements in whatever order.
fn same_set(a: &Value, b: &Value) -> bool {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let (wanted, mut found) = (list(a), list(b));
    wanted.len() == found.len()
        && wanted.iter().all(|w| match found.iter().position(|f| change::same(w, f)) {
            Some(i) => {
                found.swap_remove(i);
                true
            }
            None => false,
        })
}

/// As [`change::same`], but amounts of resources are compared by what they mean.
pub(super) fn same_amounts(a: &Value, b: &Value, amounts: bool) -> bool {
    const AMOUNTS: [&str; 6] = ["requests", "limits", "overhead", "sizeLimit", "divisor", "storage"];
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let within = |p: &Map<String, Value>, q: &Map<String, Value>| {
                entries(Some(p))
                    .filter(|(_, v)| !is_empty(v))
                    .all(|(k, v)| q.get(k).is_some_and(|w| same_amounts(v, w, amounts || AMOUNTS.contains(&k))))
            };
            within(x, y) && within(y, x)
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(v, w)| same_amounts(v, w, amounts))
        }
        _ => change::same(a, b) || (amounts && quantity::same(a, b)),
    }
}

/// The uid of a Pod's controller, if that still is the same living object.
pub(super) fn has_living_controller(case: &Case<'_>, pod: &Value) -> bool {
    object::controller_reference(pod).is_some_and(|r| !owner::is_absent(case, r))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_ignore_order_and_count_duplicates() {
        assert!(same_set(&json!([1, 2]), &json!([2, 1])));
        assert!(!same_set(&json!([1, 1]), &json!([1, 2])));
        assert!(!same_set(&json!([1]), &json!([1, 1])));
    }

    #[test]
    fn amounts_compare_only_where_amounts_stand() {
        let a = json!({"resources": {"limits": {"cpu": "1"}}});
        assert!(same_amounts(&a, &json!({"resources": {"limits": {"cpu": "1000m"}}}), false));
        assert!(!same_amounts(&a, &json!({"resources": {"limits": {"cpu": "2"}}}), false));
        assert!(!same_amounts(&json!({"env": "1"}), &json!({"env": "1000m"}), false));
    }
}
