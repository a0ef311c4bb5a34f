//! One mistake each in good objects: the rule and the place that it is told at.

mod kinds;
mod pods;
mod services;
mod workloads;

use std::sync::Arc;

use super::check;
use crate::manifest::{self, Limits};

/// `rule line:column` of what is found in a file.
fn found(text: &str) -> Vec<String> {
    let (manifests, problems) = manifest::read(&Arc::from("a.yaml"), text.as_bytes(), &Limits::default());
    assert_eq!(problems, [], "{text}");
    let findings = manifests.iter().flat_map(check);
    findings.map(|f| f.place.map(|p| format!("{} {}:{}", f.rule, p.line, p.column)).unwrap_or_default()).collect()
}

/// Writes `bad` for `good`, with `^` before what the rule points to.
fn mistakes(text: &str, cases: &[(&str, &str, &str)]) {
    assert_eq!(found(text), Vec::<String>::new(), "{text}");
    for (good, bad, rule) in cases {
        assert!(text.contains(good), "{good:?} is not in {text}");
        let marked = text.replacen(good, bad, 1);
        let before = marked.split_once('^').map(|(before, _)| before);
        let written = marked.replacen('^', "", 1);
        let expected: Vec<String> = before
            .map(|before| {
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                format!("{rule} {}:{column}", before.matches('\n').count() + 1)
            })
            .into_iter()
            .collect();
        assert_eq!(found(&written), expected, "{bad:?}");
    }
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, example.org/team: a_B.c-1}
  annotations: {Example.org/Any: '& * free'}
spec:
  selector:
    matchLabels: {app: web}
    matchExpressions: [{key: tier, operator: In, values: [front, back]}]
  template:
    metadata:
      labels: {app: web, tier: front}
    spec:
      restartPolicy: Always
      nodeSelector: {disk: ssd}
      initContainers:
      - name: init
        image: a
      containers:
      - name: web
        image: a
        ports: [{name: http, containerPort: 80}, {name: http-2, containerPort: 80, protocol: UDP, hostPort: 81}]
        env: [{name: A, value: '1'}, {name: A, value: '2'}, {name: b.c-d, value: ''}]
        resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: '0.1', memory: 1024Mi}}
        volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /b}]
        livenessProbe: {httpGet: {port: http}}
        lifecycle: {preStop: {sleep: {seconds: 3}}}
      - name: side
        image: a
        ports: [{name: http, containerPort: 82}]
        volumeMounts: [{name: data, mountPath: /a}]
      volumes:
      - {name: data, emptyDir: {}}
";

