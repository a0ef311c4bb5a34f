//! To whom a live object belongs, by its owner references.

use serde_json::Value;

use crate::change::is_built_in;
use crate::lookup::Lookup;
use crate::object::{self, Gvk, ObjectKey};

/// Owners' owners are followed this far.
const MAX_DEPTH: u8 = 6;

/// To whom a live object belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Belongs {
    /// To nobody who would make it: a person did.
    Nobody,
    /// To an object of Kubernetes' own kinds, as its controller.
    Controller,
    /// To a custom resource: an operator made it.
    Operator(ObjectKey),
    /// To something that an operator made.
    Operated,
}

/// To whom an object belongs.
pub(super) fn of(object: &Value, live: &dyn Lookup) -> Belongs {
    within(object, live, 0)
}

fn within(object: &Value, live: &dyn Lookup, depth: u8) -> Belongs {
    let references = object::owner_references(object);
    let namespace = object::namespace(object);
    let custom = references.iter().find(|r| Gvk::of(r).is_some_and(|gvk| !is_built_in(&gvk.group)));
    if let Some(owner) = custom.and_then(|r| object::owner_key(r, namespace)) {
        return Belongs::Operator(owner);
    }
    if depth < MAX_DEPTH {
        let owners = references.iter().filter_map(|r| live.get(&object::owner_key(r, namespace)?));
        for owner in owners {
            if matches!(within(&owner, live, depth + 1), Belongs::Operator(_) | Belongs::Operated) {
                return Belongs::Operated;
            }
        }
    }
    if object::controller_reference(object).is_some() { Belongs::Controller } else { Belongs::Nobody }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::Overlay;
    use serde_json::json;
    use std::sync::Arc;

    fn object(kind: &str, name: &str, owner: Option<(&str, &str, &str, bool)>) -> Value {
        let references: Vec<Value> = owner
            .into_iter()
            .map(|(version, kind, name, controller)| {
                json!({"apiVersion": version, "kind": kind, "name": name, "uid": "u", "controller": controller})
            })
            .collect();
        json!({"apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": name, "namespace": "shop", "ownerReferences": references}})
    }

    #[test]
    fn what_comes_of_a_custom_resource_is_an_operators() {
        let set = object("StatefulSet", "db", Some(("db.example.org/v1", "Database", "db", true)));
        let mut live = Overlay::default();
        live.set(ObjectKey::of(&set).unwrap(), Some(Arc::new(set.clone())));
        let database = ObjectKey::new("db.example.org", "Database", "shop", "db");
        assert_eq!(of(&set, &live), Belongs::Operator(database));
        let pod = object("Pod", "db-0", Some(("apps/v1", "StatefulSet", "db", true)));
        assert_eq!(of(&pod, &live), Belongs::Operated);
        let pod = object("Pod", "web-0", Some(("apps/v1", "StatefulSet", "web", true)));
        assert_eq!(of(&pod, &live), Belongs::Controller);
        let kept = object("ConfigMap", "a", Some(("apps/v1", "Deployment", "web", false)));
        assert_eq!(of(&kept, &live), Belongs::Nobody);
        assert_eq!(of(&object("Deployment", "web", None), &live), Belongs::Nobody);
    }
}
