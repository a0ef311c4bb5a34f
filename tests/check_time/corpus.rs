//! A repository as large platforms have them: thousands of manifests, one a file, in which everything
//! that is named is there. The same every time.

use std::fs;
use std::path::Path;

/// Namespaces, each a directory.
pub(crate) const NAMESPACES: usize = 50;

/// Of a hundred files so many are of each kind.
pub(crate) const HISTOGRAM: [(&str, usize); 10] = [
    ("Deployment", 28),
    ("Service", 22),
    ("ConfigMap", 22),
    ("ServiceAccount", 6),
    ("Ingress", 6),
    ("HorizontalPodAutoscaler", 5),
    ("PodDisruptionBudget", 4),
    ("NetworkPolicy", 3),
    ("CronJob", 2),
    ("StatefulSet", 2),
];

/// One in so many Deployments runs an image without a fixed tag: what was there before, in every old
/// repository.
const KNOWN_MISTAKE: usize = 100;

/// A file: its path and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn namespace(index: usize) -> String {
    format!("team-{index:02}")
}

/// So many files. Those of an application stand together: its Deployment, its Service and so on.
pub(crate) fn files(count: usize) -> Vec<File> {
    let mut files = Vec::with_capacity(count);
    for (kind, share) in HISTOGRAM {
        files.extend((0..count * share / 100).map(|number| file(kind, number)));
    }
    files
}

/// Writes the files below a directory; how many bytes they are.
pub(crate) fn write(root: &Path, files: &[File]) -> usize {
    for index in 0..NAMESPACES {
        fs::create_dir_all(root.join("apps").join(namespace(index))).unwrap();
    }
    for file in files {
        fs::write(root.join(&file.path), &file.text).unwrap();
    }
    files.iter().map(|file| file.text.len()).sum()
}

/// `gitward.yaml` of such a repository.
pub(crate) fn configuration(policies: bool) -> String {
    let namespaces: Vec<String> = (0..NAMESPACES).map(namespace).collect();
    format!(
        "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\n{}environments:\n- name: prod\n  ref: refs/heads/main\n  \
         path: apps\n  namespaces: [{}]\n",
        if policies { "policies: [policies]\n" } else { "" },
        namespaces.join(", ")
    )
}

fn file(kind: &str, number: usize) -> File {
    let namespace = namespace(number % NAMESPACES);
    let app = format!("app-{}", number / NAMESPACES);
    let text = text(kind, number, &app, &namespace);
    File { path: format!("apps/{namespace}/{app}-{}.yaml", kind.to_lowercase()), text }
}

