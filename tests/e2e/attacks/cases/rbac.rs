//! Rights: escalation in governed places, and through what others select.

use crate::case::{Case, case, exists, json_patch, merge, new, post, says};
use crate::fixtures::Fixture::{Aggregate, Binding, Role};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "an undeclared role with all rights",
            &[],
            vec![post("roles", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"NAME"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}"#)],
            exists("roles/NAME"),
        ),
        case(
            "an undeclared binding to the role of administrators",
            &[],
            vec![post("rolebindings", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"NAME"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"User","name":"paula","apiGroup":"rbac.authorization.k8s.io"}]}"#)],
            exists("rolebindings/NAME"),
        ),
        case(
            "an undeclared binding to a declared role",
            &[Role],
            vec![post("rolebindings", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"NAME-x"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"NAME"},"subjects":[{"kind":"Group","name":"system:unauthenticated","apiGroup":"rbac.authorization.k8s.io"}]}"#)],
            exists("rolebindings/NAME-x"),
        ),
        case(
            "everybody in a binding",
            &[Role, Binding],
            vec![merge("rolebindings/NAME", r#"{"subjects":[{"kind":"Group","name":"system:authenticated","apiGroup":"rbac.authorization.k8s.io"}]}"#)],
            says("rolebindings/NAME", "system:authenticated"),
        ),
        case(
            "the exec right in a role",
            &[Role],
            vec![json_patch("roles/NAME", r#"[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["pods/exec"],"verbs":["create"]}}]"#)],
            says("roles/NAME", "pods/exec"),
        ),
        case(
            "another role that a declared one selects",
            &[Aggregate],
            vec![post("clusterroles", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"NAME-more","labels":{"aggregate-to":"NAME"}},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]}"#)],
            says("clusterroles/NAME", "\"secrets\""),
        )
        .fresh()
        .left("the controller that aggregates writes it again and again: a fight, which is told").races(),
        case(
            "rules of one's own in an aggregated role",
            &[Aggregate],
            vec![merge("clusterroles/NAME", r#"{"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}"#).forged("clusterrole-aggregation-controller")],
            says("clusterroles/NAME", "\"secrets\""),
        ),
        case(
            "another selector in an aggregated role",
            &[Aggregate],
            vec![merge("clusterroles/NAME", r#"{"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"kubernetes.io/bootstrapping":"rbac-defaults"}}]}}"#)],
            says("clusterroles/NAME", "rbac-defaults"),
        ),
        case(
            "a declared part widened",
            &[Aggregate],
            vec![json_patch("clusterroles/NAME-part", r#"[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}}]"#)],
            says("clusterroles/NAME-part", "\"secrets\""),
        ),
        case(
            "all rights for oneself",
            &[],
            vec![post("clusterrolebindings", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"User","name":"paula2","apiGroup":"rbac.authorization.k8s.io"}]}"#)],
            new("clusterrolebindings?labelSelector=who%3DNAME"),
        )
        .person(),
        case(
            "a role of the control plane, aggregated into others by a label",
            &[],
            vec![post("clusterroles", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"kubernetes.io/bootstrapping":"rbac-defaults"}}]},"rules":[]}"#)],
            new("clusterroles?labelSelector=who%3DNAME"),
        )
        .person(),
        case(
            "the right to impersonate",
            &[],
            vec![post("clusterroles", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"rules":[{"apiGroups":[""],"resources":["users","groups","serviceaccounts"],"verbs":["impersonate"]}]}"#)],
            new("clusterroles?labelSelector=who%3DNAME"),
        )
        .person(),
    ]
}
