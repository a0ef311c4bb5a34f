//! What Git declares while the control plane is upgraded, and what people try to make of it.

use serde_json::{Value, json};

pub(super) const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
kubernetes: ['1.35', '1.36']
crds: [crds]
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
  clusterKinds: [DeviceClass.resource.k8s.io]
";

pub(super) const WIDGETS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              colour: {type: string, default: grey}
";

/// The shop, with its workloads in this release.
pub(super) fn shop(release: usize) -> String {
    include_str!("shop.yaml").replace("RELEASE", &release.to_string())
}

/// A class of devices. Of the field that it may have besides, API servers of 1.35 know and want nothing.
pub(super) fn devices(extended: bool) -> String {
    let mut class = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": "fast"},
        "spec": {"selectors": [{"cel": {"expression": "device.driver == \"fast.example.org\""}}]},
    });
    if extended {
        class["spec"]["extendedResourceName"] = json!("example.org/fast");
    }
    class.to_string()
}

/// A StatefulSet that a release brings. Its `maxUnavailable` is one that API servers of 1.35 fill in and those of
/// 1.36 do not.
pub(super) fn brought_by(release: usize) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": format!("brought-{release}"), "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": format!("brought-{release}")}},
            "template": {
                "metadata": {"labels": {"app": format!("brought-{release}")}},
                "spec": {"containers": [{"name": "app", "image": "registry.example.org/app:1"}]},
            },
        },
    })
    .to_string()
}

/// What a person tries to make of an object.
pub(super) struct Edit {
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) patch: Value,
    /// The field that the denial names.
    pub(super) field: &'static str,
    /// Whether API servers of one of the two versions drop the field: the edit then changes nothing.
    pub(super) may_be_dropped: bool,
}

/// Edits that Git does not have.
pub(super) fn edits() -> Vec<Edit> {
    let edit = |version, kind, name, field, patch| Edit { version, kind, name, patch, field, may_be_dropped: false };
    let unavailable = "spec.updateStrategy.rollingUpdate.maxUnavailable";
    let three = json!({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 3}}}});
    let resource = json!({"spec": {"extendedResourceName": "example.org/mine"}});
    vec![
        edit(
            "apps/v1",
            "Deployment",
            "web",
            "spec.template.spec.hostNetwork",
            json!({"spec": {"template": {"spec": {"hostNetwork": true}}}}),
        ),
        edit("apps/v1", "Deployment", "web", "spec.paused", json!({"spec": {"paused": true}})),
        edit(
            "apps/v1",
            "StatefulSet",
            "ledger",
            "spec.updateStrategy.rollingUpdate.partition",
            json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}),
        ),
        edit("apps/v1", "DaemonSet", "agent", "spec.minReadySeconds", json!({"spec": {"minReadySeconds": 9}})),
        edit("v1", "Service", "web", "spec.sessionAffinity", json!({"spec": {"sessionAffinity": "ClientIP"}})),
        edit("batch/v1", "CronJob", "report", "spec.suspend", json!({"spec": {"suspend": true}})),
        edit(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "checkout",
            "spec.maxReplicas",
            json!({"spec": {"maxReplicas": 9}}),
        ),
        edit("policy/v1", "PodDisruptionBudget", "web", "spec.minAvailable", json!({"spec": {"minAvailable": 0}})),
        edit(
            "networking.k8s.io/v1",
            "Ingress",
            "web",
            "spec.defaultBackend",
            json!({"spec": {"defaultBackend": {"service": {"name": "evil", "port": {"number": 80}}}}}),
        ),
        edit("example.org/v1", "Widget", "knob", "spec.colour", json!({"spec": {"colour": "red"}})),
        // Fields that differ between the two versions.
        Edit { may_be_dropped: true, ..edit("apps/v1", "StatefulSet", "ledger", unavailable, three) },
        Edit {
            may_be_dropped: true,
            ..edit("resource.k8s.io/v1", "DeviceClass", "fast", "spec.extendedResourceName", resource)
        },
    ]
}
