//! What controllers write a moment after, or before, what explains it: it is looked at twice.

use std::time::Duration;

use gitward_core::change::Change;
use gitward_core::object::{self, ObjectKey};
use gitward_core::path::FieldPath;
use serde_json::Value;

/// How long a controller may take until what it wrote can be explained.
pub(crate) const TIME: Duration = Duration::from_secs(1);

/// Whether an object that Git does not declare may be a controller's. Endpoints name no owner.
pub(crate) fn may_be_a_controllers(key: &ObjectKey, live: &Value) -> bool {
    !object::owner_references(live).is_empty() || (key.group.is_empty() && key.kind == "Endpoints")
}

/// Whether nothing of a declared object differs but what its controller writes a moment after it
/// made a child: a Deployment's revision is its newest ReplicaSet's.
pub(crate) fn follows_its_children(key: &ObjectKey, changes: &[Change]) -> bool {
    let revision = FieldPath::of(["metadata", "annotations", "deployment.kubernetes.io/revision"]);
    key.group == "apps" && key.kind == "Deployment" && changes.iter().all(|c| c.path == revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_alone_may_be_late() {
        let key = ObjectKey::new("apps", "Deployment", "a", "b");
        let change = |path| Change { path, old: None, new: None };
        let revision = || change(FieldPath::of(["metadata", "annotations", "deployment.kubernetes.io/revision"]));
        assert!(follows_its_children(&key, &[revision()]));
        assert!(!follows_its_children(&key, &[revision(), change(FieldPath::of(["spec", "replicas"]))]));
        assert!(!follows_its_children(&ObjectKey::new("apps", "StatefulSet", "a", "b"), &[revision()]));
    }
}
