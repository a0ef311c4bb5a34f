//! Pods: their volumes, containers, and where they run.

use super::mistakes;

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  activeDeadlineSeconds: 5
  hostname: a-b
  subdomain: c
  nodeName: a.b
  priorityClassName: high
  hostNetwork: true
  hostPID: true
  dnsPolicy: None
  dnsConfig: {nameservers: [1.1.1.1, '2001:db8::1']}
  hostAliases: [{ip: 10.0.0.1, hostnames: [a]}]
  os: {name: linux}
  readinessGates: [{conditionType: example.org/ready}]
  schedulingGates: [{name: a}, {name: b}]
  securityContext:
    runAsUser: 5
    seccompProfile: {type: RuntimeDefault}
    sysctls: [{name: net.core.somaxconn, value: a}, {name: a.b, value: a}]
  initContainers:
  - {name: side, image: a, restartPolicy: Always, readinessProbe: {exec: {command: [a]}}}
  containers:
  - name: a
    image: a
    resources: {requests: {cpu: 1, ephemeral-storage: 0, example.org/gpu: 2}, limits: {cpu: 2, example.org/gpu: 2}}
    ports: [{containerPort: 80, hostPort: 80}]
    env:
    - {name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a']\"}}}
    - {name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    envFrom: [{configMapRef: {name: a}}]
    livenessProbe: {periodSeconds: 3, tcpSocket: {port: 80}}
    lifecycle: {preStop: {exec: {command: [a]}}}
    securityContext: {allowPrivilegeEscalation: false, runAsGroup: 0}
    volumeMounts: [{name: a, mountPath: /a, subPath: b/c}]
  volumes:
  - {name: a, emptyDir: {sizeLimit: 1Gi}}
  - {name: b, configMap: {name: b, defaultMode: 0644, items: [{key: a, path: b/..c}]}}
  - {name: c, persistentVolumeClaim: {claimName: c}}
  - {name: d, hostPath: {path: /a/b}}
  - {name: e, projected: {sources: [{secret: {name: a}}, {serviceAccountToken: {path: a, expirationSeconds: 600}}]}}
  - {name: f, nfs: {server: a, path: /a}}
  - {name: g}
";

#[test]
fn pods() {
    mistakes(
        POD,
        &[
            ("activeDeadlineSeconds: 5", "activeDeadlineSeconds: ^0", "valid/bounds"),
            ("hostname: a-b", "hostname: ^a_b", "valid/name"),
            ("subdomain: c", "subdomain: ^c.d", "valid/name"),
            ("nodeName: a.b", "nodeName: ^A b", "valid/name"),
            ("priorityClassName: high", "priorityClassName: ^High", "valid/name"),
            ("  hostPID: true", "  hostPID: true\n  shareProcessNamespace: ^true", "valid/bounds"),
            ("[1.1.1.1, '2001:db8::1']", "[^one]", "valid/cidr"),
            ("[1.1.1.1, '2001:db8::1']", "^[1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]", "valid/bounds"),
            ("{nameservers: [1.1.1.1, '2001:db8::1']}", "^{searches: [a]}", "valid/missing"),
            ("ip: 10.0.0.1", "ip: ^10.0.0", "valid/cidr"),
            ("{name: linux}", "{name: ^mac}", "valid/value"),
            ("example.org/ready", "^a b", "valid/name"),
            ("[{name: a}, {name: b}]", "[{name: a}, ^{name: a}]", "valid/duplicate"),
            ("runAsUser: 5", "runAsUser: ^-1", "valid/bounds"),
            ("{type: RuntimeDefault}", "^{type: Localhost}", "valid/missing"),
            ("{type: RuntimeDefault}", "{type: RuntimeDefault, localhostProfile: ^a}", "valid/bounds"),
            ("{type: RuntimeDefault}", "{type: Localhost, localhostProfile: a}", ""),
            ("{name: a.b, value: a}", "^{name: net.core.somaxconn, value: b}", "valid/duplicate"),
            ("name: net.core.somaxconn", "name: ^Net core", "valid/name"),
            ("restartPolicy: Always, readinessProbe: {", "readinessProbe: ^{", "valid/bounds"),
            (
                "restartPolicy: Always, readinessProbe: {exec: {command: [a]}}",
                "restartPolicy: ^Sometimes",
                "valid/value",
            ),
            ("  volumes:\n", "  ephemeralContainers: ^[{name: x, image: a}]\n  volumes:\n", "valid/bounds"),
        ],
    );
}

#[test]
fn containers() {
    mistakes(
        POD,
        &[
            ("    image: a\n", "    image: ^''\n", "valid/missing"),
            ("    image: a\n", "    image: ^' a'\n", "valid/name"),
            ("- name: a\n    image: a\n", "- ^name: a\n", "valid/missing"),
            ("{name: side, image: a, ", "^{name: side, image: null, ", "valid/missing"),
            ("cpu: 1,", "cpu: ^-1,", "valid/bounds"),
            ("cpu: 1,", "cpu: 1, ^foo: 1,", "valid/value"),
            ("cpu: 1,", "cpu: 1, hugepages-2Mi: 2Mi,", ""),
            ("example.org/gpu: 2}, limits", "example.org/gpu: ^1500m}, limits", "valid/bounds"),
            ("hostPort: 80", "hostPort: ^81", "valid/bounds"),
            ("\"metadata.labels['a']\"", "^metadata.lables", "valid/value"),
            ("\"metadata.labels['a']\"", "status.podIPs", ""),
            ("resource: limits.cpu", "resource: ^limits.foo", "valid/value"),
            ("{resourceFieldRef: {resource: limits.cpu}}", "^{}", "valid/missing"),
            (
                "{resourceFieldRef: {resource: limits.cpu}}",
                "{fieldRef: {fieldPath: metadata.name}, resourceFieldRef: ^{resource: limits.cpu}}",
                "valid/bounds",
            ),
            ("[{configMapRef: {name: a}}]", "[^{}]", "valid/missing"),
            ("[{configMapRef: {name: a}}]", "[{configMapRef: {name: a}, secretRef: ^{name: a}}]", "valid/bounds"),
            ("{periodSeconds: 3, tcpSocket: {port: 80}}", "^{periodSeconds: 3}", "valid/missing"),
            ("periodSeconds: 3", "periodSeconds: ^-3", "valid/bounds"),
            ("preStop: {exec: {command: [a]}}", "preStop: ^{}", "valid/missing"),
            ("runAsGroup: 0", "runAsGroup: ^-1", "valid/bounds"),
            ("allowPrivilegeEscalation: false", "privileged: true, allowPrivilegeEscalation: ^false", "valid/bounds"),
            ("allowPrivilegeEscalation: false", "capabilities: {add: [SYS_ADMIN]}", ""),
            ("mountPath: /a,", "mountPath: ^'',", "valid/missing"),
            ("mountPath: /a,", "mountPath: /a, mountPropagation: ^Bidirectional,", "valid/bounds"),
            ("subPath: b/c", "subPath: ^/b", "valid/name"),
            ("subPath: b/c", "subPath: ^b/../c", "valid/name"),
            ("subPath: b/c", "subPath: b, subPathExpr: ^c", "valid/bounds"),
            ("subPath: b/c", "subPath: b, subPathExpr: ''", ""),
        ],
    );
}

#[test]
fn volumes() {
    mistakes(
        POD,
        &[
            ("emptyDir: {sizeLimit: 1Gi}", "emptyDir: {}, hostPath: ^{path: /a}", "valid/bounds"),
            ("sizeLimit: 1Gi", "sizeLimit: ^-1", "valid/bounds"),
            ("{name: b, defaultMode", "^{defaultMode", "valid/missing"),
            ("defaultMode: 0644", "defaultMode: ^1000", "valid/bounds"),
            ("path: b/..c", "path: ^/b", "valid/name"),
            ("path: b/..c", "path: ^../c", "valid/name"),
            ("claimName: c", "claimName: ^''", "valid/missing"),
            ("path: /a/b", "path: ^/a/../b", "valid/name"),
            ("{secret: {name: a}}", "{configMap: {name: a}, secret: ^{name: a}}", "valid/bounds"),
            ("expirationSeconds: 600", "expirationSeconds: ^10", "valid/bounds"),
            ("{server: a, path: /a}", "{server: a, path: ^a}", "valid/name"),
        ],
    );
}

#[test]
fn scheduling() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: a}]
  tolerations:
  - {key: a, value: b}
  - {key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 3}
  - {operator: Exists}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}
  - {maxSkew: 1, topologyKey: b, whenUnsatisfiable: DoNotSchedule}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 100, preference: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: c, labelSelector: {matchLabels: {a: b}}}]
