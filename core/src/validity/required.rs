//! Texts and lists that may not be left empty.

use super::autoscaling::METRIC_TARGET_TYPES;
use super::object::{Object, is_given, is_unset};
use super::webhooks::{CONFIGURATIONS, POLICIES};
use super::{Containers, Everything, Kinds, On, Pods, RIGHTS, WORKLOADS, look};

/// Which objects, which map in them, and texts and lists of it that may not be empty. Where they are left out the
/// schema tells, or there is a default: of these only the ones that an empty text does not stand for.
const FILLED: &[(On, &str)] = &[
    (Everything, "metadata.ownerReferences[].apiVersion|kind|name|uid"),
    (Pods, "spec.volumes[].persistentVolumeClaim.claimName"),
    (Pods, "spec.volumes[].hostPath.path"),
    (Pods, "spec.volumes[].nfs.server|path"),
    (Pods, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
    (Pods, "spec.affinity.podAffinity|podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].topologyKey"),
    (Containers, "volumeMounts[].mountPath"),
    (Pods, "spec.topologySpreadConstraints[].whenUnsatisfiable"),
    (Pods, "spec.securityContext.seccompProfile.type"),
    (Containers, "securityContext.seccompProfile.type"),
    (Kinds("", &["PersistentVolumeClaim", "PersistentVolume"]), "spec.accessModes[]"),
    (Kinds("", &["PersistentVolumeClaim", "PersistentVolume"]), "spec.volumeMode"),
    (CONFIGURATIONS, "webhooks[].sideEffects|failurePolicy|matchPolicy"),
    (Kinds("admissionregistration.k8s.io", POLICIES), "spec.failurePolicy"),
    (Kinds("networking.k8s.io", &["NetworkPolicy"]), "spec.policyTypes[]"),
    (Kinds("networking.k8s.io", &["NetworkPolicy"]), "spec.ingress|egress[].ports[].protocol"),
    (Kinds("networking.k8s.io", &["Ingress"]), "spec.rules[].http.paths[].pathType"),
    (Kinds("autoscaling", &["HorizontalPodAutoscaler"]), "spec.scaleTargetRef.kind|name"),
    (Kinds("autoscaling", &["HorizontalPodAutoscaler"]), "spec.metrics[].type"),
    (Kinds("autoscaling", &["HorizontalPodAutoscaler"]), METRIC_TARGET_TYPES),
    (Kinds("batch", &["CronJob"]), "spec.schedule"),
    (Kinds("storage.k8s.io", &["StorageClass"]), "provisioner"),
    (Kinds("networking.k8s.io", &["Ingress"]), "spec.rules[].http.paths"),
    (Kinds(RIGHTS, &["Role", "ClusterRole"]), "rules[].verbs"),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "roleRef.kind|name"),
    (Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), "subjects[].kind|name"),
];

/// What an object is about. An empty one is one as well: what it has to hold is told by others.
const SPEC: &[&str] = &["spec"];

/// Which requests a webhook or a policy is asked about.
const RULE: &[&str] = &["operations", "apiGroups", "apiVersions", "resources"];

/// Which objects, which map in them, and fields that it needs though the schema does not say so.
const NEEDED: &[(On, &str, &[&str])] = &[
    (Kinds("", &["Service", "PersistentVolumeClaim", "PersistentVolume", "ReplicationController"]), "", SPEC),
    (Kinds("apps", WORKLOADS), "", SPEC),
    (Kinds("batch", &["Job", "CronJob"]), "", SPEC),
    (Kinds("batch", &["CronJob"]), "spec.jobTemplate", SPEC),
    (Kinds("networking.k8s.io", &["Ingress"]), "", SPEC),
    (Kinds("autoscaling", &["HorizontalPodAutoscaler"]), "", SPEC),
    (Kinds("", &["PodTemplate"]), "", &["template"]),
    (Kinds("", &["ReplicationController"]), "spec", &["template"]),
    (Pods, "", SPEC),
    (CONFIGURATIONS, "webhooks[].rules[]", RULE),
    (Kinds("admissionregistration.k8s.io", POLICIES), "", SPEC),
    (Kinds("admissionregistration.k8s.io", POLICIES), "spec", &["matchConstraints"]),
    (Kinds("admissionregistration.k8s.io", POLICIES), "spec.matchConstraints", &["resourceRules"]),
    (Kinds("admissionregistration.k8s.io", POLICIES), "spec.matchConstraints.resourceRules[]", RULE),
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
                object.say_missing(at, field);
            }
        });
    }
}

/// Each container has an image, in templates as well.
pub(super) fn image(object: &mut Object<'_>) {
    look(object, &Containers, "", |object, container, at| {
        let (image, at_image) = (&container["image"], at.field("image"));
        if container.is_object() && image.is_null() {
            object.say("valid/missing", at, "needs `image`", "name the image");
        } else if is_unset(image) {
            object.say("valid/missing", &at_image, "must not be empty", "name the image");
        } else if image.as_str().is_some_and(|image| image.trim() != image) {
            object.say("valid/name", &at_image, "has whitespace around it", "take it away");
        }
    });
}
