//! What only controllers write: Pods, replica sets, revisions.

use crate::case::{Case, case, copy, delete, gone, is, merge, new, post, replace, says, set};
use crate::fixtures::Fixture::{App, Daemon, Idle, Job};

const POD: &str = "pods/<name pods?labelSelector=app%3DNAME>";
const PODS: &str = "pods?labelSelector=app%3DNAME";
const SET: &str = "replicasets/<name replicasets?labelSelector=app%3DNAME>";
const SETS: &str = "replicasets?labelSelector=app%3DNAME";
const ACCOUNT: &str =
    "which of the right values it is rests on the controller's account, and whoever may impersonate it is it";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = pods();
    cases.extend(replica_sets());
    cases
}

fn pods() -> Vec<Case> {
    let surplus = "it is what the owner makes, and the owner deletes the surplus";
    vec![
        case(
            "a Pod's annotation",
            &[App],
            vec![merge(POD, r#"{"metadata":{"annotations":{"evil":"x"}}}"#)],
            says(PODS, "\"evil\""),
        ),
        case(
            "a Pod's annotation, through its status as its kubelet",
            &[App],
            vec![
                merge(
                    "pods/<name pods?labelSelector=app%3DNAME>/status",
                    r#"{"metadata":{"annotations":{"evil":"x"}}}"#,
                )
                .by("system:node:<field pods?labelSelector=app%3DNAME /spec/nodeName>", "system:nodes"),
            ],
            says(PODS, "\"evil\""),
        ),
        case(
            "a Pod's label, that no Service selects",
            &[App],
            vec![merge(POD, r#"{"metadata":{"labels":{"evil":"x"}}}"#)],
            says(PODS, "\"evil\""),
        ),
        case(
            "a Pod's finalizer",
            &[App],
            vec![merge(POD, r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#)],
            set(PODS, "/metadata/finalizers"),
        ),
        case(
            "a Pod's deadline",
            &[App],
            vec![merge(POD, r#"{"spec":{"activeDeadlineSeconds":1}}"#)],
            set(PODS, "/spec/activeDeadlineSeconds"),
        ),
        case("a Pod deleted beside its controller", &[App], vec![delete(POD)], gone(PODS))
            .left("its controller makes another")
            .races(),
        case("all Pods of a Deployment deleted at once", &[App], vec![delete(PODS)], gone(PODS))
            .left("its controller makes another")
            .races(),
        case(
            "an exact copy of a Pod, by hand",
            &[App],
            vec![copy(
                PODS,
                "pods",
                &[
                    ("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-copy9""#),
                    ("/spec/nodeName", "-"),
                ],
            )],
            new(PODS),
        )
        .fresh()
        .left(surplus),
        case(
            "an exact copy of a Pod, as its controller",
            &[App],
            vec![
                copy(
                    PODS,
                    "pods",
                    &[
                        ("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-copy9""#),
                        ("/spec/nodeName", "-"),
                    ],
                )
                .forged("replicaset-controller"),
            ],
            new(PODS),
        )
        .fresh()
        .out_of_reach(surplus)
        .left(surplus),
        case(
            "a Pod of a Deployment that has none",
            &[Idle],
            vec![post(
                "pods",
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"<name replicasets?labelSelector=app%3DNAME>-","labels":{"app":"NAME","pod-template-hash":"<field replicasets?labelSelector=app%3DNAME /metadata/labels/pod-template-hash>"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"<name replicasets?labelSelector=app%3DNAME>","uid":"<uid replicasets?labelSelector=app%3DNAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"containers":[{"name":"app","image":"registry.example.org/app:1","env":[{"name":"MODE","value":"production"}],"ports":[{"name":"http","containerPort":8080}],"resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}]}}"#,
            )],
            new(PODS),
        ),
        case(
            "a Pod of a daemon set on a node that it does not select",
            &[Daemon],
            vec![copy(
                PODS,
                "pods",
                &[
                    ("/metadata/name", r#""NAME-copy9""#),
                    ("/spec/nodeName", "-"),
                    (
                        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0",
                        r#""node-1""#,
                    ),
                ],
            )],
            new(PODS),
        ),
        case(
            "a Pod of a suspended Job",
            &[Job],
            vec![post(
                "pods",
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"NAME-","labels":{"app":"NAME","batch.kubernetes.io/controller-uid":"<uid jobs/NAME>","batch.kubernetes.io/job-name":"NAME","controller-uid":"<uid jobs/NAME>","job-name":"NAME"},"finalizers":["batch.kubernetes.io/job-tracking"],"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"NAME","uid":"<uid jobs/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"registry.example.org/app:1","env":[{"name":"MODE","value":"production"}],"ports":[{"name":"http","containerPort":8080}],"resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}]}}"#,
            )],
            new(PODS),
        ),
        case(
            "a Pod evicted, though its budget allows none",
            &[App, crate::fixtures::Fixture::Budget],
            vec![merge("poddisruptionbudgets/NAME/status", r#"{"status":{"disruptionsAllowed":5}}"#)],
            is("poddisruptionbudgets/NAME", "/status/disruptionsAllowed", 5),
        ),
    ]
}

fn replica_sets() -> Vec<Case> {
    vec![
        case(
            "a replica set of one more, within the surge",
            &[App],
            vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>/scale", r#"{"spec":{"replicas":2}}"#)],
            is(SETS, "/spec/replicas", 2),
        ),
        case(
            "a replica set of one more, in the object",
            &[App],
            vec![merge(SET, r#"{"spec":{"replicas":2}}"#)],
            is(SETS, "/spec/replicas", 2),
        ),
        case(
            "a replica set of none",
            &[App],
            vec![merge(SET, r#"{"spec":{"replicas":0}}"#)],
            is(SETS, "/spec/replicas", 0),
        ),
        case(
            "a replica set of none, as its controller",
            &[App],
            vec![replace(SET, &[("/spec/replicas", "0")]).forged("deployment-controller")],
            is(SETS, "/spec/replicas", 0),
        )
        .out_of_reach(ACCOUNT),
        case(
            "a replica set's label",
            &[App],
            vec![merge(SET, r#"{"metadata":{"labels":{"evil":"x"}}}"#)],
            says(SETS, "\"evil\""),
        ),
        case(
            "a replica set's annotation",
            &[App],
            vec![merge(SET, r#"{"metadata":{"annotations":{"evil":"x"}}}"#)],
            says(SETS, "\"evil\""),
        )
        .left("nothing runs by it: a replica set is not made anew for an annotation")
        .races(),
        case(
            "a replica set's finalizer",
            &[App],
            vec![merge(SET, r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#)],
            set(SETS, "/metadata/finalizers"),
        ),
        case("a replica set deleted", &[App], vec![delete(SET)], gone(SETS)).left("the Deployment makes another"),
        case(
            "a replica set slowed down",
            &[App],
            vec![merge(SET, r#"{"spec":{"minReadySeconds":9999}}"#)],
            is(SETS, "/spec/minReadySeconds", 9999),
        ),
        case(
            "a revision's label",
            &[Daemon],
            vec![merge(
                "controllerrevisions/<name controllerrevisions?labelSelector=app%3DNAME>",
                r#"{"metadata":{"labels":{"evil":"x"}}}"#,
            )],
            says("controllerrevisions?labelSelector=app%3DNAME", "\"evil\""),
        ),
    ]
}
