//! Keys and values of labels, of what selects by them, and keys of annotations.

use serde_json::Value;

use super::formats::{label_key, label_value};
use super::object::{Object, elements, fields};
use crate::path::FieldPath;

const RULE: &str = "valid/label";

/// `metadata` of the object itself.
pub(super) fn metadata(object: &mut Object<'_>) {
    let metadata = &object.value["metadata"];
    of_metadata(object, metadata, &FieldPath::of(["metadata"]));
}

/// `metadata` of a Pod template, and the nodes that it selects.
pub(super) fn template(object: &mut Object<'_>) {
    let Some((template, at)) = object.template() else { return };
    if !at.0.is_empty() {
        of_metadata(object, &template["metadata"], &at.field("metadata"));
    }
    labels(object, &template["spec"]["nodeSelector"], &at.field("spec").field("nodeSelector"));
}

fn of_metadata(object: &mut Object<'_>, metadata: &Value, at: &FieldPath) {
    labels(object, &metadata["labels"], &at.field("labels"));
    let at = at.field("annotations");
    for (key, _) in fields(&metadata["annotations"]) {
        // In what annotations are called letter case does not matter.
        if let Some(wrong) = label_key(&key.to_ascii_lowercase()) {
            object.say_of_key(RULE, &at.field(key), format!("is no key of an annotation: it {wrong}"), KEY);
        }
    }
}

const KEY: &str = "write `name` or `example.org/name`";

/// A map of labels.
pub(super) fn labels(object: &mut Object<'_>, labels: &Value, at: &FieldPath) {
    for (key, value) in fields(labels) {
        if let Some(wrong) = label_key(key) {
            object.say_of_key(RULE, &at.field(key), format!("is no key of a label: it {wrong}"), KEY);
        }
        if let Some(wrong) = value.as_str().and_then(label_value) {
            let hint = "correct it, or make it an annotation";
            object.say(RULE, &at.field(key), format!("is no value of a label: it {wrong}"), hint);
        }
    }
}

/// A selector with `matchLabels` and `matchExpressions`.
pub(super) fn selector(object: &mut Object<'_>, selector: &Value, at: &FieldPath) {
    labels(object, &selector["matchLabels"], &at.field("matchLabels"));
    for (index, expression) in elements(&selector["matchExpressions"]) {
        let at = at.field("matchExpressions").index(index);
        if let Some(wrong) = expression["key"].as_str().and_then(label_key) {
            object.say(RULE, &at.field("key"), format!("is no key of a label: it {wrong}"), KEY);
        }
        let count = expression["values"].as_array().map_or(0, Vec::len);
        let wrong = match expression["operator"].as_str() {
            Some("In" | "NotIn") if count == 0 => "needs `values` for this operator",
            Some("Exists" | "DoesNotExist") if count > 0 => "has `values`, which this operator does not take",
            Some("In" | "NotIn" | "Exists" | "DoesNotExist") | None => continue,
            Some(_) => "has an operator that selectors do not know",
        };
        object.say(RULE, &at, wrong, "operators are In and NotIn, with values, Exists and DoesNotExist, without");
    }
}

/// Most bytes of all annotations, keys and values.
const MOST: usize = 256 << 10;

pub(super) fn size_of_annotations(object: &mut Object<'_>) {
    let annotations = &object.value["metadata"]["annotations"];
    let length = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
    if fields(annotations).map(length).sum::<usize>() > MOST {
        let at = FieldPath::of(["metadata", "annotations"]);
        object.say("valid/bounds", &at, "have more than 256 KiB", "keep it elsewhere, such as in a ConfigMap");
    }
}
