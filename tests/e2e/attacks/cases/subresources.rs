//! Other ways to the same object.

use crate::case::{
    Case, answers, case, get, gone, is, json_patch, merge, post, put, replace, replace_through, says, set,
};
use crate::fixtures::Fixture::{Account, App, Autoscaler, Budget, Coupon, Idle, Ingress, Job, Pod, Service, Set};

const POD: &str = "pods/<name pods?labelSelector=app%3DNAME>";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = writes();
    cases.extend(connections());
    cases
}

fn writes() -> Vec<Case> {
    vec![
        case(
            "scaled through /scale",
            &[Idle],
            vec![merge("deployments/NAME/scale", r#"{"spec":{"replicas":4}}"#)],
            is("deployments/NAME", "/spec/replicas", 4),
        ),
        case(
            "scaled through /scale, by a replacement",
            &[Idle],
            vec![put("deployments/NAME/scale", r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"NAME","namespace":"field"},"spec":{"replicas":4}}"#)],
            is("deployments/NAME", "/spec/replicas", 4),
        ),
        case(
            "scaled past the autoscaler's bound",
            &[App, Autoscaler],
            vec![merge("deployments/NAME/scale", r#"{"spec":{"replicas":9}}"#)],
            is("deployments/NAME", "/spec/replicas", 9),
        ),
        case(
            "an autoscaler switched off by no replicas",
            &[App, Autoscaler],
            vec![merge("deployments/NAME/scale", r#"{"spec":{"replicas":0}}"#)],
            is("deployments/NAME", "/spec/replicas", 0),
        ),
        case(
            "a stateful set scaled",
            &[Set],
            vec![merge("statefulsets/NAME/scale", r#"{"spec":{"replicas":3}}"#)],
            is("statefulsets/NAME", "/spec/replicas", 3),
        ),
        case(
            "a replica set scaled",
            &[App],
            vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>/scale", r#"{"spec":{"replicas":5}}"#)],
            is("replicasets?labelSelector=app%3DNAME", "/spec/replicas", 5),
        ),
        case(
            "a custom resource scaled",
            &[Coupon],
            vec![merge("coupons/NAME/scale", r#"{"spec":{"replicas":5}}"#)],
            is("coupons/NAME", "/spec/replicas", 5),
        ),
        case(
            "a debug container",
            &[App],
            vec![json_patch(
                "pods/<name pods?labelSelector=app%3DNAME>/ephemeralcontainers",
                r#"[{"op":"add","path":"/spec/ephemeralContainers","value":[{"name":"debug","image":"evil"}]}]"#,
            )],
            set("pods?labelSelector=app%3DNAME", "/spec/ephemeralContainers"),
        ),
        case(
            "a debug container in a Pod that Git declares",
            &[Pod],
            vec![json_patch(
                "pods/NAME/ephemeralcontainers",
                r#"[{"op":"add","path":"/spec/ephemeralContainers","value":[{"name":"debug","image":"evil"}]}]"#,
            )],
            set("pods/NAME", "/spec/ephemeralContainers"),
        ),
        case(
            "a Pod's image, in place",
            &[App],
            vec![json_patch(POD, r#"[{"op":"replace","path":"/spec/containers/0/image","value":"evil"}]"#)],
            is("pods?labelSelector=app%3DNAME", "/spec/containers/0/image", "evil"),
        ),
        case(
            "a declared Pod's image, in place",
            &[Pod],
            vec![json_patch("pods/NAME", r#"[{"op":"replace","path":"/spec/containers/0/image","value":"evil"}]"#)],
            is("pods/NAME", "/spec/containers/0/image", "evil"),
        ),
        case(
            "a forged status of a Deployment",
            &[Idle],
            vec![merge("deployments/NAME/status", r#"{"status":{"replicas":9,"readyReplicas":9,"availableReplicas":9}}"#)],
            is("deployments/NAME", "/status/readyReplicas", 9),
        ),
        case(
            "a forged address of a load balancer",
            &[Service],
            vec![merge("services/NAME/status", r#"{"status":{"conditions":[{"type":"evil.example.org/x","status":"True","reason":"x","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#)],
            set("services/NAME", "/status/conditions"),
        )
        .left("a status is no part of what Git says").races(),
        case(
            "a forged address of an Ingress",
            &[Ingress],
            vec![merge("ingresses/NAME/status", r#"{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.9"}]}}}"#)],
            set("ingresses/NAME", "/status/loadBalancer/ingress"),
        )
        .left("a status is no part of what Git says").races(),
        case(
            "a forged status of a budget: disruptions allowed",
            &[App, Budget],
            vec![merge("poddisruptionbudgets/NAME/status", r#"{"status":{"disruptionsAllowed":7}}"#)],
            is("poddisruptionbudgets/NAME", "/status/disruptionsAllowed", 7),
        ),
        case(
            "a Job said to be complete",
            &[Job],
            vec![merge("jobs/NAME/status", r#"{"status":{"conditions":[{"type":"Suspended","status":"False","reason":"evil"}]}}"#)],
            says("jobs/NAME", "evil"),
        ),
        case(
            "a custom resource's status",
            &[Coupon],
            vec![merge("coupons/NAME/status", r#"{"status":{"phase":"paid"}}"#)],
            is("coupons/NAME", "/status/phase", "paid"),
        )
        .left("a status is no part of what Git says").races(),
        case(
            "a Pod's address, through its status",
            &[App],
            vec![merge("pods/<name pods?labelSelector=app%3DNAME>/status", r#"{"status":{"podIP":"203.0.113.9","podIPs":[{"ip":"203.0.113.9"}]}}"#)],
            is("pods?labelSelector=app%3DNAME", "/status/podIP", "203.0.113.9"),
        )
        .left("a status is no part of what Git says").races(),
        case(
            "a spec smuggled through /status",
            &[Coupon],
            vec![replace_through("coupons/NAME/status", "coupons/NAME", &[("/spec/percent", "77"), ("/status", r#"{"phase":"x"}"#)])],
            set("coupons/NAME", "/status/phase"),
        )
        .left("a status is no part of what Git says").races(),
        case(
            "a Pod evicted under a name of another",
            &[Pod],
            vec![post("pods/NAME/eviction", r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"NAME"}}"#)],
            gone("pods/NAME"),
        ),
        case(
            "a Pod pinned to a node by a binding",
            &[App],
            vec![
                post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-x","labels":{"app":"NAME"}},"spec":{"schedulerName":"nobody","containers":[{"name":"app","image":"evil"}]}}"#),
                post("pods/NAME-x/binding", r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"NAME-x"},"target":{"kind":"Node","name":"node-1"}}"#),
            ],
            is("pods/NAME-x", "/spec/nodeName", "node-1"),
        ),
        case(
            "a Pod's scheduling gate, taken away",
            &[App],
            vec![replace(POD, &[("/spec/tolerations/+", r#"{"key":"evil","operator":"Exists"}"#)])],
            says("pods?labelSelector=app%3DNAME", "\"evil\""),
        ),
    ]
}

const REACHED: &[&str] =
    &["dial", "proxy error", "error trying to reach", "connection refused", "no endpoints", "pgrade request required"];

fn connections() -> Vec<Case> {
    let left = "no reconciler sees a connection";
    vec![
        case(
            "exec",
            &[App],
            vec![post("pods/<name pods?labelSelector=app%3DNAME>/exec?command=id&stdout=true", "")],
            answers(REACHED),
        )
        .left(left),
        case(
            "exec, by GET",
            &[App],
            vec![get("pods/<name pods?labelSelector=app%3DNAME>/exec?command=id&stdout=true")],
            answers(REACHED),
        )
        .left(left),
        case(
            "attach",
            &[App],
            vec![post("pods/<name pods?labelSelector=app%3DNAME>/attach?stdout=true", "")],
            answers(REACHED),
        )
        .left(left),
        case(
            "port forwarding",
            &[App],
            vec![post("pods/<name pods?labelSelector=app%3DNAME>/portforward", "")],
            answers(REACHED),
        )
        .left(left),
        case(
            "the account of a declared Pod, by a token of its own",
            &[Account],
            vec![post(
                "serviceaccounts/NAME/token",
                r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#,
            )],
            answers(&["\"token\":"]),
        )
        .left("a token is not stored"),
        case(
            "a token by a dry run, which works all the same",
            &[Account],
            vec![post(
                "serviceaccounts/NAME/token?dryRun=All",
                r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#,
            )],
            answers(&["\"token\":"]),
        )
        .left("a token is not stored"),
    ]
}
