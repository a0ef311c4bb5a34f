//! What only controllers write: their objects, their fields, their moments.

use crate::case::{Case, case, copy, delete, exists, gone, is, json_patch, merge, new, post, replace, says, set};
use crate::fixtures::Fixture::{App, Claim, Cron, Daemon, Idle, Job, Service, Set, Suspended, Volume};

const POD: &str = "pods/<name pods?labelSelector=app%3DNAME>";
const PODS: &str = "pods?labelSelector=app%3DNAME";
const SET: &str = "replicasets/<name replicasets?labelSelector=app%3DNAME>";
const SETS: &str = "replicasets?labelSelector=app%3DNAME";
const SLICE: &str = "endpointslices/<name endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME>";
const SLICES: &str = "endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME";
const CLAIM: &str = "persistentvolumeclaims/NAME";
const ACCOUNT: &str =
    "which of the right values it is rests on the controller's account, and whoever may impersonate it is it";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = pods();
    cases.extend(replica_sets());
    cases.extend(slices());
    cases.extend(jobs());
    cases.extend(claims());
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
            .left("its controller makes another"),
        case("all Pods of a Deployment deleted at once", &[App], vec![delete(PODS)], gone(PODS))
            .left("its controller makes another"),
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
        ),
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
            "a stateful set's revision, its template",
            &[Set],
            vec![json_patch(
                "controllerrevisions/<name controllerrevisions?labelSelector=app%3DNAME>",
                r#"[{"op":"replace","path":"/data/spec/template/spec/containers/0/image","value":"evil"}]"#,
            )],
            says("controllerrevisions?labelSelector=app%3DNAME", "\"evil\""),
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

