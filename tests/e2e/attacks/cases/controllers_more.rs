//! What only controllers write: endpoints, Jobs, claims.

use crate::case::{Case, case, exists, is, json_patch, merge, post, replace, says, set, unset};
use crate::fixtures::Fixture::{App, Claim, Cron, Job, Service, Suspended, Volume};

const SLICE: &str = "endpointslices/<name endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME>";
const SLICES: &str = "endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME";
const CLAIM: &str = "persistentvolumeclaims/NAME";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = slices();
    cases.extend(jobs());
    cases.extend(claims());
    cases
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
            unset(SLICES, "/ports/0/port"),
        )
        .left("its controller writes it again"),
        case(
            "a slice for another Service",
            &[App, Service],
            vec![merge(SLICE, r#"{"metadata":{"labels":{"kubernetes.io/service-name":"x-NAME"}}}"#)],
            exists("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dx-NAME"),
        )
        .fresh(),
        case(
            "a slice's annotation",
            &[App, Service],
            vec![merge(
                SLICE,
                r#"{"metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"evil"}}}"#,
            )],
            says(SLICES, "\"evil\""),
        )
        .left("it is its controller's own, and says only when something changed")
        .races(),
        case(
            "Endpoints that say not ready",
            &[App, Service],
            vec![merge("endpoints/NAME", r#"{"subsets":[]}"#)],
            unset("endpoints/NAME", "/subsets"),
        )
        .left("what is ready is observed, and fewer addresses lead nowhere else")
        .races(),
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
        .left(by_its_time)
        .races(),
        case(
            "a cron job's Job for a time before it was there, as its controller",
            &[Cron],
            vec![post("jobs", EXACT).forged("cronjob-controller")],
            exists("jobs/NAME-29453760"),
        )
        .left(by_its_time)
        .races(),
        case(
            "a suspended cron job's Job, as its controller",
            &[Suspended],
            vec![post("jobs", EXACT).forged("cronjob-controller")],
            exists("jobs/NAME-29453760"),
        )
        .left(by_its_time)
        .races(),
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
        .left("a status is no part of what Git says")
        .races(),
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
        case("a claim without its protection", &[Claim], vec![merge(CLAIM, r#"{"metadata":{"finalizers":null}}"#)], unset(CLAIM, "/metadata/finalizers")),
        case("a volume reserved for a stranger's claim", &[Volume], vec![merge("persistentvolumes/NAME", r#"{"spec":{"claimRef":{"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"default","name":"evil"}}}"#)], set("persistentvolumes/NAME", "/spec/claimRef")),
        case("a volume reserved for a stranger's claim, as the binder", &[Volume], vec![replace("persistentvolumes/NAME", &[("/spec/claimRef", r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"default","name":"evil","uid":"8e8f4f4e-0000-4000-8000-000000000000"}"#)]).forged("persistent-volume-binder")], set("persistentvolumes/NAME", "/spec/claimRef")),
        case("a finalizer that provisioners set, on a volume", &[Volume], vec![json_patch("persistentvolumes/NAME", r#"[{"op":"add","path":"/metadata/finalizers/-","value":"external-provisioner.volume.kubernetes.io/finalizer"}]"#)], says("persistentvolumes/NAME", "external-provisioner")).left("whoever sets such finalizers takes them off"),
        case("a volume for a declared claim", &[Claim], vec![post("persistentvolumes", r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"NAME-x"},"spec":{"storageClassName":"nobodys","capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/evil"},"claimRef":{"namespace":"field","name":"NAME"}}}"#)], exists("persistentvolumes/NAME-x")).left("it holds data: it is told, and left alone"),
    ]
}
