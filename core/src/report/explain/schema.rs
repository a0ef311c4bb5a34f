//! Rules about objects that do not fit the schema of their kind.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "schema/unknown-field",
        title: "Every field exists",
        why: "The API server drops or refuses fields that it does not know: what Git says is then not what runs.",
        example: r#"spec:
  replica: 3"#,
        fix: "Correct the name; the finding names the nearest field that exists.",
    },
    Row {
        rule: "schema/unknown-kind",
        title: "The kind exists",
        why: "An object of a kind that neither Kubernetes nor a CRD in the repository defines cannot be applied.",
        example: r#"apiVersion: apps/v1
kind: Deploymnet"#,
        fix: "Correct apiVersion and kind, or add the CRD to the repository: with the objects where the environment installs it, or with `gitward schema add FILE` where only its schema is needed.",
    },
    Row {
        rule: "schema/removed-api",
        title: "The API version is still served",
        why: "Kubernetes stops serving old API versions; the object could not be applied to the versions in `kubernetes`.",
        example: r#"apiVersion: policy/v1beta1
kind: PodDisruptionBudget"#,
        fix: "Use the version that the finding names.",
    },
    Row {
        rule: "schema/deprecated-api",
        title: "The API version will go on being served",
        why: "Kubernetes stops serving a deprecated API some versions later; whoever upgrades then can no longer apply the object. So do versions of custom resources that their CRD marks `deprecated`. A warning until it is gone.",
        example: r#"apiVersion: networking.k8s.io/v1beta1
kind: ServiceCIDR"#,
        fix: "Use the version that the finding names.",
    },
    Row {
        rule: "schema/rule",
        title: "The rules of a CRD hold",
        why: "The API server refuses a custom resource that breaks a rule of its CRD (`x-kubernetes-validations`). Rules that compare with the object before (`oldSelf`) are asked of a push, with what the old commit declared.",
        example: r#"spec:
  minReplicas: 5
  maxReplicas: 3    # the CRD: self.minReplicas <= self.maxReplicas"#,
        fix: "Change the values so that the rule, which the finding quotes, holds.",
    },
    Row {
        rule: "schema/type",
        title: "A value has the type of its field",
        why: "The API server refuses a text where it wants a number, and the other way round.",
        example: r#"spec:
  replicas: "3""#,
        fix: "Write the value with the type that the finding names; mind quotes.",
    },
    Row {
        rule: "schema/required",
        title: "Required fields are there",
        why: "The API server refuses the object without them.",
        example: r#"spec:
  template: {}    # no selector"#,
        fix: "Add the field.",
    },
    Row {
        rule: "schema/enum",
        title: "A value is one of those allowed",
        why: "The API server refuses others.",
        example: "imagePullPolicy: Sometimes",
        fix: "Use one of the values that the finding lists.",
    },
    Row {
        rule: "schema/invalid",
        title: "A value keeps the bounds of its field",
        why: "Patterns, lengths, ranges and rules of the schema are the API server's own.",
        example: r#"ports:
  - containerPort: 70000"#,
        fix: "Change the value as the finding says.",
    },
    Row {
        rule: "schema/limit",
        title: "An object can be checked in full",
        why: "What is too large or too deep to be held against its schema is not understood, and what is not understood is denied.",
        example: "",
        fix: "Split the object.",
    },
    Row {
        rule: "schema/more",
        title: "There are more findings of this object",
        why: "After a while the findings of one object repeat themselves.",
        example: "",
        fix: "Mend the first ones and check again.",
    },
    Row {
        rule: "schema/crd",
        title: "A CRD has a schema that the API server takes",
        why: "Objects of this kind can only be checked against a structural schema.",
        example: r#"kind: CustomResourceDefinition
spec:
  versions:
    - name: v1    # no schema"#,
        fix: "Write the schema as the finding says; generated CRDs have one.",
    },
    Row {
        rule: "schema/unchecked",
        title: "Something of the schema could not be checked",
        why: "A pattern or rule of the schema is beyond this check; the API server still applies it.",
        example: "",
        fix: "Nothing to do for the manifest. In a CRD, write the pattern in the syntax of RE2, and rules without the function that the finding names.",
    },
    Row {
        rule: "schema/version",
        title: "gitward knows the Kubernetes version",
        why: "Manifests are checked against the schemas of the versions in `kubernetes`, and there are none for this one.",
        example: r#"kubernetes: ["1.9"]"#,
        fix: "Name a version that this gitward has, or use a newer gitward.",
    },
];