fn text(kind: &str, number: usize, app: &str, namespace: &str) -> String {
    let meta = |name: &str| {
        format!(
            "metadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app.kubernetes.io/name: {app}\n    \
             app.kubernetes.io/part-of: shop\n    app.kubernetes.io/managed-by: git\n    team: {namespace}\n"
        )
    };
    match kind {
        "Deployment" => {
            let (head, template) = (meta(app), template(number, app, namespace));
            format!(
                "apiVersion: apps/v1\nkind: Deployment\n{head}spec:\n  replicas: 2\n  revisionHistoryLimit: 3\n  \
                 strategy:\n    type: RollingUpdate\n    rollingUpdate:\n      maxSurge: 1\n      maxUnavailable: 0\n  \
                 selector:\n    matchLabels:\n      app.kubernetes.io/name: {app}\n  template:\n{template}"
            )
        }
        "StatefulSet" => {
            let name = format!("{app}-db");
            let (head, template) = (meta(&name), template(1, &name, namespace));
            format!(
                "apiVersion: apps/v1\nkind: StatefulSet\n{head}spec:\n  replicas: 1\n  serviceName: {app}\n  selector:\n    \
                 matchLabels:\n      app.kubernetes.io/name: {name}\n  template:\n{template}  volumeClaimTemplates:\n  \
                 - metadata:\n      name: data\n    spec:\n      accessModes: [ReadWriteOnce]\n      resources:\n        \
                 requests:\n          storage: 10Gi\n"
            )
        }
        "CronJob" => {
            let name = format!("{app}-tidy");
            let template = indented(&template(1, &name, namespace), 4)
                .replace("        spec:\n", "        spec:\n          restartPolicy: OnFailure\n");
            let head = meta(&name);
            format!(
                "apiVersion: batch/v1\nkind: CronJob\n{head}spec:\n  schedule: \"17 3 * * *\"\n  concurrencyPolicy: Forbid\n  \
                 jobTemplate:\n    spec:\n      template:\n{template}"
            )
        }
        "Service" => format!(
            "apiVersion: v1\nkind: Service\n{}spec:\n  type: ClusterIP\n  selector:\n    app.kubernetes.io/name: {app}\n  \
             ports:\n  - name: http\n    port: 80\n    targetPort: http\n    protocol: TCP\n  - name: metrics\n    port: 9090\n    \
             targetPort: metrics\n    protocol: TCP\n",
            meta(app)
        ),
        "ConfigMap" => {
            let settings: String = (0..28)
                .map(|n| format!("    feature-{n}.enabled = {}\n    feature-{n}.limit = {}\n", n % 2 == 0, number + n))
                .collect();
            format!(
                "apiVersion: v1\nkind: ConfigMap\n{}data:\n  LOG_LEVEL: info\n  REGION: eu-central-1\n  app.properties: |\n{settings}",
                meta(&format!("{app}-settings"))
            )
        }
        "ServiceAccount" => {
            format!("apiVersion: v1\nkind: ServiceAccount\n{}automountServiceAccountToken: false\n", meta(app))
        }
        "Ingress" => format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n{}spec:\n  ingressClassName: public\n  rules:\n  - host: \
             {app}.{namespace}.example.org\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          \
             service:\n            name: {app}\n            port:\n              name: http\n",
            meta(app)
        ),
        "HorizontalPodAutoscaler" => format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n{}spec:\n  minReplicas: 2\n  maxReplicas: 6\n  \
             scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {app}\n  metrics:\n  - type: Resource\n    \
             resource:\n      name: cpu\n      target:\n        type: Utilization\n        averageUtilization: 70\n",
            meta(app)
        ),
        "PodDisruptionBudget" => format!(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\n{}spec:\n  minAvailable: 1\n  selector:\n    matchLabels:\n      \
             app.kubernetes.io/name: {app}\n",
            meta(app)
        ),
        _ => format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{}spec:\n  podSelector:\n    matchLabels:\n      \
             app.kubernetes.io/name: {app}\n  policyTypes: [Ingress]\n  ingress:\n  - ports:\n    - port: 8080\n    - port: 9090\n",
            meta(app)
        ),
    }
}

/// A Pod template, four blanks in.
fn template(number: usize, app: &str, namespace: &str) -> String {
    let tag = if number.is_multiple_of(KNOWN_MISTAKE) { "latest".to_owned() } else { format!("1.{number}.0") };
    // Only as many ConfigMaps as there are, one for each application that has one.
    let settings = number % (NAMESPACES * 44);
    let settings = format!("app-{}-settings", settings / NAMESPACES);
    let variables: String = (0..10)
        .map(|n| format!("        - name: SETTING_{n}\n          value: \"{namespace}-{n}-{number}\"\n"))
        .collect();
    let probe = |name: &str, path: &str| {
        format!(
            "        {name}:\n          httpGet:\n            path: {path}\n            port: http\n          periodSeconds: 10\n          \
             failureThreshold: 3\n"
        )
    };
    format!(
        "    metadata:\n      labels:\n        app.kubernetes.io/name: {app}\n        team: {namespace}\n      annotations:\n        \
         prometheus.io/scrape: \"true\"\n        prometheus.io/port: \"9090\"\n    spec:\n      serviceAccountName: default\n      \
         automountServiceAccountToken: false\n      terminationGracePeriodSeconds: 30\n      securityContext:\n        \
         runAsNonRoot: true\n        runAsUser: 10001\n        seccompProfile:\n          type: RuntimeDefault\n      containers:\n      \
         - name: app\n        image: registry.example.org/{namespace}/{app}:{tag}\n        imagePullPolicy: IfNotPresent\n        \
         ports:\n        - name: http\n          containerPort: 8080\n        - name: metrics\n          containerPort: 9090\n        \
         env:\n        - name: REGION\n          valueFrom:\n            configMapKeyRef:\n              name: {settings}\n              \
         key: REGION\n{variables}        resources:\n          requests:\n            cpu: 50m\n            memory: 64Mi\n          \
         limits:\n            memory: 256Mi\n        securityContext:\n          allowPrivilegeEscalation: false\n          \
         readOnlyRootFilesystem: true\n          capabilities:\n            drop: [ALL]\n{}{}        volumeMounts:\n        \
         - name: settings\n          mountPath: /etc/app\n        - name: scratch\n          mountPath: /tmp\n      volumes:\n      \
         - name: settings\n        configMap:\n          name: {settings}\n      - name: scratch\n        emptyDir: {{}}\n",
        probe("livenessProbe", "/live"),
        probe("readinessProbe", "/ready"),
    )
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}
