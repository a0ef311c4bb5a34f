//! The fence: gitward's namespace, Environments and their definition, and kube-system.

use crate::case::{Case, answers, case, delete, exists, gone, json_patch, merge, post, says, set};

const ENV: &str = "environments/prod";
const CRD: &str = "customresourcedefinitions/environments.gitward.dev";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = trust();
    cases.extend(kube_system());
    cases.into_iter().map(Case::person).collect()
}

fn trust() -> Vec<Case> {
    vec![
        case(
            "the Environment's annotation",
            &[],
            vec![merge(ENV, r#"{"metadata":{"annotations":{"evil":"NAME"}}}"#)],
            says(ENV, "NAME"),
        ),
        case(
            "another Environment",
            &[],
            vec![post(
                "environments",
                r#"{"apiVersion":"gitward.dev/v1alpha1","kind":"Environment","metadata":{"name":"NAME"},"spec":{"repository":"https://evil.example.org/x","ref":"refs/heads/main"}}"#,
            )],
            exists("environments/NAME"),
        ),
        case(
            "the Environment's status",
            &[],
            vec![merge(
                "environments/prod/status",
                r#"{"status":{"commit":"0000000000000000000000000000000000000000"}}"#,
            )],
            says(ENV, "0000000000000000000000000000000000000000"),
        ),
        case(
            "the Environment's owner",
            &[],
            vec![merge(ENV, r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#)],
            set(ENV, "/metadata/finalizers"),
        ),
        case(
            "the schema of Environments",
            &[],
            vec![merge(CRD, r#"{"metadata":{"labels":{"evil":"NAME"}}}"#)],
            says(CRD, "NAME"),
        ),
        case(
            "metadata of the definition through its status",
            &[],
            vec![merge(
                "customresourcedefinitions/environments.gitward.dev/status",
                r#"{"metadata":{"annotations":{"evil":"NAME"}}}"#,
            )],
            says(CRD, "NAME"),
        ),
        case(
            "the definition said to be stored otherwise",
            &[],
            vec![json_patch(
                "customresourcedefinitions/environments.gitward.dev/status",
                r#"[{"op":"add","path":"/status/storedVersions/-","value":"v9"}]"#,
            )],
            says(CRD, "\"v9\""),
        )
        .apart(),
        case(
            "an API service in place of Environments",
            &[],
            vec![merge("apiservices/v1alpha1.gitward.dev", r#"{"metadata":{"labels":{"evil":"NAME"}}}"#)],
            says("apiservices/v1alpha1.gitward.dev", "NAME"),
        ),
        case(
            "the published additions",
            &[],
            vec![merge("configmaps@gitward-system/additions-prod-0", r#"{"data":{"evil":"NAME"}}"#)],
            says("configmaps@gitward-system/additions-prod-0", "NAME"),
        ),
        case(
            "the published additions, deleted",
            &[],
            vec![delete("configmaps@gitward-system/additions-prod-1")],
            gone("configmaps@gitward-system/additions-prod-1"),
        )
        .apart(),
        case(
            "further additions",
            &[],
            vec![post(
                "configmaps@gitward-system",
                r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"additions-prod-NAME"}}"#,
            )],
            exists("configmaps@gitward-system/additions-prod-NAME"),
        ),
        case(
            "a Pod of gitward's account",
            &[],
            vec![post(
                "pods@gitward-system",
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"serviceAccountName":"gitward-reconciler","securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"app","image":"evil","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}"#,
            )],
            exists("pods@gitward-system/NAME"),
        ),
        case(
            "a token Secret of gitward's account",
            &[],
            vec![post(
                "secrets@gitward-system",
                r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"NAME","annotations":{"kubernetes.io/service-account.name":"gitward-reconciler"}},"type":"kubernetes.io/service-account-token"}"#,
            )],
            exists("secrets@gitward-system/NAME"),
        ),
        case(
            "a role in gitward's namespace",
            &[],
            vec![post(
                "roles@gitward-system",
                r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"NAME"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]}"#,
            )],
            exists("roles@gitward-system/NAME"),
        ),
        case(
            "gitward's account, deleted",
            &[],
            vec![delete("serviceaccounts@gitward-system/gitward-webhook")],
            gone("serviceaccounts@gitward-system/gitward-webhook"),
        )
        .apart(),
        case(
            "gitward's namespace, labelled",
            &[],
            vec![merge("namespaces/gitward-system", r#"{"metadata":{"labels":{"evil":"NAME"}}}"#)],
            says("namespaces/gitward-system", "NAME"),
        ),
        case(
            "gitward's namespace, owned by nothing",
            &[],
            vec![merge("namespaces/gitward-system/status", r#"{"metadata":{"annotations":{"evil":"NAME"}}}"#)],
            says("namespaces/gitward-system", "NAME"),
        ),
        case(
            "gitward's role",
            &[],
            vec![merge("clusterroles/gitward-reconciler", r#"{"metadata":{"labels":{"evil":"NAME"}}}"#)],
            says("clusterroles/gitward-reconciler", "NAME"),
        ),
        case(
            "the people's role",
            &[],
            vec![merge("clusterroles/gitward-people", r#"{"metadata":{"labels":{"evil":"NAME"}}}"#)],
            says("clusterroles/gitward-people", "NAME"),
        ),
        case(
            "gitward's binding",
            &[],
            vec![delete("clusterrolebindings/gitward-reconciler")],
            gone("clusterrolebindings/gitward-reconciler"),
        )
        .apart(),
        case(
            "a binding of gitward's name",
            &[],
            vec![post(
                "clusterrolebindings",
                r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"gitward-NAME"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"gitward-people"},"subjects":[{"kind":"User","name":"paula2","apiGroup":"rbac.authorization.k8s.io"}]}"#,
            )],
            exists("clusterrolebindings/gitward-NAME"),
        ),
    ]
}

fn kube_system() -> Vec<Case> {
    let token = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#;
    vec![
        case(
            "a Lease of the control plane",
            &[],
            vec![post(
                "leases@kube-system",
                r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"spec":{"holderIdentity":"evil"}}"#,
            )],
            exists("leases@kube-system?labelSelector=who%3DNAME"),
        ),
        case(
            "a token of an account of kube-system",
            &[],
            vec![post("serviceaccounts@kube-system/default/token", token)],
            answers(&["\"token\":"]),
        ),
        case(
            "the kubelet's own door",
            &[],
            vec![post("nodes/node-0/proxy/run/x", "")],
            answers(&[
                "dial",
                "connection refused",
                "proxy error",
                "error trying to reach",
                "no preferred addresses",
                "lookup",
            ]),
        ),
        case(
            "a Deployment of kube-system with a built-in controller's account",
            &[],
            vec![post("deployments@kube-system", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME"},"spec":{"selector":{"matchLabels":{"who":"NAME"}},"template":{"metadata":{"labels":{"who":"NAME"}},"spec":{"serviceAccountName":"job-controller","containers":[{"name":"app","image":"evil"}]}}}}"#), ],
            exists("pods@kube-system?labelSelector=who%3DNAME"),
        )
        .fresh(),
        case(
            "a shell in a Pod of kube-system",
            &[],
            vec![
                post(
                    "pods@kube-system",
                    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"nodeName":"node-0","containers":[{"name":"app","image":"x"}]}}"#,
                ),
                post("pods@kube-system/NAME/exec?command=id&stdout=true", ""),
            ],
            answers(&["dial", "connection refused", "proxy error", "error trying to reach", "pgrade request required"]),
        ),
        case(
            "a debug container in a Pod of kube-system",
            &[],
            vec![
                post(
                    "pods@kube-system",
                    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"nodeName":"node-0","containers":[{"name":"app","image":"x"}]}}"#,
                ),
                json_patch(
                    "pods@kube-system/NAME/ephemeralcontainers",
                    r#"[{"op":"add","path":"/spec/ephemeralContainers","value":[{"name":"debug","image":"evil"}]}]"#,
                ),
            ],
            set("pods@kube-system/NAME", "/spec/ephemeralContainers"),
        ),
    ]
}
