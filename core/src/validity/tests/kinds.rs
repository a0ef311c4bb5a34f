//! Kinds that are no workloads.

use super::{found, mistakes};

fn object(api_version: &str, kind: &str, rest: &str) -> String {
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n")
}

#[test]
fn storage() {
    let claim = "spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}";
    mistakes(
        &object("v1", "PersistentVolumeClaim", claim),
        &[
            ("{accessModes: [ReadWriteOnce], ", "^{", "valid/missing"),
            ("[ReadWriteOnce]", "[^ReadWriteOncePod, ReadWriteOnce]", "valid/bounds"),
            ("[ReadWriteOnce]", "[ReadWriteOncePod]", ""),
            ("[ReadWriteOnce]", "[^'']", "valid/missing"),
            ("storageClassName: fast", "volumeMode: ^''", "valid/missing"),
            ("storage: 1Gi", "storage: ^0", "valid/bounds"),
            ("resources: {requests: {storage: 1Gi}}", "resources: ^{}", "valid/missing"),
            ("storageClassName: fast", "storageClassName: ^A B", "valid/name"),
            ("storageClassName: fast", "storageClassName: ''", ""),
        ],
    );
    let volume = "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /a}}";
    mistakes(
        &object("v1", "PersistentVolume", volume),
        &[
            (
                "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, ",
                "spec: ^{accessModes: [ReadWriteOnce], ",
                "valid/missing",
            ),
            ("{path: /a}", "{path: /a}, nfs: ^{server: a, path: /a}", "valid/bounds"),
            (
                "{accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /a}}",
                "^{accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}}",
                "valid/missing",
            ),
            ("hostPath: {", "local: ^{", "valid/missing"),
        ],
    );
    mistakes(
        &object("storage.k8s.io/v1", "StorageClass", "provisioner: a\nreclaimPolicy: Retain"),
        &[("provisioner: a", "provisioner: ^''", "valid/missing"), ("Retain", "^Recycle", "valid/value")],
    );
}

#[test]
fn rights() {
    let rules = "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let role = object("rbac.authorization.k8s.io/v1", "Role", rules);
    mistakes(
        &role,
        &[
            ("{apiGroups: [''], ", "^{", "valid/missing"),
            ("{apiGroups: [''], resources: [pods], ", "^{apiGroups: [''], ", "valid/missing"),
            ("verbs: [get]", "verbs: ^[]", "valid/missing"),
            ("apiGroups: [''], resources: [pods]", "nonResourceURLs: ^[/a]", "valid/bounds"),
        ],
    );
    let role = object("rbac.authorization.k8s.io/v1", "ClusterRole", "rules: [{nonResourceURLs: [/a], verbs: [get]}]");
    mistakes(
        &role,
        &[("nonResourceURLs: [/a]", "apiGroups: [''], resources: [pods], nonResourceURLs: ^[/a]", "valid/bounds")],
    );
    let binding = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: a}
subjects: [{kind: ServiceAccount, name: b, namespace: c}, {kind: Group, name: d}]";
    mistakes(
        &object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", binding),
        &[
            ("kind: ClusterRole,", "kind: ^Role,", "valid/value"),
            ("kind: ClusterRole,", "kind: ^'',", "valid/missing"),
            ("apiGroup: rbac.authorization.k8s.io", "apiGroup: ^rbac", "valid/value"),
            ("name: a}\nsubjects", "name: ^''}\nsubjects", "valid/missing"),
            ("{kind: ServiceAccount, name: b, namespace: c}", "^{kind: ServiceAccount, name: b}", "valid/missing"),
            ("kind: ServiceAccount,", "kind: ServiceAccount, apiGroup: ^rbac.authorization.k8s.io,", "valid/value"),
            ("kind: Group", "kind: ^Team", "valid/value"),
            ("kind: Group", "kind: Group, apiGroup: ^foo", "valid/value"),
        ],
    );
    let binding = object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "roleRef: {kind: Role, name: a}\nsubjects: [{kind: ServiceAccount, name: b}]",
    );
    mistakes(&binding, &[("kind: Role,", "kind: ^Roll,", "valid/value")]);
}