#[test]
fn workloads() {
    mistakes(
        DEPLOYMENT,
        &[
            ("example.org/team", "^Example.org/team", "valid/label"),
            ("example.org/team: a_B.c-1", "^a/b/c: x", "valid/label"),
            ("a_B.c-1", "^-a", "valid/label"),
            ("a_B.c-1", &format!("^{}", "a".repeat(64)), "valid/label"),
            ("a_B.c-1", "''", ""),
            ("Example.org/Any", "^Any thing", "valid/label"),
            ("{disk: ssd}", "{disk: ^s s d}", "valid/label"),
            ("{app: web, tier: front}", "{app: web, ^ti er: front, tier: front}", "valid/label"),
            ("{key: tier,", "{key: ^ti er,", "valid/label"),
            ("[{key: tier, operator: In, values: [front, back]}]", "[^{key: tier, operator: In}]", "valid/label"),
            ("operator: In, values: [front, back]", "operator: Exists", ""),
            ("[{key: tier, operator: In, values: [front, back]}]", "[{key: none, operator: NotIn, values: [a]}]", ""),
            ("- name: init\n", "- name: ^web\n", "valid/duplicate"),
            ("- name: side\n", "- name: ^Side_1\n", "valid/name"),
            ("name: http-2", "name: ^http", "valid/duplicate"),
            ("name: http-2", "name: ^http--2", "valid/name"),
            ("name: http-2", "name: ^a-port-with-a-long-name", "valid/name"),
            ("containerPort: 82", "containerPort: ^0", "valid/port"),
            ("containerPort: 82", "containerPort: ^65536", "valid/port"),
            ("hostPort: 81", "hostPort: 0", ""),
            ("hostPort: 81", "hostPort: ^70000", "valid/port"),
            ("containerPort: 82", "containerPort: 82, protocol: UDP, hostPort: ^81", "valid/duplicate"),
            ("containerPort: 82", "containerPort: 82, hostPort: 81", ""),
            ("{name: b.c-d,", "{name: ^b=c,", "valid/name"),
            ("value: '1'", "value: '1', valueFrom: ^{fieldRef: {fieldPath: metadata.name}}", "valid/bounds"),
            ("memory: 1Gi", "memory: ^2Gi", "valid/bounds"),
            ("mountPath: /b", "mountPath: ^/a", "valid/duplicate"),
            ("{name: data, mountPath: /b}", "{name: ^date, mountPath: /b}", "valid/missing"),
            ("port: http}", "port: ^'8080'}", "valid/name"),
            ("port: http}", "port: ^99999}", "valid/port"),
            ("{httpGet: {port: http}}", "{successThreshold: ^2, httpGet: {port: http}}", "valid/bounds"),
            ("{httpGet: {port: http}}", "^{exec: {command: [a]}, httpGet: {port: http}}", "valid/bounds"),
            ("restartPolicy: Always", "restartPolicy: ^Never", "valid/restart-policy"),
            ("restartPolicy: Always", "restartPolicy: ''", ""),
            ("restartPolicy: Always", "securityContext: {seccompProfile: {type: ^''}}", "valid/missing"),
            (
                "restartPolicy: Always",
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ^''}]",
                "valid/missing",
            ),
            (
                "- name: side\n",
                "- name: side\n        securityContext: {seccompProfile: {type: ^''}}\n",
                "valid/missing",
            ),
            ("protocol: UDP, hostPort: 81", "protocol: '', hostPort: 81", ""),
            (
                "{name: data, emptyDir: {}}",
                "{name: data, emptyDir: {}}\n      - {name: ^data, emptyDir: {}}",
                "valid/duplicate",
            ),
        ],
    );
}

#[test]
fn selectors_and_empty_lists() {
    let small = "\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: a}]}
";
    mistakes(
        small,
        &[
            ("labels: {app: web}", "labels: {app: ^wbe}", "valid/selector"),
            ("labels: {app: web}", "labels: {app: ^''}", "valid/selector"),
            ("matchLabels: {app: web}", "matchLabels: {app: web, a: ^b}", "valid/selector"),
            ("matchLabels: {app: web}", "matchExpressions: [^{key: a, operator: Exists}]", "valid/selector"),
            ("matchLabels: {app: web}", "matchExpressions: [{key: a, operator: DoesNotExist}]", ""),
            (
                "{matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}",
                "{matchExpressions: [{key: app, operator: DoesNotExist}]}\n  template:\n    metadata: {labels: {app: ^web}}",
                "valid/selector",
            ),
            (
                "{matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}",
                "{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}\n  template:\n    metadata: {labels: {app: ^web}}",
                "valid/selector",
            ),
            ("selector: {matchLabels: {app: web}}", "selector: ^{}", "valid/selector"),
            ("containers: [{name: web, image: a}]", "containers: ^[]", "valid/missing"),
            ("{name: web, image: a}", "^{name: web}", "valid/missing"),
            ("{name: web, image: a}", "^{name: web, image: null}", "valid/missing"),
            ("image: a", "image: ^''", "valid/missing"),
            ("[{name: web, image: a}]", "[^null]", "valid/missing"),
            ("[{name: web, image: a}]", "[{name: web, image: a}], initContainers: [^{name: a}]", "valid/missing"),
            (
                "template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: a}]}",
                "template: ^{metadata: {labels: {app: web}}}",
                "valid/missing",
            ),
        ],
    );
}

