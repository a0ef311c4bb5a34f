//! Finalizers that the API server or a controller sets on declared objects.

use serde_json::Value;

use super::{Subject, set};
use crate::derived::Context;
use crate::object;

/// The one finalizer that each kind's own controller keeps; any other is a stranger's, and a
/// planted finalizer blocks deletion for good.
fn known(subject: &Subject<'_>) -> &'static [&'static str] {
    match (subject.key.group.as_str(), subject.key.kind.as_str()) {
        ("", "PersistentVolumeClaim") => &["kubernetes.io/pvc-protection"],
        ("", "PersistentVolume") => {
            &["kubernetes.io/pv-protection", "external-provisioner.volume.kubernetes.io/finalizer"]
        }
        ("storage.k8s.io", "VolumeAttributesClass") => &["kubernetes.io/vac-protection"],
        ("resource.k8s.io", "ResourceClaim") => &["resource.kubernetes.io/delete-protection"],
        ("networking.k8s.io", "ServiceCIDR") => &["networking.k8s.io/service-cidr-finalizer"],
        ("apiextensions.k8s.io", "CustomResourceDefinition") => &["customresourcecleanup.apiextensions.k8s.io"],
        ("scheduling.k8s.io", "PodGroup") => &["scheduling.k8s.io/podgroup-protection"],
        _ => &[],
    }
}

/// What the API server sets when it creates an object, and its controller keeps until it is deleted.
const AT_CREATION: [&str; 3] =
    ["kubernetes.io/pvc-protection", "kubernetes.io/pv-protection", "kubernetes.io/vac-protection"];

/// What a delete call leaves while it works.
const DELETION: [&str; 2] = ["foregroundDeletion", "orphan"];

/// Keeps declared and known finalizers, in the live object's order; drops all others.
pub(super) fn finalizers(target: &mut Value, subject: &Subject<'_>, _context: &Context<'_>) {
    let known = known(subject);
    let terminating = object::is_terminating(subject.live);
    let declared: Vec<&str> = object::finalizers(subject.declared).collect();
    let mut kept: Vec<&str> = object::finalizers(subject.live)
        .filter(|f| declared.contains(f) || known.contains(f) || (terminating && DELETION.contains(f)))
        .collect();
    kept.extend(declared.iter().copied().filter(|f| !object::finalizers(subject.live).any(|l| l == *f)));
    // What the creation set protects the object until it is deleted: that it is missing shows.
    let recorded = subject.recorded(&["metadata", "finalizers"]).and_then(Value::as_array);
    let set_at_creation: Vec<String> = object::finalizers(target)
        .chain(recorded.into_iter().flatten().filter_map(Value::as_str))
        .filter(|f| !terminating && AT_CREATION.contains(f) && known.contains(f))
        .map(str::to_owned)
        .collect();
    for finalizer in &set_at_creation {
        if !kept.contains(&finalizer.as_str()) {
            kept.push(finalizer);
        }
    }
    if kept.is_empty() {
        super::remove(target, &["metadata", "finalizers"]);
    } else {
        let kept = kept.into_iter().map(|f| Value::String(f.to_owned())).collect();
        set(target, &["metadata", "finalizers"], Value::Array(kept));
    }
}
