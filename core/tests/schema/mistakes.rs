//! Mistakes in built-in kinds: one each, and exactly one finding.

use serde_json::Value;

use crate::{newest, outline, read, set};

/// Objects without mistakes.
const GOOD: &str = include_str!("good.yaml");

/// Kind of the object, where to put what (`-` removes), the rule that is broken, and the field.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str, &str, &str)] = &[
    // No such field.
    ("Deployment", "/spec/replica", "3", "schema/unknown-field", "spec.replica"),
    ("Deployment", "/spec/template/spec/containers/0/imagePullPolcy", r#""Always""#, "schema/unknown-field", "spec.template.spec.containers[name=app].imagePullPolcy"),
    ("Deployment", "/spec/template/spec/containers/0/ports/0/containerport", "80", "schema/unknown-field", "spec.template.spec.containers[name=app].ports[containerPort=80,protocol=TCP].containerport"),
    ("Deployment", "/spec/template/spec/containers/0/securityContext/runAsNonRot", "true", "schema/unknown-field", "spec.template.spec.containers[name=app].securityContext.runAsNonRot"),
    ("Deployment", "/spec/containers", "[]", "schema/unknown-field", "spec.containers"),
    ("Deployment", "/metadata/label", "{}", "schema/unknown-field", "metadata.label"),
    ("Deployment", "/Spec", "{}", "schema/unknown-field", "Spec"),
    ("Deployment", "/status/redy", "1", "schema/unknown-field", "status.redy"),
    ("Service", "/spec/ports/0/target", "80", "schema/unknown-field", "spec.ports[port=80].target"),
    ("ConfigMap", "/spec", "{}", "schema/unknown-field", "spec"),
    ("ClusterRole", "/rules/0/resource", r#"["pods"]"#, "schema/unknown-field", "rules[0].resource"),
    ("CustomResourceDefinition", "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/list/items/typ", r#""x""#, "schema/unknown-field", "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.list.items.typ"),
    // A value of another type.
    ("Deployment", "/spec/replicas", r#""3""#, "schema/type", "spec.replicas"),
    ("Deployment", "/spec/replicas", "1.5", "schema/type", "spec.replicas"),
    ("Deployment", "/spec/paused", r#""true""#, "schema/type", "spec.paused"),
    ("Deployment", "/spec/template", "[]", "schema/type", "spec.template"),
    ("Deployment", "/spec/template/spec/containers", "{}", "schema/type", "spec.template.spec.containers"),
    ("Deployment", "/spec/template/spec/containers/0", r#""app""#, "schema/type", "spec.template.spec.containers[0]"),
    ("Deployment", "/spec/template/spec/containers/0/env/0/value", "true", "schema/type", "spec.template.spec.containers[name=app].env[name=PORT].value"),
    ("Deployment", "/spec/template/spec/containers/0/env/0/value", "8080", "schema/type", "spec.template.spec.containers[name=app].env[name=PORT].value"),
    ("Deployment", "/spec/template/spec/containers/0/args", r#""--a""#, "schema/type", "spec.template.spec.containers[name=app].args"),
    ("Deployment", "/spec/strategy/rollingUpdate/maxSurge", "true", "schema/type", "spec.strategy.rollingUpdate.maxSurge"),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/cpu", "true", "schema/type", "spec.template.spec.containers[name=app].resources.limits.cpu"),
    ("Deployment", "/metadata/labels/tier", "1", "schema/type", "metadata.labels.tier"),
    ("Deployment", "/metadata/annotations/example.com~1on", "true", "schema/type", "metadata.annotations[\"example.com/on\"]"),
    ("Service", "/spec/ports/0/port", r#""80""#, "schema/type", "spec.ports[port=80].port"),
    ("Service", "/spec/selector", r#"["app"]"#, "schema/type", "spec.selector"),
    ("ConfigMap", "/data/debug", "false", "schema/type", "data.debug"),
    ("ConfigMap", "/data/nested", "{}", "schema/type", "data.nested"),
    ("ConfigMap", "/immutable", r#""yes""#, "schema/type", "immutable"),
    ("Secret", "/stringData/pin", "1234", "schema/type", "stringData.pin"),
    ("CustomResourceDefinition", "/spec/versions/0/schema/openAPIV3Schema/properties/spec/additionalProperties", r#""x""#, "schema/type", "spec.versions[0].schema.openAPIV3Schema.properties.spec.additionalProperties"),
    // A field is missing.
    ("Deployment", "/spec/selector", "-", "schema/required", "spec.selector"),
    ("Deployment", "/spec/selector", "null", "schema/required", "spec.selector"),
    ("Deployment", "/spec/template/spec/containers/0/name", "-", "schema/required", "spec.template.spec.containers[0].name"),
    ("Deployment", "/spec/template/spec/containers", "-", "schema/required", "spec.template.spec.containers"),
    ("Deployment", "/spec/template/spec/volumes/0/name", "-", "schema/required", "spec.template.spec.volumes[0].name"),
    ("Deployment", "/spec/template/spec/containers/0/livenessProbe/httpGet/port", "-", "schema/required", "spec.template.spec.containers[name=app].livenessProbe.httpGet.port"),
    ("Service", "/spec/ports/0/port", "-", "schema/required", "spec.ports[0].port"),
    ("ClusterRole", "/rules/0/verbs", "-", "schema/required", "rules[0].verbs"),
    ("ClusterRoleBinding", "/roleRef", "-", "schema/required", "roleRef"),
    ("Ingress", "/spec/rules/0/http/paths/0/pathType", "-", "schema/required", "spec.rules[0].http.paths[0].pathType"),
    ("HorizontalPodAutoscaler", "/spec/maxReplicas", "-", "schema/required", "spec.maxReplicas"),
    // None of the values there are.
    ("Deployment", "/spec/template/spec/containers/0/imagePullPolicy", r#""Allways""#, "schema/enum", "spec.template.spec.containers[name=app].imagePullPolicy"),
    ("Deployment", "/spec/template/spec/restartPolicy", r#""always""#, "schema/enum", "spec.template.spec.restartPolicy"),
    ("Deployment", "/spec/strategy/type", r#""Rolling""#, "schema/enum", "spec.strategy.type"),
    ("Service", "/spec/type", r#""Nodeport""#, "schema/enum", "spec.type"),
    ("Service", "/spec/ports/0/protocol", r#""HTTP""#, "schema/enum", "spec.ports[port=80,protocol=HTTP].protocol"),
    ("Ingress", "/spec/rules/0/http/paths/0/pathType", r#""Regex""#, "schema/enum", "spec.rules[0].http.paths[0].pathType"),
    ("PersistentVolumeClaim", "/spec/accessModes/0", r#""RWO""#, "schema/enum", "spec.accessModes[0]"),
    // Cannot be read.
    ("Deployment", "/spec/replicas", "3000000000", "schema/invalid", "spec.replicas"),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/memory", r#""512MB""#, "schema/invalid", "spec.template.spec.containers[name=app].resources.limits.memory"),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/cpu", r#""half""#, "schema/invalid", "spec.template.spec.containers[name=app].resources.limits.cpu"),
    ("Secret", "/data/token", r#""not base64!""#, "schema/invalid", "data.token"),
    ("Deployment", "/metadata/creationTimestamp", r#""yesterday""#, "schema/invalid", "metadata.creationTimestamp"),
    ("Lease", "/spec/renewTime", r#""2024-01-01T00:00:00Z""#, "schema/invalid", "spec.renewTime"),
    // No such kind.
    ("Deployment", "/kind", r#""Deploymnet""#, "schema/unknown-kind", "kind"),
    ("Deployment", "/apiVersion", r#""v1""#, "schema/unknown-kind", "apiVersion"),
    ("Deployment", "/apiVersion", r#""apps/v2""#, "schema/unknown-kind", "apiVersion"),
    ("Deployment", "/apiVersion", r#""example.com/v1""#, "schema/unknown-kind", "apiVersion"),
    ("Deployment", "/apiVersion", r#""apps/v1beta1""#, "schema/removed-api", "apiVersion"),
    ("Ingress", "/apiVersion", r#""extensions/v1beta1""#, "schema/removed-api", "apiVersion"),
    ("HorizontalPodAutoscaler", "/apiVersion", r#""autoscaling/v2beta2""#, "schema/removed-api", "apiVersion"),
];

/// What the API server takes: nothing is found.
#[rustfmt::skip]
const FINE: &[(&str, &str, &str)] = &[
    ("Deployment", "/spec/replicas", "null"),
    ("Deployment", "/spec/replicas", "3.0"),
    ("Deployment", "/spec/strategy", "null"),
    ("Deployment", "/metadata/creationTimestamp", "null"),
    ("Deployment", "/spec/template/metadata", r#"{"creationTimestamp": null, "labels": {"app": "a"}}"#),
    ("Deployment", "/status", "{}"),
    ("Deployment", "/status", r#"{"conditions": [{"type": "x"}]}"#),
    ("Deployment", "/spec/strategy/rollingUpdate/maxSurge", "1"),
    ("Deployment", "/spec/strategy/rollingUpdate/maxSurge", r#""25%""#),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/cpu", "0.5"),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/cpu", "2"),
    ("Deployment", "/spec/template/spec/containers/0/resources/limits/example.com~1gpu", r#""1""#),
    ("Deployment", "/spec/template/spec/containers/0/imagePullPolicy", r#""""#),
    ("Deployment", "/spec/template/spec/containers/0/env/0/value", "null"),
    ("Deployment", "/spec/template/spec/containers/0/ports/0/protocol", "-"),
    ("Deployment", "/spec/template/spec/containers/0/livenessProbe/httpGet/httpHeaders", r#"[{"name": "Host"}]"#),
    ("Service", "/spec/ports/0/protocol", "null"),
    ("ConfigMap", "/data", "null"),
    ("Secret", "/data/token", r#""""#),
    ("Secret", "/data/token", r#""YWJj\nZGVm\n""#),
    ("Lease", "/spec/renewTime", r#""2024-01-01T00:00:00.000000Z""#),
    ("CustomResourceDefinition", "/spec/versions/0/schema/openAPIV3Schema/properties/spec/additionalProperties", "true"),
    ("CustomResourceDefinition", "/spec/versions/0/schema/openAPIV3Schema/properties/spec/default", r#"{"any": ["thing", 1]}"#),
];

#[test]
fn each_mistake_gives_one_finding_of_its_rule_at_its_field() {
    for (kind, pointer, value, rule, field) in MISTAKES {
        let found = check(kind, pointer, value);
        assert_eq!(found, [((*rule).to_owned(), (*field).to_owned())], "{kind} {pointer} {value}");
    }
    assert!(MISTAKES.len() >= 40);
}

#[test]
fn what_the_api_server_takes_gives_no_finding() {
    for (kind, pointer, value) in FINE {
        assert_eq!(check(kind, pointer, value), [], "{kind} {pointer} {value}");
    }
    for manifest in read(GOOD) {
        assert_eq!(outline(&newest().check(&manifest)), [], "{}", manifest.key);
    }
}

fn check(kind: &str, pointer: &str, value: &str) -> Vec<(String, String)> {
    let value: Option<Value> = (value != "-").then(|| serde_json::from_str(value).expect(value));
    let mut manifest = read(GOOD).into_iter().find(|m| m.gvk.kind == kind).expect(kind);
    set(std::sync::Arc::make_mut(&mut manifest.value), pointer, value);
    manifest.gvk = gitward_core::object::Gvk::of(&manifest.value).expect("a kind");
    outline(&newest().check(&manifest))
}

#[test]
fn hints_say_what_to_do() {
    let cases = [
        ("/spec/replica", "3", "Did you mean `replicas`?"),
        ("/spec/containers", "[]", "Fields there: "),
        ("/spec/serviceAccountName", r#""x""#, "Fields there: "),
        ("/spec/template/containers", "[]", "It belongs one level deeper, in `spec`."),
        ("/spec/template/spec/containers/0/volumes", "[]", "It belongs further out, in `spec.template.spec`."),
        ("/spec/replicas", r#""3""#, "Remove the quotes."),
        ("/spec/template/spec/containers/0/env/0/value", "8080", "Put the value in quotes."),
        (
            "/spec/template/spec/containers/0/imagePullPolicy",
            r#""Allways""#,
            "Did you mean `Always`? Allowed: Always, IfNotPresent, Never.",
        ),
        ("/kind", r#""Deploymnet""#, "Did you mean `Deployment`?"),
        ("/apiVersion", r#""v1""#, "Deployment is in apps/v1."),
        ("/apiVersion", r#""apps/v2""#, "Versions served: apps/v1."),
        (
            "/apiVersion",
            r#""extensions/v1beta1""#,
            "Write `apiVersion: apps/v1` and compare the fields: some have changed.",
        ),
        ("/apiVersion", r#""example.com/v1""#, "Deployment is in apps/v1."),
    ];
    for (pointer, value, hint) in cases {
        let mut manifest = read(GOOD).into_iter().find(|m| m.gvk.kind == "Deployment").expect("a Deployment");
        set(std::sync::Arc::make_mut(&mut manifest.value), pointer, Some(serde_json::from_str(value).expect(value)));
        manifest.gvk = gitward_core::object::Gvk::of(&manifest.value).expect("a kind");
        let findings = newest().check(&manifest);
        let given = findings[0].hint.as_deref().unwrap_or_default();
        assert!(given.starts_with(hint), "{pointer}: {given}");
    }
}

#[test]
fn secrets_are_not_quoted() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: hunter2!, b: 7355608}\n\
                stringData: {c: 7355608, d: [hunter2]}\ntype: {hunter2: x}\n";
    for manifest in read(text) {
        for finding in newest().check(&manifest) {
            let said = format!("{} {:?}", finding.message, finding.hint);
            assert!(!said.contains("hunter2") && !said.contains("7355608"), "{said}");
        }
    }
}

#[test]
fn findings_of_one_object_are_bounded() {
    let fields: String = (0..80).map(|i| format!("  wrong{i}: x\n")).collect();
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n{fields}");
    let findings = newest().check(&read(&text)[0]);
    assert_eq!(findings.len(), 51);
    assert_eq!(findings[50].rule, "schema/more");
    assert_eq!(findings[50].message, "30 further findings of this object are not shown");
}

#[test]
fn what_will_not_be_served_for_ever_is_a_warning_that_names_what_lasts() {
    let text =
        "apiVersion: networking.k8s.io/v1beta1\nkind: ServiceCIDR\nmetadata: {name: c}\nspec: {cidrs: [10.0.0.0/16]}\n";
    let cidr = &read(text)[0];
    let findings = newest().check(cidr);
    assert_eq!(outline(&findings), [("schema/deprecated-api".to_owned(), "apiVersion".to_owned())]);
    assert_eq!(findings[0].severity, gitward_core::finding::Severity::Warning);
    let message = "networking.k8s.io/v1beta1 ServiceCIDR is deprecated since Kubernetes 1.34, and not served any more from 1.37 on";
    assert_eq!(findings[0].message, message);
    assert!(findings[0].hint.as_ref().unwrap().starts_with("Write `apiVersion: networking.k8s.io/v1` "));
    assert_eq!(newest().check(&read(&text.replace("v1beta1", "v1"))[0]), []);

    let text = "apiVersion: resource.k8s.io/v1beta1\nkind: DeviceClass\nmetadata: {name: c}\nspec: {}\n";
    let class = &read(text)[0];
    let rules = |version: &str| outline(&gitward_core::schema::Schemas::builtin(version).unwrap().check(class));
    assert_eq!(rules("1.34"), []);
    assert_eq!(rules("1.35"), [("schema/deprecated-api".to_owned(), "apiVersion".to_owned())]);

    let text =
        "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\n";
    let findings = newest().check(&read(text)[0]);
    assert_eq!(
        findings[0].message,
        "admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy is not served since Kubernetes 1.34"
    );
    assert!(findings[0].hint.as_ref().unwrap().starts_with("Write `apiVersion: admissionregistration.k8s.io/v1` "));
}