#[test]
fn stateful_sets_mount_the_claims_that_they_make() {
    let text = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: a, volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]
";
    mistakes(text, &[("[{name: data,", "[{name: ^dat,", "valid/missing")]);
}

#[test]
fn jobs_come_to_an_end() {
    let text = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '30 4 * * 1-5'
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: a, image: a}]}
";
    let long = format!("name: ^{}", "n".repeat(53));
    mistakes(
        text,
        &[
            ("'30 4 * * 1-5'", "^'0 30 4 * * 1-5'", "valid/schedule"),
            ("'30 4 * * 1-5'", "'@hourly'", ""),
            ("'30 4 * * 1-5'", "^''", "valid/missing"),
            ("'30 4 * * 1-5'", "^'TZ=UTC 0 1 * * *'", "valid/schedule"),
            ("'30 4 * * 1-5'", "^'CRON_TZ=Europe/Berlin 0 1 * * *'", "valid/schedule"),
            ("restartPolicy: Never", "restartPolicy: ^Always", "valid/restart-policy"),
            ("restartPolicy: Never", "restartPolicy: OnFailure", ""),
            ("spec: {restartPolicy: Never, ", "^spec: {", "valid/restart-policy"),
            ("name: nightly", &long, "valid/name"),
        ],
    );
}