#[test]
fn secrets_of_a_type() {
    let cases = [
        ("kubernetes.io/tls", "tls.crt: a, tls.key: b", "tls.crt: a"),
        ("kubernetes.io/ssh-auth", "ssh-privatekey: a", "a: b"),
        ("kubernetes.io/basic-auth", "password: a", "a: b"),
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson: '{}'", "a: b"),
    ];
    for (kind, good, bad) in cases {
        let text = object("v1", "Secret", &format!("type: {kind}\nstringData: {{{good}}}"));
        mistakes(&text, &[(&format!("{{{good}}}"), &format!("^{{{bad}}}"), "valid/missing")]);
        // What others made is added to.
        assert_eq!(found(&object("v1", "Secret", &format!("type: {kind}"))), Vec::<String>::new());
    }
    let text = object("v1", "Secret", "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '{}'}");
    mistakes(&text, &[("'{}'", "^foo", "valid/value")]);
    assert_eq!(found(&object("v1", "Secret", "type: kubernetes.io/service-account-token")), ["valid/missing 4:7"]);
}

#[test]
fn sizes() {
    let text = object("v1", "ConfigMap", &format!("data: {{a: {}}}", "x".repeat(1 << 20)));
    mistakes(&text, &[("\ndata: {", "\ndata: ^{b: z, ", "valid/bounds")]);
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, annotations: {{a: {}}}}}\n",
        "x".repeat(262_143)
    );
    mistakes(&text, &[("annotations: {", "annotations: ^{b: '', ", "valid/bounds")]);
}

#[test]
fn limits_and_quotas() {
    let range = "spec: {limits: [{type: Container, min: {cpu: 1}, defaultRequest: {cpu: 1}, default: {cpu: 2}, max: {cpu: 2}}]}";
    mistakes(
        &object("v1", "LimitRange", range),
        &[
            ("default: {cpu: 2}", "default: {cpu: ^3}", "valid/bounds"),
            ("defaultRequest: {cpu: 1}", "defaultRequest: {memory: 1}", ""),
        ],
    );
    let text = object("v1", "LimitRange", "spec: {limits: [{type: Container, min: {cpu: 2}, max: {cpu: 1}}]}");
    assert_eq!(found(&text), ["valid/bounds 4:46"]);
    mistakes(&object("v1", "ResourceQuota", "spec: {hard: {pods: 0}}"), &[("pods: 0", "pods: ^-1", "valid/bounds")]);
}

#[test]
fn webhooks() {
    let hook = "webhooks: [{name: a.b.c, sideEffects: None, timeoutSeconds: 30, admissionReviewVersions: [v1, v3], clientConfig: {url: 'https://a'}, \
                rules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}, \
                {name: d.b.c, sideEffects: None, failurePolicy: Fail, admissionReviewVersions: [v1], clientConfig: {url: 'https://a'}}]";
    mistakes(
        &object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", hook),
        &[
            ("a.b.c", "^a.b", "valid/name"),
            ("d.b.c", "^a.b.c", "valid/duplicate"),
            ("sideEffects: None", "sideEffects: ^''", "valid/missing"),
            ("failurePolicy: Fail", "failurePolicy: ^''", "valid/missing"),
            ("{operations: [CREATE], ", "^{", "valid/missing"),
            ("{operations: [CREATE]", "^{operations: []", "valid/missing"),
            ("{operations: [CREATE], apiGroups: [''], ", "^{operations: [CREATE], ", "valid/missing"),
            (
                "{operations: [CREATE], apiGroups: [''], apiVersions: [v1], ",
                "^{operations: [CREATE], apiGroups: [''], ",
                "valid/missing",
            ),
            ("sideEffects: None", "sideEffects: ^Some", "valid/value"),
            ("timeoutSeconds: 30", "timeoutSeconds: ^31", "valid/bounds"),
            ("[v1, v3]", "^[v3]", "valid/value"),
            ("'https://a'", "^'http://a'", "valid/name"),
            ("{url: 'https://a'}", "^{}", "valid/missing"),
            ("{url: 'https://a'}", "{url: 'https://a', service: ^{name: a, namespace: b}}", "valid/bounds"),
        ],
    );
    let policy = object(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "spec: {validations: [{expression: a}], matchConstraints: {resourceRules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}}",
    );
    mistakes(
        &policy,
        &[
            ("{validations: [{expression: a}], ", "^{", "valid/missing"),
            (
                "{validations: [{expression: a}], matchConstraints: ",
                "^{validations: [{expression: a}], variables: ",
                "valid/missing",
            ),
            ("matchConstraints: {resourceRules", "matchConstraints: ^{other", "valid/missing"),
            ("{operations: [CREATE], apiGroups", "^{operations: [], apiGroups", "valid/missing"),
        ],
    );
}

