//! What makes Pods: how many, in what order, and to what end.

use super::mistakes;

/// A workload with a field of its `spec` in `{spec}`.
fn workload(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: {kind}
metadata: {{name: a}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  {spec}
  template:
    metadata: {{labels: {{a: b}}}}
    spec: {{containers: [{{name: a, image: a}}]}}
"
    )
}

#[test]
fn deployments() {
    let spec = "replicas: 0\n  minReadySeconds: 5\n  strategy: {rollingUpdate: {maxSurge: 150%, maxUnavailable: 0}}";
    mistakes(
        &workload("Deployment", spec),
        &[
            ("replicas: 0", "replicas: ^-1", "valid/bounds"),
            ("replicas: 0", "revisionHistoryLimit: ^-1", "valid/bounds"),
            ("minReadySeconds: 5", "minReadySeconds: ^600", "valid/bounds"),
            ("minReadySeconds: 5", "minReadySeconds: 600\n  progressDeadlineSeconds: 601", ""),
            ("minReadySeconds: 5", "minReadySeconds: 5\n  progressDeadlineSeconds: ^5", "valid/bounds"),
            ("maxSurge: 150%", "maxSurge: ^'25'", "valid/bounds"),
            ("maxSurge: 150%, maxUnavailable: 0", "maxSurge: 0%, maxUnavailable: ^0", "valid/bounds"),
            ("maxSurge: 150%, maxUnavailable: 0", "maxSurge: 0", ""),
            ("maxUnavailable: 0", "maxUnavailable: ^101%", "valid/bounds"),
            ("{rollingUpdate: {", "{type: Recreate, rollingUpdate: ^{", "valid/bounds"),
            ("{rollingUpdate: {maxSurge: 150%, maxUnavailable: 0}}", "{type: Recreate, rollingUpdate: null}", ""),
            ("spec: {containers", "spec: {activeDeadlineSeconds: ^5, containers", "valid/bounds"),
        ],
    );
}

#[test]
fn daemon_sets_surge_or_are_unavailable() {
    mistakes(
        &workload("DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"),
        &[
            ("maxSurge: 1, maxUnavailable: 0", "maxSurge: ^1, maxUnavailable: 1", "valid/bounds"),
            ("maxSurge: 1, maxUnavailable: 0", "maxSurge: ^1", "valid/bounds"),
            ("maxSurge: 1, maxUnavailable: 0", "maxUnavailable: 1", ""),
            ("maxSurge: 1, maxUnavailable: 0", "maxUnavailable: ^0", "valid/bounds"),
        ],
    );
}

#[test]
fn stateful_sets() {
    let spec = "ordinals: {start: 0}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}";
    mistakes(
        &workload("StatefulSet", spec),
        &[
            ("start: 0", "start: ^-1", "valid/bounds"),
            ("whenDeleted: Retain", "whenDeleted: ^Keep", "valid/value"),
            ("partition: 0", "partition: ^-1", "valid/bounds"),
            ("type: RollingUpdate, rollingUpdate: {", "type: OnDelete, rollingUpdate: ^{", "valid/bounds"),
        ],
    );
}

#[test]
fn jobs() {
    let text = "\
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec:
  parallelism: 0
  completionMode: Indexed
  backoffLimitPerIndex: 1
  managedBy: example.org/a
  podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [1]}}]}
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: a}]}
";
    let long = format!("name: ^{}", "n".repeat(64));
    mistakes(
        text,
        &[
            ("name: a}\nspec", &format!("{long}}}\nspec"), "valid/name"),
            ("parallelism: 0", "parallelism: ^-1", "valid/bounds"),
            ("parallelism: 0", "ttlSecondsAfterFinished: ^-1", "valid/bounds"),
            ("completionMode: Indexed\n  backoffLimitPerIndex: 1", "backoffLimitPerIndex: ^1", "valid/bounds"),
            ("managedBy: example.org/a", "managedBy: ^a", "valid/name"),
            ("values: [1]", "values: [^0]", "valid/bounds"),
            ("operator: In, values: [1]", "operator: NotIn, values: [0]", ""),
            ("restartPolicy: Never", "restartPolicy: ^OnFailure", "valid/restart-policy"),
            ("parallelism: 0", "selector: ^{matchLabels: {a: b}}", "valid/bounds"),
            ("parallelism: 0", "selector: {matchLabels: {batch.kubernetes.io/controller-uid: b}}", ""),
        ],
    );
}

