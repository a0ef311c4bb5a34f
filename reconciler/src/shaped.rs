//! Objects whose creation comes out otherwise once something else of the same commit is there: an
//! Ingress takes the default class, a bare Pod its account's pull secrets, a custom resource its
//! definition's defaults.

use std::collections::HashMap;

use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Snapshot;

use crate::learn::{Action, Learnt};

/// The objects that have to be learnt again when what shapes them was written, each with that.
pub fn to_wait<'a>(
    target: &'a Snapshot,
    learnt: &'a HashMap<ObjectKey, Learnt>,
    deferred: impl Iterator<Item = &'a ObjectKey>,
) -> Vec<(ObjectKey, String)> {
    let written = learnt.iter().filter(|(_, found)| found.action != Action::Keep).map(|(key, _)| key);
    let shapes: Vec<(Shape<'_>, &ObjectKey)> =
        written.chain(deferred).filter_map(|key| Some((Shape::of(target, key)?, key))).collect();
    let waiting = learnt.iter().filter_map(|(key, found)| {
        let (_, by) = shapes.iter().find(|(shape, _)| shape.forms(key, found.action))?;
        Some((key.clone(), by.to_string()))
    });
    waiting.collect()
}

/// What an object that is about to be written makes of others.
enum Shape<'a> {
    /// Creations of these kinds, everywhere or in one namespace.
    Creations { group: &'static str, kind: &'static str, namespace: Option<&'a str> },
    /// Whatever is written of this kind.
    Kind { group: &'a str, kind: &'a str },
}

impl<'a> Shape<'a> {
    fn of(target: &'a Snapshot, key: &'a ObjectKey) -> Option<Self> {
        let (group, kind, namespace) = match (key.group.as_str(), key.kind.as_str()) {
            ("networking.k8s.io", "IngressClass") => ("networking.k8s.io", "Ingress", None),
            ("storage.k8s.io", "StorageClass") => ("", "PersistentVolumeClaim", None),
            ("scheduling.k8s.io", "PriorityClass") | ("node.k8s.io", "RuntimeClass") => ("", "Pod", None),
            ("", "LimitRange" | "ServiceAccount") => ("", "Pod", Some(key.namespace.as_str())),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                let definition = &target.declared(key)?.canonical;
                let field = |pointer| definition.pointer(pointer).and_then(|v| v.as_str());
                return Some(Self::Kind { group: field("/spec/group")?, kind: field("/spec/names/kind")? });
            }
            _ => return None,
        };
        Some(Self::Creations { group, kind, namespace })
    }

    fn forms(&self, key: &ObjectKey, action: Action) -> bool {
        match *self {
            Self::Creations { group, kind, namespace } => {
                matches!(action, Action::Create | Action::Recreate)
                    && key.group == group
                    && key.kind == kind
                    && namespace.is_none_or(|n| n == key.namespace)
            }
            Self::Kind { group, kind } => action != Action::Keep && key.group == group && key.kind == kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_made_anew_waits_for_a_class_or_an_account() {
        let classes = Shape::Creations { group: "networking.k8s.io", kind: "Ingress", namespace: None };
        let ingress = ObjectKey::new("networking.k8s.io", "Ingress", "a", "b");
        assert!(classes.forms(&ingress, Action::Create) && classes.forms(&ingress, Action::Recreate));
        assert!(!classes.forms(&ingress, Action::Replace) && !classes.forms(&ingress, Action::Keep));
        let account = Shape::Creations { group: "", kind: "Pod", namespace: Some("a") };
        assert!(account.forms(&ObjectKey::new("", "Pod", "a", "p"), Action::Create));
        assert!(!account.forms(&ObjectKey::new("", "Pod", "b", "p"), Action::Create));
    }

    #[test]
    fn whatever_is_written_of_a_kind_waits_for_its_definition() {
        let definition = Shape::Kind { group: "x.io", kind: "Thing" };
        let thing = ObjectKey::new("x.io", "Thing", "a", "b");
        assert!(definition.forms(&thing, Action::Replace) && !definition.forms(&thing, Action::Keep));
        assert!(!definition.forms(&ObjectKey::new("y.io", "Thing", "a", "b"), Action::Create));
    }
}
