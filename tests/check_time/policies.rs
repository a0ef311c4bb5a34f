//! Ten policies that both gitward and conftest evaluate. What differs is where the object is found.

/// Name and body; `OBJECT` is the object.
const POLICIES: [(&str, &str); 10] = [
    (
        "fixed_tag",
        r#"deny contains msg if {
	some container in OBJECT.spec.template.spec.containers
	endswith(container.image, ":latest")
	msg := sprintf("%s: container %s has no fixed tag", [OBJECT.metadata.name, container.name])
}"#,
    ),
    (
        "known_registry",
        r#"deny contains msg if {
	some container in OBJECT.spec.template.spec.containers
	not startswith(container.image, "registry.example.org/")
	msg := sprintf("%s: %s comes from another registry", [OBJECT.metadata.name, container.image])
}"#,
    ),
    (
        "memory_limit",
        r#"deny contains msg if {
	some container in OBJECT.spec.template.spec.containers
	not container.resources.limits.memory
	msg := sprintf("%s: container %s has no memory limit", [OBJECT.metadata.name, container.name])
}"#,
    ),
    (
        "read_only",
        r#"deny contains msg if {
	some container in OBJECT.spec.template.spec.containers
	not container.securityContext.readOnlyRootFilesystem
	msg := sprintf("%s: container %s may write to its image", [OBJECT.metadata.name, container.name])
}"#,
    ),
    (
        "probes",
        r#"deny contains msg if {
	OBJECT.kind in {"Deployment", "StatefulSet"}
	some container in OBJECT.spec.template.spec.containers
	some probe in ["livenessProbe", "readinessProbe"]
	not container[probe]
	msg := sprintf("%s: container %s has no %s", [OBJECT.metadata.name, container.name, probe])
}"#,
    ),
    (
        "team",
        r#"deny contains msg if {
	not OBJECT.metadata.labels.team
	msg := sprintf("%s/%s has no team", [OBJECT.kind, OBJECT.metadata.name])
}"#,
    ),
    (
        "replicas",
        r#"deny contains msg if {
	OBJECT.kind == "Deployment"
	OBJECT.spec.replicas < 2
	msg := sprintf("%s has one replica", [OBJECT.metadata.name])
}"#,
    ),
    (
        "ingress_host",
        r#"deny contains msg if {
	OBJECT.kind == "Ingress"
	some rule in OBJECT.spec.rules
	not endswith(rule.host, ".example.org")
	msg := sprintf("%s is served under another domain", [OBJECT.metadata.name])
}"#,
    ),
    (
        "service_type",
        r#"deny contains msg if {
	OBJECT.kind == "Service"
	OBJECT.spec.type in {"NodePort", "LoadBalancer"}
	msg := sprintf("%s is reached from outside", [OBJECT.metadata.name])
}"#,
    ),
    (
        "autoscaling",
        r#"deny contains msg if {
	OBJECT.kind == "HorizontalPodAutoscaler"
	OBJECT.spec.maxReplicas > 20
	msg := sprintf("%s scales too far", [OBJECT.metadata.name])
}"#,
    ),
];

/// So many of the policies, each a file's name and its text.
pub(crate) fn policies(count: usize, object: &str) -> impl Iterator<Item = (String, String)> {
    POLICIES.into_iter().take(count).map(move |(name, body)| {
        let body = body.replace("OBJECT", object);
        (format!("{name}.rego"), format!("package checks.{name}\n\nimport rego.v1\n\n{body}\n"))
    })
}
