//! Other people's names: impersonation, minted tokens, certificates.

use crate::case::{Case, Step, answers, case, exists, is, json_patch, merge, new, post, replace, says, set};
use crate::fixtures::Fixture::{App, Coupon, Idle, Service};

const D: &str = "deployments/NAME";
const EVIL: &str = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"}]"#;
const IDENTITY: &str = "a status rests on the account of its controller, and whoever may impersonate it is it";

/// A declared Deployment's image, as somebody.
fn image(name: &'static str, as_somebody: impl Fn(Step) -> Step) -> Case {
    let effect = is(D, "/spec/template/spec/containers/0/image", "evil");
    case(name, &[Idle], vec![as_somebody(json_patch(D, EVIL))], effect)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        image("a declared image, as the controller manager", |s| {
            s.by("system:kube-controller-manager", "system:masters")
        }),
        image("a declared image, as the deployment controller", |s| s.master("deployment-controller")),
        case(
            "a declared image, by the deployment controller's token",
            &[Idle],
            vec![replace(D, &[("/spec/template/spec/containers/0/image", r#""evil""#)]).token("deployment-controller")],
            is(D, "/spec/template/spec/containers/0/image", "evil"),
        ),
        image("a declared image, as the API server", |s| s.by("system:apiserver", "system:masters")),
        image("a declared image, as system:masters", |s| s.by("root", "system:masters")),
        image("a declared image, as the scheduler", |s| s.by("system:kube-scheduler", "system:masters")),
        image("a declared image, as a kubelet", |s| s.by("system:node:node-0", "system:nodes,system:masters")),
        image("a declared image, as gitward's reconciler", |s| s.forged_of("gitward-system", "gitward-reconciler")),
        image("a declared image, by the reconciler's token", |s| s.token_of("gitward-system", "gitward-reconciler")),
        image("a declared image, as gitward's webhook", |s| s.master_of("gitward-system", "gitward-webhook")),
        image("a declared image, as the garbage collector", |s| s.forged("generic-garbage-collector")),
        image("a declared image, as the namespace controller", |s| s.master("namespace-controller")),
        image("a declared image, as the account that is exempted from something else", |s| {
            s.by("sre", "system:masters")
        }),
        image("a declared image, as the autoscaler", |s| s.master("horizontal-pod-autoscaler")),
    ];
    cases.extend(undeclared());
    cases.extend(statuses());
    cases.extend(credentials());
    cases
}

fn undeclared() -> Vec<Case> {
    const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{"containers":[{"name":"app","image":"evil"}]}}"#;
    vec![
        case("an undeclared Pod, as the controller manager", &[], vec![post("pods", POD).by("system:kube-controller-manager", "system:masters")], exists("pods/NAME")),
        case("an undeclared Pod, as system:masters", &[], vec![post("pods", POD).by("root", "system:masters")], exists("pods/NAME")),
        case("an undeclared Pod, by the reconciler's token", &[], vec![post("pods", POD).token_of("gitward-system", "gitward-reconciler")], exists("pods/NAME")),
        case(
            "an undeclared role that looks like a bootstrap one, as the API server",
            &[],
            vec![post("roles", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"NAME","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}"#).by("system:apiserver", "system:masters")],
            exists("roles/NAME"),
        ),
        case(
            "an undeclared priority class that looks like a system one, as the API server",
            &[],
            vec![post("priorityclasses", r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"NAME","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"value":5}"#).by("system:apiserver", "system:masters")],
            exists("priorityclasses/NAME"),
        ),
        case(
            "a field beside the exempted one, as the exempted account",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x","evil":"x"}}}}}"#).by("sre", "system:masters")],
            says(D, "\"evil\""),
        ),
    ]
}

fn statuses() -> Vec<Case> {
    let left = "a status is no part of what Git says";
    vec![
        case(
            "a lie about a Service's address, as its controller",
            &[Service],
            vec![merge("services/NAME/status", r#"{"status":{"conditions":[{"type":"evil.example.org/x","status":"True","reason":"x","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#).forged("service-controller")],
            set("services/NAME", "/status/conditions"),
        )
        .out_of_reach(IDENTITY)
        .left(left).races(),
        case(
            "a lie about a Pod's address, as its kubelet",
            &[App],
            vec![merge("pods/<name pods?labelSelector=app%3DNAME>/status", r#"{"status":{"podIP":"203.0.113.9","podIPs":[{"ip":"203.0.113.9"}]}}"#).by("system:node:<field pods?labelSelector=app%3DNAME /spec/nodeName>", "system:nodes")],
            is("pods?labelSelector=app%3DNAME", "/status/podIP", "203.0.113.9"),
        )
        .out_of_reach(IDENTITY)
        .left(left).races(),
        case(
            "a custom resource's status, as the controller manager",
            &[Coupon],
            vec![merge("coupons/NAME/status", r#"{"status":{"phase":"paid"}}"#).by("system:kube-controller-manager", "system:masters")],
            is("coupons/NAME", "/status/phase", "paid"),
        )
        .left(left).races(),
    ]
}

fn credentials() -> Vec<Case> {
    const CSR: &str = include_str!("../fixtures/csr.json");
    let token = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#;
    let outside = "the namespace is not governed: it is the fence's";
    vec![
        case("a token of a built-in controller", &[], vec![post("serviceaccounts@kube-system/job-controller/token", token)], answers(&["\"token\":"]))
            .out_of_reach(outside)
            .left("a token is not stored"),
        case("a token of gitward's reconciler", &[], vec![post("serviceaccounts@gitward-system/gitward-reconciler/token", token)], answers(&["\"token\":"]))
            .out_of_reach(outside)
            .left("a token is not stored"),
        case(
            "a token Secret of a built-in controller",
            &[],
            vec![post("secrets@kube-system", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"generateName":"NAME-","labels":{"who":"NAME"},"annotations":{"kubernetes.io/service-account.name":"job-controller"}},"type":"kubernetes.io/service-account-token"}"#)],
            new("secrets@kube-system?labelSelector=who%3DNAME"),
        )
        .out_of_reach(outside)
        .left(outside),
        case(
            "a Pod of a built-in controller's account",
            &[],
            vec![post("pods@kube-system", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"spec":{"serviceAccountName":"job-controller","containers":[{"name":"app","image":"evil"}]}}"#)],
            new("pods@kube-system?labelSelector=who%3DNAME"),
        )
        .out_of_reach(outside)
        .left(outside),
        case(
            "a bootstrap token",
            &[],
            vec![post("secrets@kube-system", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"generateName":"bootstrap-token-","labels":{"who":"NAME"}},"type":"bootstrap.kubernetes.io/token","stringData":{"token-id":"abcdef","token-secret":"0123456789abcdef"}}"#)],
            new("secrets@kube-system?labelSelector=who%3DNAME"),
        )
        .out_of_reach(outside)
        .left(outside),
        case(
            "a certificate in the controller manager's name, approved by oneself",
            &[],
            vec![
                post("certificatesigningrequests", CSR),
                json_patch("certificatesigningrequests/NAME/approval", r#"[{"op":"add","path":"/status/conditions","value":[{"type":"Approved","status":"True","reason":"x"}]}]"#),
            ],
            set("certificatesigningrequests/NAME", "/status/certificate"),
        )
        .races()
        .left("a certificate is signed at once: removing the request takes nothing back"),
    ]
}