fn slices() -> Vec<Case> {
    let observed = "what is ready is observed: by content nobody knows better than the controller";
    vec![
        case(
            "a slice emptied",
            &[App, Service],
            vec![merge(SLICE, r#"{"endpoints":[]}"#)],
            is(SLICES, "/endpoints", serde_json::Value::Null),
        ),
        case(
            "a slice's endpoint, not ready",
            &[App, Service],
            vec![json_patch(SLICE, r#"[{"op":"replace","path":"/endpoints/0/conditions/ready","value":false}]"#)],
            is(SLICES, "/endpoints/0/conditions/ready", false),
        ),
        case(
            "a slice's endpoint, not ready, as its controller",
            &[App, Service],
            vec![replace(SLICE, &[("/endpoints/0/conditions/ready", "false")]).forged("endpointslice-controller")],
            is(SLICES, "/endpoints/0/conditions/ready", false),
        )
        .out_of_reach(observed),
        case(
            "a slice's endpoint on another node",
            &[App, Service],
            vec![
                json_patch(SLICE, r#"[{"op":"replace","path":"/endpoints/0/nodeName","value":"node-9"}]"#)
                    .master("endpointslice-controller"),
            ],
            says(SLICES, "node-9"),
        ),
        case(
            "a slice's endpoint for a zone",
            &[App, Service],
            vec![json_patch(
                SLICE,
                r#"[{"op":"add","path":"/endpoints/0/hints","value":{"forZones":[{"name":"evil"}]}}]"#,
            )],
            says(SLICES, "\"evil\""),
        ),
        case(
            "a slice's endpoint by a name",
            &[App, Service],
            vec![json_patch(SLICE, r#"[{"op":"add","path":"/endpoints/0/hostname","value":"evil"}]"#)],
            says(SLICES, "\"evil\""),
        ),
        case(
            "a slice's protocol",
            &[App, Service],
            vec![
                json_patch(SLICE, r#"[{"op":"add","path":"/ports/0/appProtocol","value":"evil"}]"#)
                    .master("endpointslice-controller"),
            ],
            says(SLICES, "\"evil\""),
        ),
        case(
            "a slice's port without a number, which means all",
            &[App, Service],
            vec![json_patch(SLICE, r#"[{"op":"remove","path":"/ports/0/port"}]"#)],
            is(SLICES, "/ports/0/port", serde_json::Value::Null),
        )
        .left("its controller writes it again"),
        case(
            "a slice for another Service",
            &[App, Service],
            vec![merge(SLICE, r#"{"metadata":{"labels":{"kubernetes.io/service-name":"x-NAME"}}}"#)],
            exists("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dx-NAME"),
        ),
        case(
            "a slice's annotation",
            &[App, Service],
            vec![merge(
                SLICE,
                r#"{"metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"evil"}}}"#,
            )],
            says(SLICES, "\"evil\""),
        ),
        case(
            "Endpoints that say not ready",
            &[App, Service],
            vec![merge("endpoints/NAME", r#"{"subsets":[]}"#)],
            is("endpoints/NAME", "/subsets", serde_json::Value::Null),
        ),
    ]
}

fn jobs() -> Vec<Case> {
    const EXACT: &str = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"NAME-29453760","labels":{"app":"NAME"},"annotations":{"batch.kubernetes.io/cronjob-scheduled-timestamp":"2026-01-01T00:00:00Z"},"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"NAME","uid":"<uid cronjobs/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"registry.example.org/app:1","resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}]}}}}"#;
    let by_its_time = "it is what the schedule made at its time, and stays as history";
    vec![
        case(
            "a cron job's Job for a time before it was there",
            &[Cron],
            vec![post("jobs", EXACT)],
            exists("jobs/NAME-29453760"),
        )
        .left(by_its_time),
        case(
            "a cron job's Job for a time before it was there, as its controller",
            &[Cron],
            vec![post("jobs", EXACT).forged("cronjob-controller")],
            exists("jobs/NAME-29453760"),
        )
        .left(by_its_time),
        case(
            "a suspended cron job's Job, as its controller",
            &[Suspended],
            vec![post("jobs", EXACT).forged("cronjob-controller")],
            exists("jobs/NAME-29453760"),
        )
        .left(by_its_time),
        case(
            "a suspended cron job resumed",
            &[Suspended],
            vec![merge("cronjobs/NAME", r#"{"spec":{"suspend":false}}"#)],
            is("cronjobs/NAME", "/spec/suspend", false),
        ),
        case(
            "the time of a cron job's last run",
            &[Suspended],
            vec![merge("cronjobs/NAME/status", r#"{"status":{"lastScheduleTime":"2020-01-01T00:00:00Z"}}"#)],
            set("cronjobs/NAME", "/status/lastScheduleTime"),
        )
        .left("a status is no part of what Git says"),
        case(
            "more of a Job at a time",
            &[Job],
            vec![merge("jobs/NAME", r#"{"spec":{"parallelism":50}}"#)],
            is("jobs/NAME", "/spec/parallelism", 50),
        ),
        case(
            "a Job that is gone when it is over",
            &[Job],
            vec![merge("jobs/NAME", r#"{"spec":{"ttlSecondsAfterFinished":0}}"#)],
            is("jobs/NAME", "/spec/ttlSecondsAfterFinished", 0),
        ),
    ]
}

fn claims() -> Vec<Case> {
    vec![
        case("a claim's volume, chosen by hand", &[Claim], vec![merge(CLAIM, r#"{"spec":{"volumeName":"evil"}}"#)], is(CLAIM, "/spec/volumeName", "evil")).left("what holds data is not made anew: it is told"),
        case("a claim's volume, as the binder", &[Claim], vec![replace(CLAIM, &[("/spec/volumeName", r#""evil""#)]).forged("persistent-volume-binder")], is(CLAIM, "/spec/volumeName", "evil")).left("what holds data is not made anew: it is told"),
        case("a claim's chosen node", &[Claim], vec![merge(CLAIM, r#"{"metadata":{"annotations":{"volume.kubernetes.io/selected-node":"node-9"}}}"#)], says(CLAIM, "node-9")),
        case("a claim said to be bound", &[Claim], vec![merge(CLAIM, r#"{"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes"}}}"#)], says(CLAIM, "bind-completed")),
        case("a claim without its protection", &[Claim], vec![merge(CLAIM, r#"{"metadata":{"finalizers":null}}"#)], is(CLAIM, "/metadata/finalizers", serde_json::Value::Null)),
        case("a volume reserved for a stranger's claim", &[Volume], vec![merge("persistentvolumes/NAME", r#"{"spec":{"claimRef":{"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"default","name":"evil"}}}"#)], set("persistentvolumes/NAME", "/spec/claimRef")),
        case("a volume reserved for a stranger's claim, as the binder", &[Volume], vec![replace("persistentvolumes/NAME", &[("/spec/claimRef", r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"default","name":"evil","uid":"8e8f4f4e-0000-4000-8000-000000000000"}"#)]).forged("persistent-volume-binder")], set("persistentvolumes/NAME", "/spec/claimRef")),
        case("a volume for a declared claim", &[Claim], vec![post("persistentvolumes", r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"NAME-x"},"spec":{"storageClassName":"nobodys","capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/evil"},"claimRef":{"namespace":"field","name":"NAME"}}}"#)], exists("persistentvolumes/NAME-x")).left("it holds data: it is told, and left alone"),
    ]
}
