//! Rules about objects that the API server would refuse though they fit their schema.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "valid/label",
        title: "Labels, selectors and annotations are written as they may be",
        why: "The API server refuses other keys and values: a key is `name` or `example.org/name`, a value has at most 63 letters, digits, `-`, `_` and `.`.",
        example: r#"metadata:
  labels:
    team: shop & data"#,
        fix: "Correct it. What does not fit into a label may be an annotation, whose values are free.",
    },
    Row {
        rule: "valid/name",
        title: "Names are written as their kind of thing is called",
        why: "The API server refuses other names: of containers, volumes, ports and variables, of keys in ConfigMaps and Secrets, of hosts, classes, webhooks and finalizers, of Services, Namespaces, Jobs and CronJobs; and paths that lead out of a volume.",
        example: r#"containers:
- name: Web_Server"#,
        fix: "Use the characters and the length that the finding names.",
    },
    Row {
        rule: "valid/duplicate",
        title: "What may stand in a list once stands there once",
        why: "The API server refuses two containers, volumes, ports, mounts, gates or sysctls that answer to the same name, number or path. Variables may be repeated.",
        example: r#"volumeMounts:
- {name: a, mountPath: /data}
- {name: b, mountPath: /data}"#,
        fix: "Remove one of the two, or give it a name of its own.",
    },
    Row {
        rule: "valid/missing",
        title: "Nothing that is needed is left empty",
        why: "The API server refuses a Pod without containers, a mount without its volume, a Service without ports, several ports without names, an Ingress that leads nowhere, a peer that is nobody, a container without image, a workload without `spec`, a webhook rule about nothing, a probe that does nothing, a claim without storage, a volume without source, a rule without verbs, and a Secret without the keys of its type.",
        example: "containers: []",
        fix: "Add what the finding names.",
    },
    Row {
        rule: "valid/value",
        title: "Values are among those that there are",
        why: "The API server refuses others, though the schema takes any text: kinds and groups in bindings, fields of the Pod in variables, resources of containers, side effects of webhooks, and the like.",
        example: r#"roleRef:
  kind: Rolle"#,
        fix: "Write one of the values that the finding names.",
    },
    Row {
        rule: "valid/port",
        title: "Ports are numbers from 1 to 65535",
        why: "The API server refuses others.",
        example: r#"ports:
- containerPort: 80800"#,
        fix: "Correct the number.",
    },
    Row {
        rule: "valid/selector",
        title: "A workload selects its own Pods",
        why: "The API server refuses a Deployment, ReplicaSet, DaemonSet or StatefulSet whose selector is empty or does not match the labels of its own template: it would make Pods for ever.",
        example: r#"selector:
  matchLabels: {app: web}
template:
  metadata:
    labels: {app: wbe}"#,
        fix: "Give the template all labels that the selector names.",
    },
    Row {
        rule: "valid/restart-policy",
        title: "Pods restart as their workload needs it",
        why: "The API server takes OnFailure or Never for Jobs and CronJobs, and Always for what is kept running; what is left out counts as Always.",
        example: r#"kind: Job
spec:
  template:
    spec:
      containers: […]    # no restartPolicy"#,
        fix: "Write `restartPolicy: Never` or `OnFailure` in a Job, and leave it out elsewhere.",
    },
    Row {
        rule: "valid/bounds",
        title: "Numbers are within their bounds, and what belongs together fits",
        why: "The API server refuses a least above the greatest, a request above its limit, numbers that may not be negative and are, percentages that are none, fields that exclude each other, and fields that are for another type.",
        example: r#"spec:
  minReplicas: 5
  maxReplicas: 3"#,
        fix: "Correct the number, or one of the two.",
    },
    Row {
        rule: "valid/schedule",
        title: "Schedule and time zone of a CronJob can be read",
        why: "The API server refuses any other: five fields for minute, hour, day of the month, month and day of the week (0 to 6), or a word such as `@hourly`. Seconds have no field. Time zones are those of the time zone database.",
        example: r#"schedule: "0 0 4 * * *""#,
        fix: "Write five fields.",
    },
    Row {
        rule: "valid/cidr",
        title: "Addresses and ranges of them can be read",
        why: "The API server refuses an address or a `cidr` that is none, and an `except` that does not lie within it.",
        example: r#"ipBlock:
  cidr: 10.0.0.0
  except: [11.0.0.0/16]"#,
        fix: "Write an address and a length, like `10.0.0.0/8`, and take out only what lies within.",
    },
    Row {
        rule: "valid/definition",
        title: "A CustomResourceDefinition is whole",
        why: "The API server stores one version, and finds the definition by plural name and group; it refuses one with two stored versions, or none, or another name, and groups of Kubernetes without its approval.",
        example: r#"versions:
- {name: v1, served: true, storage: true}
- {name: v2, served: true, storage: true}"#,
        fix: "Set `storage: true` on one version, and name it `plural.group`.",
    },
];
