//! Fields of which one excludes the others, and fields of which one is needed.

use serde_json::Value;

use super::object::{Object, is_given};
use super::webhooks::CONFIGURATIONS;
use super::{Containers, Kinds, On, Pods, look};

/// Sources of volumes, of Pods and of PersistentVolumes.
const SOURCES: &[&str] = &[
    "emptyDir",
    "hostPath",
    "configMap",
    "secret",
    "persistentVolumeClaim",
    "projected",
    "downwardAPI",
    "csi",
    "nfs",
    "local",
    "ephemeral",
    "image",
    "iscsi",
    "fc",
    "rbd",
    "cephfs",
    "cinder",
    "glusterfs",
    "flexVolume",
    "flocker",
    "gitRepo",
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "gcePersistentDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];
const VARIABLE: &[&str] = &["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
const PROJECTED: &[&str] =
    &["configMap", "secret", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];
const ROLE: On = Kinds("rbac.authorization.k8s.io", &["ClusterRole"]);
const INGRESS: On = Kinds("networking.k8s.io", &["Ingress"]);
const PORT: &[&str] = &["name", "number"];
const AUTOSCALER: On = Kinds("autoscaling", &["HorizontalPodAutoscaler"]);

/// Which objects, which map in them, and fields of which it has at most one.
const EXCLUSIVE: &[(On, &str, &[&str])] = &[
    (Pods, "spec.volumes[]", SOURCES),
    (Pods, "spec.volumes[].projected.sources[]", PROJECTED),
    (Containers, "volumeMounts[]", &["subPath", "subPathExpr"]),
    (Containers, "env[].valueFrom", VARIABLE),
    (Containers, "envFrom[]", &["configMapRef", "secretRef"]),
    (Kinds("", &["PersistentVolume"]), "spec", SOURCES),
    (INGRESS, "spec.defaultBackend", &["service", "resource"]),
    (INGRESS, "spec.rules[].http.paths[].backend", &["service", "resource"]),
    (INGRESS, "spec.defaultBackend.service.port", PORT),
    (INGRESS, "spec.rules[].http.paths[].backend.service.port", PORT),
    (AUTOSCALER, "spec.metrics[].resource|containerResource.target", &["averageUtilization", "averageValue"]),
    (ROLE, "rules[]", &["resources", "nonResourceURLs"]),
    (CONFIGURATIONS, "webhooks[].clientConfig", &["url", "service"]),
];

/// Which objects, which map in them, and fields of which it needs one.
const NEEDED: &[(On, &str, &[&str])] = &[
    (Containers, "env[].valueFrom", VARIABLE),
    (Containers, "envFrom[]", &["configMapRef", "secretRef"]),
    (Kinds("", &["PersistentVolume"]), "spec", SOURCES),
    (INGRESS, "spec.defaultBackend.service", &["port"]),
    (INGRESS, "spec.rules[].http.paths[].backend.service", &["port"]),
    (INGRESS, "spec.defaultBackend.service.port", PORT),
    (INGRESS, "spec.rules[].http.paths[].backend.service.port", PORT),
    (AUTOSCALER, "spec.metrics[].resource|containerResource.target", &["averageUtilization", "averageValue"]),
    (AUTOSCALER, "spec.metrics[].pods.target", &["averageValue"]),
    (AUTOSCALER, "spec.metrics[].object|external.target", &["value", "averageValue"]),
    (CONFIGURATIONS, "webhooks[].clientConfig", &["url", "service"]),
    (
        Kinds("admissionregistration.k8s.io", &["ValidatingAdmissionPolicy"]),
        "spec",
        &["validations", "auditAnnotations"],
    ),
];

pub(super) fn exclusive(object: &mut Object<'_>) {
    for (on, path, fields) in EXCLUSIVE {
        look(object, on, path, |object, map, at| {
            let mut given = fields.iter().filter(|field| is_given(&map[**field]));
            let Some(first) = given.next() else { return };
            for other in given {
                let what = format!("stands beside `{first}`, which excludes it");
                object.say("valid/bounds", &at.field(other), what, "keep one of the two");
            }
        });
    }
}

/// (A zero is something; that it is no port is told as such.)
fn is_nothing(value: &Value) -> bool {
    !is_given(value) && value.as_i64().is_none()
}

pub(super) fn needed(object: &mut Object<'_>) {
    for (on, path, fields) in NEEDED {
        look(object, on, path, |object, map, at| {
            if map.is_object() && fields.iter().all(|field| is_nothing(&map[*field])) {
                let (what, hint) = match fields.len() {
                    1 | 2 => (format!("needs `{}`", fields.join("` or `")), "add it"),
                    _ => ("has no source".to_owned(), "name one, as a field of it"),
                };
                object.say("valid/missing", at, what, hint);
            }
        });
    }
}