#[test]
fn cron_jobs() {
    let text = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: a}
spec:
  schedule: '@daily'
  timeZone: Europe/Berlin
  failedJobsHistoryLimit: 0
  startingDeadlineSeconds: 0
  jobTemplate:
    spec:
      completions: 1
      template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
";
    mistakes(
        text,
        &[
            ("timeZone: Europe/Berlin", "timeZone: ^Europe/Brelin", "valid/schedule"),
            ("timeZone: Europe/Berlin", "timeZone: UTC", ""),
            ("timeZone: Europe/Berlin", "timeZone: Etc/UTC", ""),
            ("timeZone: Europe/Berlin", "timeZone: US/Eastern", ""),
            ("timeZone: Europe/Berlin", "timeZone: GMT", ""),
            ("timeZone: Europe/Berlin", "timeZone: ^utc", "valid/schedule"),
            ("timeZone: Europe/Berlin", "timeZone: ^europe/berlin", "valid/schedule"),
            ("timeZone: Europe/Berlin", "timeZone: ^Local", "valid/schedule"),
            ("timeZone: Europe/Berlin", "timeZone: ^Etc/Unknown", "valid/schedule"),
            ("timeZone: Europe/Berlin", "timeZone: ^''", "valid/schedule"),
            (
                "spec:\n      completions: 1\n      template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}",
                "^metadata: {}",
                "valid/missing",
            ),
            ("failedJobsHistoryLimit: 0", "failedJobsHistoryLimit: ^-1", "valid/bounds"),
            ("startingDeadlineSeconds: 0", "startingDeadlineSeconds: ^-1", "valid/bounds"),
            ("completions: 1", "completions: ^-1", "valid/bounds"),
            ("completions: 1", "selector: ^{matchLabels: {a: b}}", "valid/bounds"),
        ],
    );
}

#[test]
fn autoscalers() {
    let text = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 0
  maxReplicas: 5
  metrics:
  - {type: External, external: {metric: {name: a}, target: {type: Value, value: 1}}}
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  behavior: {scaleDown: {stabilizationWindowSeconds: 3600, policies: [{type: Pods, value: 1, periodSeconds: 1800}]}}
";
    mistakes(
        text,
        &[
            ("minReplicas: 0", "minReplicas: 1", ""),
            ("averageUtilization: 50", "averageUtilization: 50, averageValue: ^1", "valid/bounds"),
            ("averageUtilization: 50", "averageUtilization: ^0", "valid/bounds"),
            ("{type: Utilization, averageUtilization: 50}", "^{type: Utilization}", "valid/missing"),
            ("{type: Utilization, averageUtilization: 50}", "{type: Utilization, averageValue: 1}", ""),
            ("{type: Value, value: 1}", "^{type: Value}", "valid/missing"),
            ("type: Utilization", "type: ^Percent", "valid/value"),
            ("type: Utilization", "type: ^''", "valid/missing"),
            ("{type: Resource", "{type: ^Resources", "valid/value"),
            ("{type: Resource", "{type: ^''", "valid/missing"),
            ("{type: Resource, resource: ", "^{type: Resource, x: ", "valid/missing"),
            ("stabilizationWindowSeconds: 3600", "stabilizationWindowSeconds: ^4000", "valid/bounds"),
            ("type: Pods", "type: ^Foo", "valid/value"),
            ("periodSeconds: 1800", "periodSeconds: ^1801", "valid/bounds"),
        ],
    );
    let text =
        text.replace("- {type: External, external: {metric: {name: a}, target: {type: Value, value: 1}}}\n  ", "");
    assert_eq!(super::found(&text), ["valid/bounds 5:16"]);
    for good in ["minAvailable: 100%", "minAvailable: 0"] {
        let budget =
            format!("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: a}}\nspec:\n  {good}\n");
        mistakes(
            &budget,
            &[(good, "minAvailable: ^101%", "valid/bounds"), (good, "maxUnavailable: ^-1", "valid/bounds")],
        );
    }
}
