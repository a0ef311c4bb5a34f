//! A mutator that no list shows: the API server has it from a file of the control plane.

use std::path::Path;

use gitward_test_cluster::Options;

use super::{GIVE_UP, Traps};
use crate::edits;

const CONFIGURATION: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: MutatingAdmissionPolicy
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: MutatingAdmissionPolicyConfiguration
    staticManifestsDir: FOLDER
";

const HIDDEN: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: hidden.static.k8s.io}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE, UPDATE]}
  matchConditions:
  - {name: one, expression: "object.metadata.name == 'altered'"}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{hostPID: true}}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: hidden.static.k8s.io}
spec: {policyName: hidden.static.k8s.io}
"#;

const ALTERED: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: altered, namespace: traps}
spec:
  replicas: 0
  selector: {matchLabels: {app: altered}}
  template:
    metadata: {labels: {app: altered}}
    spec:
      containers:
      - {name: main, image: "registry.example.org/main:1"}
"#;

const BESIDE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside, namespace: traps}\ndata: {a: \"1\"}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_mutator_in_a_file_of_the_control_plane_is_known_by_what_it_does() {
    let files = tempfile::tempdir().unwrap();
    let traps = Traps::set_with(with_mutator(files.path()), &[]).await;
    traps.stage.work.write("prod/altered.yaml", ALTERED).unwrap();
    traps.stage.work.write("prod/beside.yaml", BESIDE).unwrap();
    traps.push_only("What the hidden mutator changes");

    // The commit is refused as a whole, with the field and the place in Git.
    let refused = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(refused.contains("spec.template.spec.hostPID"), "{refused}");
    assert!(refused.contains("prod/altered.yaml:"), "{refused}");
    for object in ["deployment/altered -n traps", "configmap/beside -n traps"] {
        assert!(traps.get(object).await.is_null(), "{object} is there");
    }
    assert!(!traps.published().await.contains("hostPID"), "its change was learnt");

    // What it does not change is Git's business alone.
    traps.stage.work.remove("prod/altered.yaml").unwrap();
    traps.push("Without it").await;
    assert_eq!(traps.get("configmap/beside -n traps").await["data"]["a"], "1");

    // Where Git knows of it, what it does is learnt.
    traps.stage.work.write("prod/altered.yaml", ALTERED).unwrap();
    traps.replace("gitward.yaml", "environments:", "knownMutators: [ControlPlane/deployments.apps]\nenvironments:");
    traps.push("It is known").await;
    let altered = traps.get("deployment/altered -n traps").await;
    assert_eq!(altered.pointer("/spec/template/spec/hostPID"), Some(&true.into()));
}

fn with_mutator(folder: &Path) -> Options {
    std::fs::write(folder.join("hidden.yaml"), HIDDEN).unwrap();
    Options {
        feature_gates: vec!["ManifestBasedAdmissionControlConfig=true".to_owned()],
        admission_config: Some(CONFIGURATION.replace("FOLDER", &folder.display().to_string())),
        ..edits::options()
    }
}
