//! Selectors of workloads, how their Pods restart, and what goes with how they are replaced.

use serde_json::Value;

use super::labels;
use super::object::{Object, elements, fields};
use crate::path::FieldPath;

/// A selector selects the workload's own Pods.
pub(super) fn selector(object: &mut Object<'_>) {
    let (spec, at) = (&object.value["spec"], FieldPath::of(["spec", "selector"]));
    let selector = &spec["selector"];
    if !selector.is_object() {
        return;
    }
    let before = object.findings.len();
    labels::selector(object, selector, &at);
    if object.findings.len() > before {
        return;
    }
    let is_empty =
        |field: &str| fields(&selector[field]).next().is_none() && elements(&selector[field]).next().is_none();
    if is_empty("matchLabels") && is_empty("matchExpressions") {
        object.say("valid/selector", &at, "is empty", "select the labels of the Pod template");
        return;
    }
    let own = &spec["template"]["metadata"]["labels"];
    let Some((key, demand)) = unmatched(selector, own) else { return };
    if own.get(key).is_some() {
        let at = FieldPath::of(["spec", "template", "metadata", "labels", key]);
        object.say("valid/selector", &at, "is not what the workload's own selector selects", "make the two agree");
    } else {
        let at = demand.path(&at);
        let hint = "give the template all labels that the selector names";
        object.say(
            "valid/selector",
            &at,
            "selects by a label that the workload's own Pod template does not have",
            hint,
        );
    }
}

/// A part of a selector.
enum Demand<'v> {
    Label(&'v str),
    Expression(usize),
}

impl Demand<'_> {
    fn path(&self, selector: &FieldPath) -> FieldPath {
        match self {
            Self::Label(key) => selector.field("matchLabels").field(key),
            Self::Expression(index) => selector.field("matchExpressions").index(*index),
        }
    }
}

/// The first part of a selector that does not select labels, and the label that it is about. What is not understood
/// counts as selecting them.
fn unmatched<'v>(selector: &'v Value, labels: &Value) -> Option<(&'v str, Demand<'v>)> {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let mut equal = fields(&selector["matchLabels"]);
    if let Some((key, _)) = equal.find(|(key, value)| value.as_str().is_some_and(|v| label(key) != Some(v))) {
        return Some((key, Demand::Label(key)));
    }
    elements(&selector["matchExpressions"]).find_map(|(index, expression)| {
        let key = expression["key"].as_str()?;
        let listed = || elements(&expression["values"]).any(|(_, value)| value.as_str() == label(key));
        let fits = match expression["operator"].as_str() {
            Some("In") => label(key).is_some() && listed(),
            Some("NotIn") => label(key).is_none() || !listed(),
            Some("Exists") => label(key).is_some(),
            Some("DoesNotExist") => label(key).is_none(),
            _ => true,
        };
        (!fits).then_some((key, Demand::Expression(index)))
    })
}

/// What is kept running restarts.
pub(super) fn restarts_always(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    let policy = &template["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| matches!(policy, "OnFailure" | "Never")) {
        let at = at.field("spec").field("restartPolicy");
        object.say("valid/restart-policy", &at, "must be Always here", "leave it out; for work that ends write a Job");
    }
}

/// What is to end does not restart for ever.
pub(super) fn comes_to_an_end(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    let policy = &template["spec"]["restartPolicy"];
    if template["spec"].is_object() && (super::object::is_unset(policy) || policy.as_str() == Some("Always")) {
        let at = at.field("spec").field("restartPolicy");
        let hint = "write `restartPolicy: Never` or `OnFailure`; what is left out counts as Always";
        object.say("valid/restart-policy", &at, "must be OnFailure or Never in a Job", hint);
    }
}

/// What is kept running has no end.
pub(super) fn has_no_deadline(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    if !template["spec"]["activeDeadlineSeconds"].is_null() {
        let at = at.field("spec").field("activeDeadlineSeconds");
        object.say("valid/bounds", &at, "is for Jobs and Pods alone", "remove it");
    }
}

/// How a rollout goes is said of what rolls out.
pub(super) fn strategy(object: &mut Object<'_>) {
    let (field, other) = match object.is("Deployment") {
        true => ("strategy", "Recreate"),
        false => ("updateStrategy", "OnDelete"),
    };
    let strategy = &object.value["spec"][field];
    if strategy["type"].as_str() == Some(other) && strategy["rollingUpdate"].is_object() {
        let what = format!("stands beside the type {other}, which excludes it");
        let hint = "remove it, or write `type: RollingUpdate`";
        object.say("valid/bounds", &FieldPath::of(["spec", field, "rollingUpdate"]), what, hint);
    }
}
