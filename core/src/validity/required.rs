//! Texts and lists that may not be left empty.

use super::object::{Object, is_given};
use super::{Containers, Everything, Kinds, On, Pods, RIGHTS, look};

/// Which objects, which map in them, and texts and lists of it that may not be empty. Where they are left out the
/// schema tells.
const FILLED: &[(On, &str)] = &[
    (Everything, "metadata.ownerReferences[].apiVersion|kind|name|uid"),
    (Pods, "spec.volumes[].persistentVolumeClaim.claimName"),
    (Pods, "spec.volumes[].hostPath.path"),
    (Pods, "spec.volumes[].nfs.server|path"),
    (Pods, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
    (Pods, "spec.affinity.podAffinity|podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].topologyKey"),
    (Containers, "volumeMounts[].mountPath"),
    (Kinds("storage.k8s.io", &["StorageClass"]), "provisioner"),
    (Kinds("networking.k8s.io", &["Ingress"]), "spec.rules[].http.paths"),
    (Kinds(RIGHTS, &["Role", "ClusterRole"]), "rules[].verbs"),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "roleRef.name"),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "subjects[].name"),
];

/// Which objects, which map in them, and fields that it needs though the schema does not say so.
const NEEDED: &[(On, &str, &[&str])] = &[
    (Pods, "spec.volumes[].configMap", &["name"]),
    (Pods, "spec.volumes[].secret", &["secretName"]),
    (Pods, "spec.volumes[].projected.sources[].configMap|secret", &["name"]),
    (Kinds("", &["PersistentVolumeClaim"]), "spec", &["accessModes"]),
    (Kinds("", &["PersistentVolume"]), "spec", &["accessModes", "capacity"]),
];

pub(super) fn filled(object: &mut Object<'_>) {
    for (on, path) in FILLED {
        look(object, on, path, |object, value, at| {
            if !is_given(value) {
                object.say("valid/missing", at, "must not be empty", "write it, or remove what it belongs to");
            }
        });
    }
}

pub(super) fn needed(object: &mut Object<'_>) {
    for (on, path, fields) in NEEDED {
        look(object, on, path, |object, map, at| {
            for field in fields.iter().filter(|field| map.is_object() && !is_given(&map[**field])) {
                object.say("valid/missing", at, format!("needs `{field}`"), "add it");
            }
        });
    }
}

/// An image that is left out is often filled in by a webhook; an empty one is a mistake.
pub(super) fn image(object: &mut Object<'_>) {
    look(object, &Containers, "image", |object, image, at| {
        let Some(image) = image.as_str() else { return };
        if image.is_empty() {
            object.say("valid/missing", at, "must not be empty", "name the image");
        } else if image.trim() != image {
            object.say("valid/name", at, "has whitespace around it", "take it away");
        }
    });
}