#[test]
fn services() {
    let text = "\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  loadBalancerSourceRanges: [10.0.0.0/8]
  ports:
  - {name: http, port: 80, targetPort: http}
  - {name: dns, port: 53, targetPort: 53}
  - {name: dns-udp, port: 53, protocol: UDP}
";
    mistakes(
        text,
        &[
            ("{name: web}", "{name: ^web.shop}", "valid/name"),
            ("{app: web}", "{app: ^w b}", "valid/label"),
            ("10.0.0.0/8", "^10.0.0.0", "valid/cidr"),
            ("name: dns,", "name: ^http,", "valid/duplicate"),
            ("name: dns,", "name: ^DNS,", "valid/name"),
            ("- {name: dns, port: 53, targetPort", "- ^{port: 53, targetPort", "valid/missing"),
            ("port: 53, protocol: UDP", "port: ^53", "valid/duplicate"),
            ("port: 80", "port: ^0", "valid/port"),
            ("targetPort: 53", "targetPort: 0", ""),
            ("targetPort: 53", "targetPort: ^70000", "valid/port"),
            ("targetPort: http", "targetPort: ^'8080'", "valid/name"),
        ],
    );
    assert_eq!(
        found("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: []}\n"),
        ["valid/missing 4:15"]
    );
    for good in ["{clusterIP: None}", "{type: ExternalName, externalName: a.example.org}"] {
        let text = format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {good}\n");
        assert_eq!(found(&text), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn network() {
    let policy = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  ingress:
  - from:
    - podSelector: {}
    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
    ports: [{port: 80, endPort: 90}, {port: http}]
  egress:
  - to: [{namespaceSelector: {matchLabels: {a: b}}}]
";
    mistakes(
        policy,
        &[
            ("cidr: 10.0.0.0/8", "cidr: ^10.0.0.0/33", "valid/cidr"),
            ("[10.1.0.0/16]", "[^11.0.0.0/16]", "valid/cidr"),
            ("[10.1.0.0/16]", "[^10.0.0.0/8]", "valid/cidr"),
            ("[10.1.0.0/16]", "[^nonsense]", "valid/cidr"),
            ("endPort: 90", "endPort: ^79", "valid/bounds"),
            ("{port: http}", "{port: http, endPort: ^90}", "valid/bounds"),
            ("{port: http}", "{port: http, protocol: ^''}", "valid/missing"),
            ("  podSelector: {}\n  ingress", "  policyTypes: [^'']\n  ingress", "valid/missing"),
            ("port: 80", "port: ^0", "valid/port"),
            ("port: http", "port: ^HTTP", "valid/name"),
            ("- podSelector: {}\n", "- ^{}\n", "valid/missing"),
            ("- ipBlock: {", "- podSelector: {}\n      ipBlock: ^{", "valid/bounds"),
            ("{a: b}", "{a: ^b b}", "valid/label"),
        ],
    );
    let ingress = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - host: '*.example.org'
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
";
    mistakes(
        ingress,
        &[
            ("'*.example.org'", "^'Shop.example.org'", "valid/name"),
            ("'*.example.org'", "^10.0.0.1", "valid/name"),
            ("'*.example.org'", "^'shop.example.org:80'", "valid/name"),
            ("path: /,", "path: ^shop,", "valid/name"),
            ("number: 80", "number: ^0", "valid/port"),
            ("pathType: Prefix", "pathType: ^''", "valid/missing"),
        ],
    );
    let nowhere = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: []}\n";
    assert_eq!(found(nowhere), ["valid/missing 4:7"]);
}

#[test]
fn how_many() {
    let autoscaler = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 2
  maxReplicas: 5
";
    mistakes(
        autoscaler,
        &[
            ("minReplicas: 2", "minReplicas: ^6", "valid/bounds"),
            ("minReplicas: 2", "minReplicas: ^-1", "valid/bounds"),
            ("minReplicas: 2", "minReplicas: 5", ""),
            ("maxReplicas: 5", "maxReplicas: ^0", "valid/bounds"),
        ],
    );
    let budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec:\n  minAvailable: 1\n";
    mistakes(budget, &[("minAvailable: 1", "minAvailable: 1\n  maxUnavailable: ^1", "valid/bounds")]);
}

#[test]
fn keys_and_names() {
    let text = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a.b_C-1: x}
binaryData: {b: eA==}
";
    mistakes(
        text,
        &[
            ("a.b_C-1", "^a/b", "valid/name"),
            ("a.b_C-1", "^..a", "valid/name"),
            ("{b: eA==}", "{^a.b_C-1: eA==}", "valid/duplicate"),
        ],
    );
    assert_eq!(found("apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n"), ["valid/name 3:18"]);
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
  versions:
  - {name: v1, served: true, storage: true}
  - {name: v2, served: true, storage: false}
";
    mistakes(
        text,
        &[
            ("storage: false", "storage: ^true", "valid/definition"),
            ("name: v2", "name: ^v1", "valid/duplicate"),
            ("name: widgets.example.org", "name: ^widget.example.org", "valid/definition"),
        ],
    );
    assert_eq!(found(&text.replace("storage: true", "storage: false")), ["valid/definition 8:3"]);
}

/// The metadata of custom resources is checked as well, and nothing else of them.
#[test]
fn custom_resources() {
    let text = "\
apiVersion: example.org/v1
kind: Deployment
metadata: {name: a, labels: {app: b}}
spec: {selector: {}, template: {spec: {containers: []}}}
";
    mistakes(text, &[("{app: b}", "{app: ^b b}", "valid/label")]);
}

/// Whatever stands where something else should is the schema's to tell.
#[test]
fn nonsense_is_left_to_the_schema() {
    let kinds = [
        ("v1", "Pod"),
        ("v1", "Service"),
        ("v1", "ConfigMap"),
        ("apps/v1", "Deployment"),
        ("batch/v1", "CronJob"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("networking.k8s.io/v1", "Ingress"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ];
    for (api_version, kind) in kinds {
        for spec in ["data: [1]", "spec: 3", "spec: []", "spec: text", "spec: null\ndata: [1]"] {
            let text = format!(
                "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a, labels: 3, annotations: []}}\n{spec}\n"
            );
            let findings: Vec<String> = found(&text).into_iter().filter(|f| f != "valid/missing 3:18").collect();
            assert_eq!(findings, Vec::<String>::new(), "{text}");
        }
    }
}
