//! The repository that the writes are judged by.

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
exemptions:
- name: writing
  accounts: [alice]
  kinds: [Deployment.apps]
  fields: [metadata.annotations.written]
  reason: writes are measured
";

/// Paths and contents.
pub(crate) fn files() -> [(&'static str, String); 3] {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n".to_owned();
    [("gitward.yaml", CONFIGURATION.to_owned()), ("prod/shop.yaml", namespace), ("prod/web.yaml", deployment())]
}

/// A Deployment that grows to about nine kilobytes with defaults and managed fields.
fn deployment() -> String {
    let variables: String = (0..20)
        .map(|i| format!("        - {{name: SETTING_{i}, value: 'a value of ordinary length, number {i}'}}\n"))
        .collect();
    let container = |name: &str| {
        format!(
            "      - name: {name}\n        image: registry.example.org/{name}:1\n        \
             resources: {{limits: {{cpu: 1, memory: 64Mi}}}}\n        env:\n{variables}"
        )
    };
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n  replicas: 0\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    \
         spec:\n      containers:\n{}{}",
        container("web"),
        container("proxy")
    )
}