";
    mistakes(
        text,
        &[
            ("{key: a, value: b}", "^{operator: Equal, value: b}", "valid/bounds"),
            ("{operator: Exists}", "^{operator: Equal}", "valid/bounds"),
            ("{operator: Exists}", "^{effect: NoSchedule}", "valid/bounds"),
            ("{operator: Exists}", "{operator: Exists, value: ^b}", "valid/bounds"),
            ("effect: NoExecute, tolerationSeconds: 3", "effect: NoSchedule, tolerationSeconds: ^3", "valid/bounds"),
            ("maxSkew: 1", "maxSkew: ^0", "valid/bounds"),
            ("{maxSkew: 1, topologyKey: b", "^{maxSkew: 2, topologyKey: a", "valid/duplicate"),
            ("{key: a, operator: In, values: [b]}", "^{key: a, operator: In}", "valid/bounds"),
            ("{key: a, operator: In, values: [b]}", "{key: a, operator: Exists}", ""),
            ("{key: a, operator: In, values: [b]}", "^{key: a, operator: Exists, values: [b]}", "valid/bounds"),
            (
                "nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]",
                "nodeSelectorTerms: ^[]",
                "valid/missing",
            ),
            ("weight: 100", "weight: ^101", "valid/bounds"),
            ("topologyKey: c", "topologyKey: ^''", "valid/missing"),
            ("{a: b}}}]", "{a: ^b b}}}]", "valid/label"),
        ],
    );
}
