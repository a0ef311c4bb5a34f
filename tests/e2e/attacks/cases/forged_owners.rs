//! Right and wrong owners, uids and names.

use crate::case::{Case, case, copy, exists, json_patch, merge, post, says, unset};
use crate::fixtures::Fixture::{App, Config, Cron, Idle, Pod, Service, Set};

const SETS: &str = "replicasets?labelSelector=app%3DNAME";
const PODS: &str = "pods?labelSelector=app%3DNAME";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "a Pod like a replica set's, of an owner of another uid",
            &[App],
            vec![copy(PODS, "pods", &[
                ("/metadata/name", r#""NAME-zzzzz""#),
                ("/metadata/ownerReferences/0/uid", r#""8e8f4f4e-0000-4000-8000-000000000000""#),
                ("/metadata/labels/app", r#""x-NAME""#),
                ("/spec/nodeName", "-"),
            ])],
            exists("pods/NAME-zzzzz"),
        ),
        case(
            "a Pod like a replica set's, of no owner",
            &[App],
            vec![copy(PODS, "pods", &[
                ("/metadata/name", r#""NAME-zzzzz""#),
                ("/metadata/ownerReferences", "-"),
                ("/metadata/labels/app", r#""x-NAME""#),
                ("/spec/nodeName", "-"),
            ])],
            exists("pods/NAME-zzzzz"),
        ),
        case(
            "a Pod of a ConfigMap",
            &[Config],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"NAME","uid":"<uid configmaps/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"containers":[{"name":"app","image":"evil"}]}}"#)],
            exists("pods/NAME"),
        ),
        case(
            "a Deployment of a Deployment",
            &[Idle],
            vec![copy("deployments/NAME", "deployments", &[
                ("/metadata/name", r#""NAME-x""#),
                ("/metadata/ownerReferences", r#"[{"apiVersion":"apps/v1","kind":"Deployment","name":"NAME","uid":"<uid deployments/NAME>","controller":true,"blockOwnerDeletion":true}]"#),
            ])],
            exists("deployments/NAME-x"),
        ),
        case(
            "a second copy of a replica set, under a name of one's own",
            &[App],
            vec![copy(SETS, "replicasets", &[("/metadata/name", r#""NAME-x""#)])],
            exists("replicasets/NAME-x"),
        ),
        case(
            "a replica set of a Deployment by two owners",
            &[App, Config],
            vec![json_patch("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"[{"op":"add","path":"/metadata/ownerReferences/-","value":{"apiVersion":"v1","kind":"ConfigMap","name":"NAME","uid":"<uid configmaps/NAME>"}}]"#)],
            says(SETS, "\"kind\":\"ConfigMap\""),
        ),
        case(
            "a Pod let go by its owner: a label changed",
            &[App],
            vec![merge("pods/<name pods?labelSelector=app%3DNAME>", r#"{"metadata":{"labels":{"app":"free-NAME"}}}"#)],
            exists("pods?labelSelector=app%3Dfree-NAME"),
        ),
        case(
            "a Pod's owner taken away",
            &[App],
            vec![json_patch("pods/<name pods?labelSelector=app%3DNAME>", r#"[{"op":"remove","path":"/metadata/ownerReferences"}]"#).forged("replicaset-controller")],
            unset(PODS, "/metadata/ownerReferences"),
        ),
        case(
            "a Job of a cron job, by hand, with its own template",
            &[Cron],
            vec![post("jobs", r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"NAME-manual","annotations":{"cronjob.kubernetes.io/instantiate":"manual"},"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"NAME","uid":"<uid cronjobs/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"registry.example.org/app:1","resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}]}}}}"#)],
            exists("jobs/NAME-manual"),
        ),
        case(
            "a Pod of an ordinal that the set does not have",
            &[Set],
            vec![copy(PODS, "pods", &[
                ("/metadata/name", r#""NAME-7""#),
                ("/metadata/labels/statefulset.kubernetes.io~1pod-name", r#""NAME-7""#),
                ("/metadata/labels/apps.kubernetes.io~1pod-index", r#""7""#),
                ("/spec/hostname", r#""NAME-7""#),
                ("/spec/nodeName", "-"),
            ])],
            exists("pods/NAME-7"),
        ),
        case(
            "a Pod of a declared Pod's name, owned by a set",
            &[Pod],
            vec![merge("pods/NAME", r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"NAME","uid":"<uid pods/NAME>"}]}}"#)],
            says("pods/NAME", "ownerReferences"),
        ),
        case(
            "a Pod like a replica set's, on a node of one's choice",
            &[App],
            vec![copy(PODS, "pods", &[("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-yyyyy""#), ("/spec/nodeName", r#""node-1""#), ("/metadata/labels/app", r#""NAME""#), ("/metadata/annotations", r#"{"chosen":"x"}"#)])],
            says(PODS, "chosen"),
        ),
        case(
            "a Pod like a replica set's, with another scheduler",
            &[App],
            vec![copy(PODS, "pods", &[("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-yyyyy""#), ("/spec/nodeName", "-"), ("/spec/schedulerName", r#""evil""#)])],
            says(PODS, "\"schedulerName\":\"evil\""),
        ),
        case(
            "a Pod like a replica set's, without its account's token",
            &[App],
            vec![copy(PODS, "pods", &[("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-yyyyy""#), ("/spec/nodeName", "-"), ("/spec/hostPID", "true")])],
            says(PODS, "\"hostPID\":true"),
        ),
        case(
            "a Service that owns itself a slice of no selector",
            &[Service],
            vec![post("endpoints", r#"{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"NAME-x","ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"NAME","uid":"<uid services/NAME>"}]},"subsets":[{"addresses":[{"ip":"203.0.113.9"}],"ports":[{"port":80}]}]}"#)],
            exists("endpoints/NAME-x"),
        ),
        case(
            "a claim for a Pod's ephemeral volume that it has not",
            &[Pod],
            vec![post("persistentvolumeclaims", r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"NAME-scratch","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"NAME","uid":"<uid pods/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"storageClassName":"nobodys","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}"#)],
            exists("persistentvolumeclaims/NAME-scratch"),
        )
        .left("it holds data: it is told, and left alone"),
    ]
}
