//! What stays in the cluster though Git does not declare it: nothing that holds data, and nothing that
//! was there before, is deleted by surprise.

use jiff::Timestamp;
use serde_json::Value;

use crate::config::Mode;
use crate::object::{self, ObjectKey};

/// Whether an object was made after the environment took over its namespaces; unknown is no.
pub fn came_after(object: &Value, adopted: Option<Timestamp>) -> bool {
    let made = object::metadata_str(object, "creationTimestamp").and_then(|t| t.parse::<Timestamp>().ok());
    made.zip(adopted).is_some_and(|(made, adopted)| made >= adopted)
}

/// Why an undeclared object is left alone; `None` if it is removed.
pub fn stays_because(mode: Mode, key: &ObjectKey, live: &Value, adopted: Option<Timestamp>) -> Option<&'static str> {
    if mode != Mode::Enforce {
        return Some("the environment is only observed");
    }
    if object::holds_data(&key.group, &key.kind) {
        return Some("it holds data");
    }
    (!came_after(live, adopted)).then_some("it was there before this environment took over")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_came_under_enforcement_and_holds_no_data_goes() {
        let made = |at: &str| json!({"metadata": {"creationTimestamp": at}});
        let (map, secret) = (ObjectKey::new("", "ConfigMap", "a", "b"), ObjectKey::new("", "Secret", "a", "b"));
        let adopted = "2026-01-02T00:00:00Z".parse().ok();
        let (before, after) = (made("2026-01-01T00:00:00Z"), made("2026-01-03T00:00:00Z"));
        assert_eq!(stays_because(Mode::Enforce, &map, &after, adopted), None);
        assert!(stays_because(Mode::Enforce, &map, &before, adopted).is_some());
        assert!(stays_because(Mode::Enforce, &map, &after, None).is_some());
        assert!(stays_because(Mode::Enforce, &secret, &after, adopted).is_some());
        assert!(stays_because(Mode::Observe, &map, &after, adopted).is_some());
    }
}
