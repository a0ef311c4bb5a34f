//! Rules about what objects say of each other.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "reference/missing",
        title: "What an object names is declared",
        why: "A Pod waits for ever for a ConfigMap, Secret, claim or account that is not there, and an Ingress, autoscaler or binding without its target does nothing. Looked for only in namespaces that are governed as a whole; left out is what Kubernetes makes, what gitward.yaml delegates or exempts, and what a custom resource beside it may make. A warning.",
        example: r#"envFrom:
- configMapRef: {name: settings}    # no ConfigMap settings in the namespace"#,
        fix: "Declare it, correct the name, mark the reference `optional: true`, or say in gitward.yaml who makes it.",
    },
    Row {
        rule: "reference/key",
        title: "A key that is read is there",
        why: "The container does not start without it. A warning.",
        example: r#"configMapKeyRef: {name: settings, key: colour}    # the ConfigMap has `color`"#,
        fix: "Use one of the keys that the finding lists, or add the key.",
    },
    Row {
        rule: "reference/selector",
        title: "A selector selects something",
        why: "A Service that selects no Pod has no endpoints, and a disruption budget that selects none protects nothing. A warning.",
        example: r#"kind: Service
spec:
  selector: {app: wbe}    # the Pods have app: web"#,
        fix: "Correct the selector, or the labels of the Pod template.",
    },
    Row {
        rule: "reference/port",
        title: "A port that is led to is there",
        why: "A Service's target port by name has to be a port of its Pods, and an Ingress' port one of the Service; else nothing answers. A warning.",
        example: r#"kind: Service
spec:
  ports: [{port: 80, targetPort: web}]    # the container's port is named http"#,
        fix: "Use one of the ports that the finding lists.",
    },
];
