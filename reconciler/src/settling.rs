//! What controllers write a moment after, or before, what explains it: it is looked at twice.

use std::time::Duration;

use gitward_core::change::Change;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use gitward_core::path::FieldPath;
use serde_json::Value;

const REVISION: &str = "deployment.kubernetes.io/revision";

/// How long a controller may take until what it wrote can be explained.
pub(crate) const TIME: Duration = Duration::from_secs(1);

/// How long a Deployment's revision may lie behind that of its newest ReplicaSet: its controller may be stopped
/// between writing the one and the other, and has to start again.
const LATE: Duration = Duration::from_secs(30);

/// How long it is waited for what follows its children: where it lies behind them, long enough for a
/// controller that starts again; whatever else stands there, nobody is going to write.
pub(crate) fn patience(live: &Value, index: &dyn Lookup) -> Duration {
    let revision = |object: &Value| object::annotation(object, REVISION)?.parse::<u64>().ok();
    let sets = index.list("apps", "ReplicaSet", object::namespace(live));
    let own = sets.iter().filter(|s| object::controller_reference(s).is_some_and(|r| r["uid"] == object::uid(live)));
    let newest = own.filter_map(|set| revision(set)).max();
    let is_absent = object::annotation(live, REVISION).is_none();
    let lies_behind =
        newest.is_some_and(|newest| is_absent || revision(live).is_some_and(|r| (1..newest).contains(&r)));
    if lies_behind { LATE } else { TIME }
}

/// Whether an object that Git does not declare may be a controller's. Endpoints name no owner.
pub(crate) fn may_be_a_controllers(key: &ObjectKey, live: &Value) -> bool {
    !object::owner_references(live).is_empty() || (key.group.is_empty() && key.kind == "Endpoints")
}

/// Whether nothing of a declared object differs but what its controller writes a moment after it
/// made a child: a Deployment's revision is its newest ReplicaSet's.
pub(crate) fn follows_its_children(key: &ObjectKey, changes: &[Change]) -> bool {
    let revision = FieldPath::of(["metadata", "annotations", REVISION]);
    key.group == "apps" && key.kind == "Deployment" && changes.iter().all(|c| c.path == revision)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gitward_core::lookup::Overlay;
    use serde_json::json;

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

    #[test]
    fn only_what_lies_behind_is_waited_for_long() {
        let object = |kind: &str, name: &str, revision: &str| {
            let owner = json!([{"controller": true, "uid": "d"}]);
            json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "a", "uid": "d",
                "ownerReferences": owner, "annotations": {REVISION: revision}}})
        };
        let mut index = Overlay::default();
        for (name, revision) in [("old", "1"), ("new", "2")] {
            let set = object("ReplicaSet", name, revision);
            index.set(ObjectKey::of(&set).unwrap(), Some(Arc::new(set)));
        }
        let patience = |revision: &str| patience(&object("Deployment", "web", revision), &index);
        assert_eq!((patience("1"), patience("2"), patience("3")), (LATE, TIME, TIME));
        assert_eq!((patience("0"), patience("forged")), (TIME, TIME));
    }
}
