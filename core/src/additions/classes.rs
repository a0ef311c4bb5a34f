//! Classes that an API server chooses where a manifest names none: the one that is marked as the
//! default, and no other.

use serde_json::Value;

use crate::derived::Context;
use crate::object::{self, ObjectKey};

/// Where an object names its class: kind of the object, field, group and kind of the class.
const CHOSEN: [(&str, &str, &str, &str); 3] = [
    ("PersistentVolumeClaim", "storageClassName", "storage.k8s.io", "StorageClass"),
    ("Ingress", "ingressClassName", "networking.k8s.io", "IngressClass"),
    ("Pod", "priorityClassName", "scheduling.k8s.io", "PriorityClass"),
];

/// The field of a class that was not sent and came back as one that is no default, neither in Git nor
/// in the cluster; or the priority of a Pod that is not its class's.
pub fn strange_class(context: &Context<'_>, sent: &Value, answer: &Value) -> Option<String> {
    let kind = answer["kind"].as_str()?;
    let (_, field, group, class) = CHOSEN.iter().find(|(of, ..)| *of == kind)?;
    let named = answer["spec"][*field].as_str().filter(|name| !name.is_empty());
    let known = |name: &str, holds: &dyn Fn(&Value) -> bool| {
        let key = ObjectKey::new(group, class, "", name);
        let declared = context.snapshot.declared(&key).map(|d| d.canonical.clone());
        declared.is_some_and(|class| holds(&class)) || context.live.get(&key).is_some_and(|class| holds(&class))
    };
    if let Some(name) = named.filter(|_| empty(&sent["spec"][*field]))
        && !known(name, &|object| object::is_default_class(class, object))
    {
        return Some(format!("spec.{field}"));
    }
    let priority = answer["spec"]["priority"].as_i64().filter(|_| kind == "Pod" && sent["spec"]["priority"].is_null());
    let has_priority = |class: &Value, wanted: i64| class["value"].as_i64() == Some(wanted);
    let is_strange = priority.is_some_and(|priority| match named {
        Some(name) => !known(name, &|class| has_priority(class, priority)),
        None => priority != 0,
    });
    is_strange.then(|| "spec.priority".to_owned())
}

fn empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::lookup::Overlay;
    use crate::snapshot::Snapshot;

    fn strange(classes: &[Value], sent: &Value, answer: &Value) -> Option<String> {
        let mut live = Overlay::default();
        for class in classes {
            live.set(ObjectKey::of(class).unwrap(), Some(Arc::new(class.clone())));
        }
        let snapshot = Snapshot::of_nothing();
        strange_class(&Context { snapshot: &snapshot, live: &live, now: Timestamp::UNIX_EPOCH }, sent, answer)
    }

    #[test]
    fn only_a_default_is_chosen() {
        let class = |name: &str, default: &str| {
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name,
                "annotations": {"storageclass.kubernetes.io/is-default-class": default}}})
        };
        let claim = |class: Value| json!({"kind": "PersistentVolumeClaim", "spec": {"storageClassName": class}});
        let classes = [class("fast", "true"), class("shared", "false")];
        assert_eq!(strange(&classes, &claim(Value::Null), &claim(json!("fast"))), None);
        assert_eq!(strange(&classes, &claim(json!("shared")), &claim(json!("shared"))), None);
        for name in ["shared", "nowhere"] {
            let found = strange(&classes, &claim(Value::Null), &claim(json!(name)));
            assert_eq!(found.as_deref(), Some("spec.storageClassName"), "{name}");
        }
    }

    #[test]
    fn a_priority_is_that_of_the_class() {
        let class = |name: &str, default: bool, value: i64| {
            json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
                "globalDefault": default, "value": value})
        };
        let pod = |class: Value, priority: Value| json!({"kind": "Pod", "spec": {"priorityClassName": class, "priority": priority}});
        let classes = [class("high", false, 1000), class("usual", true, 10)];
        for (named, class, priority, found) in [
            (json!("high"), json!("high"), json!(1000), None),
            (Value::Null, json!("usual"), json!(10), None),
            (Value::Null, Value::Null, json!(0), None),
            (json!("high"), json!("high"), json!(9), Some("spec.priority")),
            (Value::Null, json!("high"), json!(1000), Some("spec.priorityClassName")),
            (Value::Null, Value::Null, json!(7), Some("spec.priority")),
        ] {
            let told = strange(&classes, &pod(named, Value::Null), &pod(class, priority));
            assert_eq!(told.as_deref(), found);
        }
    }
}
