//! The shop: workloads of every kind that runs for long.

/// The namespace that things happen in.
pub(crate) const SHOP: &str = "shop";

const DEPLOYMENTS: usize = 10;

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop, data]
  clusterKinds: [ClusterRole, ClusterRoleBinding, CustomResourceDefinition, PriorityClass]
";

const CRON: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: sums, namespace: shop}
spec:
  schedule: '* * * * *'
  jobTemplate:
    spec:
      template:
        metadata: {labels: {job: sums}}
        spec:
          restartPolicy: Never
          containers: [{name: sums, image: registry.example.org/sums:1}]
";

/// Paths and texts of the first commit.
pub(crate) fn files() -> Vec<(String, String)> {
    let mut files = vec![("gitward.yaml".to_owned(), CONFIGURATION.to_owned())];
    for namespace in [SHOP, "data"] {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
        files.push((format!("prod/{namespace}.yaml"), text));
    }
    files.extend((0..DEPLOYMENTS).map(|i| (format!("prod/web-{i}.yaml"), web(i, 0))));
    let settings = |i| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{i}, namespace: shop}}\ndata: {{colour: blue}}\n"
        )
    };
    files.push(("prod/settings.yaml".to_owned(), (0..50).map(settings).collect::<Vec<_>>().join("---\n")));
    files.push((
        "prod/store.yaml".to_owned(),
        workload("apps/v1", "StatefulSet", "data", "store", "  serviceName: store\n  replicas: 3\n", 0),
    ));
    files.push(("prod/agent.yaml".to_owned(), workload("apps/v1", "DaemonSet", "data", "agent", "", 0)));
    files
}

/// A file of a later commit: the first brings Jobs, each other one a rollout, of another size than
/// before every second time.
pub(crate) fn changed(commit: usize) -> (String, String) {
    match commit {
        0 => ("prod/sums.yaml".to_owned(), CRON.to_owned()),
        n => {
            let i = n % DEPLOYMENTS;
            (format!("prod/web-{i}.yaml"), web(i, n))
        }
    }
}

/// A Deployment, its Service and its budget.
fn web(i: usize, version: usize) -> String {
    let replicas = 3 + version % 2;
    let deployment =
        workload("apps/v1", "Deployment", SHOP, &format!("web-{i}"), &format!("  replicas: {replicas}\n"), version);
    format!(
        "{deployment}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web-{i}, namespace: shop}}\n\
         spec: {{selector: {{app: web-{i}}}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\n\
         apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: web-{i}, namespace: shop}}\n\
         spec: {{maxUnavailable: 1, selector: {{matchLabels: {{app: web-{i}}}}}}}\n"
    )
}

fn workload(api_version: &str, kind: &str, namespace: &str, name: &str, spec: &str, version: usize) -> String {
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n{spec}  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}, tier: front}}}}\n    \
         spec:\n      containers:\n      - {{name: main, image: 'registry.example.org/{name}:1.{version}', \
         ports: [{{containerPort: 8080}}]}}\n"
    )
}
