//! PersistentVolumes and claims.

use super::object::{Object, elements};
use crate::path::FieldPath;

/// A disk of one node is that node's.
pub(super) fn local(object: &mut Object<'_>) {
    let spec = &object.value["spec"];
    if spec["local"].is_object() && !spec["nodeAffinity"]["required"].is_object() {
        let hint = "say in `nodeAffinity` which node has it";
        object.say("valid/missing", &FieldPath::of(["spec", "local"]), "needs `nodeAffinity` beside it", hint);
    }
}

/// A claim for one Pod is for no others.
pub(super) fn one_pod(object: &mut Object<'_>) {
    let modes = &object.value["spec"]["accessModes"];
    let one_pod = elements(modes).find(|(_, mode)| mode.as_str() == Some("ReadWriteOncePod"));
    if let Some((index, _)) = one_pod.filter(|_| elements(modes).count() > 1) {
        let at = FieldPath::of(["spec", "accessModes"]).index(index);
        object.say("valid/bounds", &at, "stands beside other modes, which it excludes", "keep it alone, or remove it");
    }
}
