//! Label selectors. Source: `k8s.io/apimachinery/pkg/labels`.

use serde_json::{Map, Value};

use super::compare::{entries, list, map, text};

type Labels<'a> = Option<&'a Map<String, Value>>;

/// Whether labels match a `LabelSelector` with `matchLabels` and `matchExpressions`. An operator
/// that is not known matches nothing.
pub(super) fn matches(selector: &Value, labels: Labels<'_>) -> bool {
    contains(map(selector, &["matchLabels"]), labels)
        && list(selector, &["matchExpressions"]).iter().all(|e| expression_matches(e, labels))
}

/// Whether labels hold all of a plain map, such as a Service's selector.
pub(super) fn contains(wanted: Labels<'_>, labels: Labels<'_>) -> bool {
    entries(wanted).all(|(k, v)| labels.and_then(|l| l.get(k)) == Some(v))
}

fn expression_matches(expression: &Value, labels: Labels<'_>) -> bool {
    let value = labels.and_then(|l| l.get(text(expression, &["key"])));
    let listed = value.is_some_and(|v| list(expression, &["values"]).contains(v));
    match text(expression, &["operator"]) {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_mean_what_they_mean_to_kubernetes() {
        let labels = json!({"app": "a", "tier": "web"});
        let cases = [
            (json!({"matchLabels": {"app": "a"}}), true),
            (json!({"matchLabels": {"app": "b"}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}), false),
            (json!({"matchExpressions": [{"key": "no", "operator": "NotIn", "values": ["a"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Gt", "values": ["1"]}]}), false),
            (json!({}), true),
        ];
        for (selector, matched) in cases {
            assert_eq!(matches(&selector, labels.as_object()), matched, "{selector}");
        }
    }
}
