//! Objects that Git does not declare.

use crate::case::{Case, apply, case, exists, post, put};
use crate::fixtures::Fixture::App;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "an undeclared Deployment",
            &[],
            vec![post(
                "deployments",
                r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME"},"spec":{"selector":{"matchLabels":{"x":"NAME"}},"template":{"metadata":{"labels":{"x":"NAME"}},"spec":{"containers":[{"name":"app","image":"evil"}]}}}}"#,
            )],
            exists("deployments/NAME"),
        ),
        case(
            "an undeclared Pod",
            &[],
            vec![post(
                "pods",
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"containers":[{"name":"app","image":"evil"}]}}"#,
            )],
            exists("pods/NAME"),
        ),
        case(
            "an undeclared Pod with every mark of a declared one",
            &[],
            vec![post(
                "pods",
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"NAME-","labels":{"who":"NAME","app.kubernetes.io/managed-by":"gitward","gitward.dev/environment":"prod"},"annotations":{"gitward.dev/commit":"HEAD","kubectl.kubernetes.io/last-applied-configuration":"{}"}},"spec":{"nodeName":"node-0","containers":[{"name":"app","image":"evil"}]}}"#,
            )],
            exists("pods?labelSelector=who%3DNAME"),
        ),
        case(
            "an undeclared ConfigMap, by a replacement that creates",
            &[],
            vec![apply(
                "configmaps/NAME",
                r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"data":{"a":"b"}}"#,
            )],
            exists("configmaps/NAME"),
        ),
        case(
            "an undeclared Role, by a replacement that creates",
            &[],
            vec![put(
                "roles/NAME",
                r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"NAME"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]}"#,
            )],
            exists("roles/NAME"),
        ),
        case(
            "an undeclared Secret",
            &[],
            vec![post(
                "secrets",
                r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"NAME"},"stringData":{"a":"b"}}"#,
            )],
            exists("secrets/NAME"),
        )
        .left("it holds data: it is told, and left alone"),
        case(
            "an undeclared Service in front of declared Pods",
            &[App],
            vec![post(
                "services",
                r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"NAME-x"},"spec":{"type":"NodePort","selector":{"app":"NAME"},"ports":[{"port":80}]}}"#,
            )],
            exists("services/NAME-x"),
        ),
        case(
            "an undeclared network policy that opens declared Pods",
            &[App],
            vec![post(
                "networkpolicies",
                r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"NAME-x"},"spec":{"podSelector":{"matchLabels":{"app":"NAME"}},"ingress":[{}]}}"#,
            )],
            exists("networkpolicies/NAME-x"),
        ),
        case(
            "an undeclared autoscaler of a declared Deployment",
            &[App],
            vec![post(
                "horizontalpodautoscalers",
                r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"NAME-x"},"spec":{"minReplicas":5,"maxReplicas":9,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"NAME"}}}"#,
            )],
            exists("horizontalpodautoscalers/NAME-x"),
        ),
        case(
            "an undeclared Job",
            &[],
            vec![post(
                "jobs",
                r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"NAME"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"evil"}]}}}}"#,
            )],
            exists("jobs/NAME"),
        ),
        case(
            "an undeclared custom resource",
            &[],
            vec![post(
                "coupons",
                r#"{"apiVersion":"attack.example.org/v1","kind":"Coupon","metadata":{"name":"NAME"},"spec":{"percent":99}}"#,
            )],
            exists("coupons/NAME"),
        ),
        case(
            "an undeclared disruption budget that blocks all evictions",
            &[App],
            vec![post(
                "poddisruptionbudgets",
                r#"{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"NAME-x"},"spec":{"maxUnavailable":0,"selector":{"matchLabels":{"app":"NAME"}}}}"#,
            )],
            exists("poddisruptionbudgets/NAME-x"),
        ),
    ]
}
