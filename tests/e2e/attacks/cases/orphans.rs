//! What a controller would adopt.

use crate::case::{Case, case, copy, exists, merge, post, says};
use crate::fixtures::Fixture::{App, Daemon, Idle, Job, Service, Set};

const SETS: &str = "replicasets?labelSelector=app%3DNAME";
const PODS: &str = "pods?labelSelector=app%3DNAME";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "an orphan replica set with a forged template",
            &[App],
            vec![copy(SETS, "replicasets", &[
                ("/metadata/name", r#""NAME-old""#),
                ("/metadata/ownerReferences", "-"),
                ("/metadata/labels/pod-template-hash", r#""old""#),
                ("/spec/selector/matchLabels/pod-template-hash", r#""old""#),
                ("/spec/template/metadata/labels/pod-template-hash", r#""old""#),
                ("/spec/template/spec/containers/0/image", r#""evil""#),
            ])],
            exists("replicasets/NAME-old"),
        ),
        case(
            "an orphan replica set with the very template",
            &[App],
            vec![copy(SETS, "replicasets", &[("/metadata/name", r#""NAME-twin""#), ("/metadata/ownerReferences", "-")])],
            exists("replicasets/NAME-twin"),
        ),
        case(
            "an orphan replica set that no Deployment would adopt",
            &[],
            vec![post("replicasets", r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"NAME","labels":{"app":"NAME"}},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"NAME"}},"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"evil"}]}}}}"#)],
            exists("replicasets/NAME"),
        ),
        case(
            "an orphan Pod with the labels of a Deployment",
            &[App],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-orphan","labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"evil"}]}}"#)],
            exists("pods/NAME-orphan"),
        ),
        case(
            "an orphan Pod with the labels of a replica set, which adopts it",
            &[App],
            vec![copy(PODS, "pods", &[
                ("/metadata/name", r#""NAME-orphan""#),
                ("/metadata/ownerReferences", "-"),
                ("/spec/nodeName", "-"),
                ("/spec/containers/0/image", r#""evil""#),
            ])],
            says(PODS, "\"image\":\"evil\""),
        ),
        case(
            "an orphan Pod with the name of a stateful set's next",
            &[Set],
            vec![copy(PODS, "pods", &[
                ("/metadata/name", r#""NAME-1""#),
                ("/metadata/ownerReferences", "-"),
                ("/metadata/labels/statefulset.kubernetes.io~1pod-name", r#""NAME-1""#),
                ("/spec/hostname", r#""NAME-1""#),
                ("/spec/nodeName", "-"),
                ("/spec/containers/0/image", r#""evil""#),
            ])],
            exists("pods/NAME-1"),
        ),
        case(
            "an orphan Pod with the labels of a daemon set",
            &[Daemon],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-orphan","labels":{"app":"NAME"}},"spec":{"nodeName":"node-0","containers":[{"name":"app","image":"evil"}]}}"#)],
            exists("pods/NAME-orphan"),
        ),
        case(
            "an orphan Pod with the labels of a Job",
            &[Job],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-orphan","labels":{"app":"NAME","batch.kubernetes.io/controller-uid":"<uid jobs/NAME>","controller-uid":"<uid jobs/NAME>"},"finalizers":["batch.kubernetes.io/job-tracking"]},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"evil"}]}}"#)],
            exists("pods/NAME-orphan"),
        ),
        case(
            "an orphan revision with a forged template",
            &[Set],
            vec![copy("controllerrevisions?labelSelector=app%3DNAME", "controllerrevisions", &[
                ("/metadata/name", r#""NAME-orphan""#),
                ("/metadata/ownerReferences", "-"),
                ("/revision", "9"),
                ("/data/spec/template/spec/containers/0/image", r#""evil""#),
            ])],
            exists("controllerrevisions/NAME-orphan"),
        ),
        case(
            "a Pod that a declared Service selects",
            &[Service],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-x","labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"evil","ports":[{"name":"http","containerPort":8080}]}]}}"#)],
            exists("pods/NAME-x"),
        ),
        case(
            "a replica set let go by its Deployment",
            &[App],
            vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"{"metadata":{"ownerReferences":null,"labels":{"app":"free-NAME"}}}"#)],
            exists("replicasets?labelSelector=app%3Dfree-NAME"),
        ),
        case(
            "an orphan claim under a stateful set's template",
            &[Set],
            vec![post("persistentvolumeclaims", r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"books-NAME-1"},"spec":{"storageClassName":"nobodys","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}"#)],
            exists("persistentvolumeclaims/books-NAME-1"),
        )
        .left("it holds data: it is told, and left alone"),
        case(
            "a replication controller that takes declared Pods over",
            &[Idle],
            vec![post("replicationcontrollers", r#"{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"NAME-x"},"spec":{"replicas":1,"selector":{"app":"NAME"},"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"evil"}]}}}}"#)],
            exists("replicationcontrollers/NAME-x"),
        ),
    ]
}