#[test]
fn classes_and_others() {
    mistakes(
        &object("scheduling.k8s.io/v1", "PriorityClass", "value: 1000000000"),
        &[("value: 1000000000", "value: ^1000000001", "valid/bounds"), ("name: a", "name: ^system-a", "valid/name")],
    );
    mistakes(&object("node.k8s.io/v1", "RuntimeClass", "handler: a"), &[("handler: a", "handler: ^A", "valid/name")]);
    mistakes(
        &object("networking.k8s.io/v1", "IngressClass", "spec: {controller: example.org/a}"),
        &[("example.org/a", "^a", "valid/name")],
    );
    mistakes(
        &object("coordination.k8s.io/v1", "Lease", "spec: {leaseDurationSeconds: 1}"),
        &[("Seconds: 1", "Seconds: ^0", "valid/bounds")],
    );
    mistakes(
        &object("v1", "Endpoints", "subsets: [{addresses: [{ip: 10.0.0.1}]}]"),
        &[("10.0.0.1", "^foo", "valid/cidr")],
    );
    let text = object("example.org/v1", "Any", "spec: {}");
    mistakes(
        &text,
        &[
            ("{name: a}", "{name: a, finalizers: [^a b]}", "valid/name"),
            ("{name: a}", "{name: a, finalizers: [example.org/a]}", ""),
            (
                "{name: a}",
                "{name: a, ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: ^''}]}",
                "valid/missing",
            ),
        ],
    );
}

#[test]
fn definitions() {
    let text = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, additionalPrinterColumns: [{name: a, type: date, jsonPath: .a}]}]
";
    mistakes(text, &[("type: date", "type: ^time", "valid/value")]);
    let text = text.replace("example.org", "example.k8s.io");
    assert_eq!(found(&text), ["valid/definition 5:10"]);
    let approved = "{name: widgets.example.k8s.io, annotations: {api-approved.kubernetes.io: 'https://example.org'}}";
    assert_eq!(found(&text.replace("{name: widgets.example.k8s.io}", approved)), Vec::<String>::new());
}

/// What an object is about may not be left out, and null leaves it out.
#[test]
fn an_object_has_a_spec() {
    let needing = [
        ("v1", "Pod"),
        ("v1", "ReplicationController"),
        ("v1", "PersistentVolume"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "Service"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("networking.k8s.io/v1", "Ingress"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ];
    for (api_version, kind) in needing {
        for rest in ["", "spec: null"] {
            assert_eq!(found(&object(api_version, kind, rest)), ["valid/missing 3:18"], "{kind}");
        }
    }
    for (api_version, kind) in [("policy/v1", "PodDisruptionBudget"), ("networking.k8s.io/v1", "NetworkPolicy")] {
        assert_eq!(found(&object(api_version, kind, "")), Vec::<String>::new(), "{kind}");
    }
    assert_eq!(found(&object("v1", "PodTemplate", "")), ["valid/missing 3:18"]);
    assert_eq!(found(&object("v1", "PodTemplate", "template: {}")), ["valid/missing 4:11"]);
    assert_eq!(found(&object("v1", "ReplicationController", "spec: {replicas: 1}")), ["valid/missing 4:7"]);
}
