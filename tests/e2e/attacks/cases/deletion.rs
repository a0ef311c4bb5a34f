//! Deletions by all doors, finalizers, races and replicas.

use crate::case::{Case, case, copy, delete, delete_with, gone, is, json_patch, merge, new, post, says};
use crate::fixtures::Fixture::{
    Account, App, Autoscaler, Binding, Claim, Config, Coupon, Daemon, Idle, Job, Role, Secret, Service, Set, Space,
    Volume,
};

const D: &str = "deployments/NAME";
const ORPHAN: &str = r#"{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Orphan"}"#;
const FOREGROUND: &str = r#"{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground"}"#;
const AT_ONCE: &str = r#"{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0}"#;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = deletions();
    cases.extend(races());
    cases
}

fn deletions() -> Vec<Case> {
    vec![
        case("a Deployment deleted", &[Idle], vec![delete(D)], gone(D)),
        case("a Deployment deleted, its children orphaned", &[App], vec![delete_with(D, ORPHAN)], gone(D)),
        case("a Deployment deleted in the foreground", &[App], vec![delete_with(D, FOREGROUND)], gone(D)),
        case(
            "a replica set deleted, its Pods orphaned",
            &[App],
            vec![delete_with("replicasets/<name replicasets?labelSelector=app%3DNAME>", ORPHAN)],
            gone("replicasets?labelSelector=app%3DNAME"),
        ),
        case("a Secret deleted", &[Secret], vec![delete("secrets/NAME")], gone("secrets/NAME")),
        case(
            "a claim deleted",
            &[Claim],
            vec![delete("persistentvolumeclaims/NAME")],
            gone("persistentvolumeclaims/NAME"),
        ),
        case("a volume deleted", &[Volume], vec![delete("persistentvolumes/NAME")], gone("persistentvolumes/NAME")),
        case(
            "a role and what binds it, deleted",
            &[Role, Binding],
            vec![delete("rolebindings/NAME"), delete("roles/NAME")],
            gone("roles/NAME"),
        ),
        case("an account deleted", &[Account], vec![delete("serviceaccounts/NAME")], gone("serviceaccounts/NAME")),
        case("a stateful set deleted", &[Set], vec![delete("statefulsets/NAME")], gone("statefulsets/NAME")),
        case("a daemon set deleted", &[Daemon], vec![delete("daemonsets/NAME")], gone("daemonsets/NAME")),
        case("a Job deleted, so that it runs again", &[Job], vec![delete("jobs/NAME")], gone("jobs/NAME")),
        case("a custom resource deleted", &[Coupon], vec![delete("coupons/NAME")], gone("coupons/NAME")),
        case(
            "a collection deleted, by a label",
            &[Idle],
            vec![delete("deployments?labelSelector=app%3DNAME")],
            gone(D),
        ),
        case(
            "a collection deleted, by a field",
            &[Config],
            vec![delete("configmaps?fieldSelector=metadata.name%3DNAME")],
            gone("configmaps/NAME"),
        ),
        case(
            "a Deployment deleted as the garbage collector",
            &[Idle],
            vec![delete(D).forged("generic-garbage-collector")],
            gone(D),
        ),
        case(
            "a Deployment deleted as the namespace controller",
            &[Idle],
            vec![delete(D).forged("namespace-controller")],
            gone(D),
        ),
        case(
            "a dry run by the address, and a real deletion by the body",
            &[Config],
            vec![delete_with("configmaps/NAME?dryRun=All", r#"{"apiVersion":"v1","kind":"DeleteOptions"}"#)],
            gone("configmaps/NAME"),
        ),
        case(
            "the root certificate deleted",
            &[Space],
            vec![delete("configmaps@NAME/kube-root-ca.crt")],
            gone("configmaps@NAME/kube-root-ca.crt"),
        ),
        case(
            "a slice deleted",
            &[App, Service],
            vec![delete("endpointslices/<name endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME>")],
            gone("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME"),
        )
        .left("its controller makes another").races(),
        case(
            "a revision deleted",
            &[Set],
            vec![delete("controllerrevisions/<name controllerrevisions?labelSelector=app%3DNAME>")],
            gone("controllerrevisions?labelSelector=app%3DNAME"),
        )
        .left("a revision is history, and the template is in Git").races(),
        case("a Pod deleted at once", &[Set], vec![delete_with("pods/NAME-0", AT_ONCE)], gone("pods/NAME-0"))
            .left("its controller makes another"),
        case(
            "an eviction beside the budget",
            &[App],
            vec![post(
                "pods/<name pods?labelSelector=app%3DNAME>/eviction",
                r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"<name pods?labelSelector=app%3DNAME>","labels":{"evil":"x"}}}"#,
            )],
            gone("pods?labelSelector=app%3DNAME"),
        )
        .left("its controller makes another Pod").races(),
        case(
            "a deletion, and another object under the name",
            &[Config],
            vec![
                delete("configmaps/NAME"),
                post(
                    "configmaps",
                    r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"data":{"greeting":"evil"}}"#,
                ),
            ],
            is("configmaps/NAME", "/data/greeting", "evil"),
        ),
        case(
            "a finalizer that keeps what is to go, and its deletion",
            &[Config],
            vec![
                merge("configmaps/NAME", r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#),
                delete("configmaps/NAME"),
            ],
            gone("configmaps/NAME"),
        ),
    ]
}

fn races() -> Vec<Case> {
    vec![
        case("forty edits at once", &[Idle], vec![json_patch(D, r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil:NTH"}]"#).times(40)], says(D, "evil:")),
        case("forty labels at once", &[Config], vec![merge("configmaps/NAME", r#"{"metadata":{"labels":{"evil-NTH":"x"}}}"#).times(40)], says("configmaps/NAME", "evil-")),
        case("thirty undeclared objects at once", &[], vec![post("configmaps", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}}}"#).times(30)], new("configmaps?labelSelector=who%3DNAME")),
        case(
            "an edit, a deletion and a creation in a row",
            &[Idle],
            vec![
                merge(D, r#"{"metadata":{"labels":{"evil":"x"}}}"#),
                delete(D),
                copy(D, "deployments", &[("/spec/paused", "true")]),
            ],
            gone(D),
        ),
        case("twenty scalings at once", &[Idle], vec![merge("deployments/NAME/scale", r#"{"spec":{"replicas":1NTH}}"#).times(20)], is(D, "/spec/replicas", 11)),
        case("replicas within the bounds of an autoscaler, of a replica set", &[App, Autoscaler], vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"{"spec":{"replicas":9}}"#)], is("replicasets?labelSelector=app%3DNAME", "/spec/replicas", 9)),
        case("an allocated address given up and another taken", &[Service], vec![
            merge("services/NAME", r#"{"spec":{"type":"ExternalName","externalName":"x.example.com","clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}}"#),
            merge("services/NAME", r#"{"spec":{"type":"ClusterIP","externalName":null,"clusterIP":"None"}}"#),
        ], is("services/NAME", "/spec/type", "ExternalName")),
    ]
}
