//! Objects made to look like a controller's.

use crate::case::{Case, Step, case, copy, exists, is, json_patch, merge, new, post, replace, says};
use crate::fixtures::Fixture::{App, Cron, Daemon, Idle, Job, Service, Set};

const SETS: &str = "replicasets?labelSelector=app%3DNAME";
const PODS: &str = "pods?labelSelector=app%3DNAME";
const EVIL: (&str, &str) = ("/spec/containers/0/image", r#""evil""#);
const EVIL_TEMPLATE: (&str, &str) = ("/spec/template/spec/containers/0/image", r#""evil""#);

/// The same content three times over: by the attacker, by the right controller impersonated, by its
/// minted token.
fn thrice(
    names: [&'static str; 3],
    controller: &'static str,
    needs: &[crate::fixtures::Fixture],
    step: &Step,
    effect: &crate::case::Effect,
) -> Vec<Case> {
    let steps = [step.clone(), step.clone().forged(controller), step.clone().token(controller)];
    names.into_iter().zip(steps).map(|(name, step)| case(name, needs, vec![step], effect.clone())).collect()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(thrice(
        [
            "a Pod of a replica set with another image",
            "a Pod of a replica set with another image, as its controller",
            "a Pod of a replica set with another image, by its controller's token",
        ],
        "replicaset-controller",
        &[App],
        &copy(
            PODS,
            "pods",
            &[
                ("/metadata/name", r#""<name replicasets?labelSelector=app%3DNAME>-zzzzz""#),
                EVIL,
                ("/spec/nodeName", "-"),
            ],
        ),
        &says(PODS, "evil"),
    ));
    cases.extend(thrice(
        [
            "a replica set of a Deployment with another template",
            "a replica set of a Deployment with another template, as its controller",
            "a replica set of a Deployment with another template, by its controller's token",
        ],
        "deployment-controller",
        &[App],
        &copy(
            SETS,
            "replicasets",
            &[
                ("/metadata/name", r#""NAME-6666666666""#),
                ("/metadata/labels/pod-template-hash", r#""6666666666""#),
                ("/spec/selector/matchLabels/pod-template-hash", r#""6666666666""#),
                ("/spec/template/metadata/labels/pod-template-hash", r#""6666666666""#),
                EVIL_TEMPLATE,
            ],
        ),
        &exists("replicasets/NAME-6666666666"),
    ));
    cases.extend(thrice(
        [
            "a Pod of a stateful set with another image",
            "a Pod of a stateful set with another image, as its controller",
            "a Pod of a stateful set with another image, by its controller's token",
        ],
        "statefulset-controller",
        &[Set],
        &copy(
            PODS,
            "pods",
            &[
                ("/metadata/name", r#""NAME-1""#),
                ("/metadata/labels/statefulset.kubernetes.io~1pod-name", r#""NAME-1""#),
                ("/metadata/labels/apps.kubernetes.io~1pod-index", r#""1""#),
                ("/spec/hostname", r#""NAME-1""#),
                ("/spec/nodeName", "-"),
                EVIL,
            ],
        ),
        &says(PODS, "evil"),
    ));
    cases.extend(thrice(
        [
            "a Pod of a daemon set with another image",
            "a Pod of a daemon set with another image, as its controller",
            "a Pod of a daemon set with another image, by its controller's token",
        ],
        "daemon-set-controller",
        &[Daemon],
        &copy(PODS, "pods", &[("/metadata/name", r#""NAME-zzzzz""#), ("/spec/nodeName", "-"), EVIL]),
        &says(PODS, "evil"),
    ));
    cases.extend(thrice(
        [
            "a Job of a cron job with another image",
            "a Job of a cron job with another image, as its controller",
            "a Job of a cron job with another image, by its controller's token",
        ],
        "cronjob-controller",
        &[Cron],
        &post("jobs", JOB),
        &exists("jobs/NAME-29000000"),
    ));
    cases.extend(more());
    cases.extend(endpoints());
    cases
}

const JOB: &str = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"NAME-29000000","annotations":{"batch.kubernetes.io/cronjob-scheduled-timestamp":"2026-01-01T00:00:00Z"},"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"NAME","uid":"<uid cronjobs/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"suspend":true,"template":{"metadata":{"labels":{"app":"NAME"}},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"evil"}]}}}}"#;

fn more() -> Vec<Case> {
    vec![
        case(
            "a Pod of a Job, with another command",
            &[Job],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-zzzzz","generateName":"NAME-","labels":{"app":"NAME","batch.kubernetes.io/controller-uid":"<uid jobs/NAME>","batch.kubernetes.io/job-name":"NAME","controller-uid":"<uid jobs/NAME>","job-name":"NAME"},"finalizers":["batch.kubernetes.io/job-tracking"],"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"NAME","uid":"<uid jobs/NAME>","controller":true,"blockOwnerDeletion":true}]},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"registry.example.org/app:1","command":["evil"],"env":[{"name":"MODE","value":"production"}],"ports":[{"name":"http","containerPort":8080}],"resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}]}}"#).forged("job-controller")],
            exists("pods/NAME-zzzzz"),
        ),
        case(
            "a revision of a stateful set with another template, as its controller",
            &[Set],
            vec![copy(
                "controllerrevisions?labelSelector=app%3DNAME",
                "controllerrevisions",
                &[
                    ("/metadata/name", r#""NAME-666666""#),
                    ("/metadata/labels/controller.kubernetes.io~1hash", r#""666666""#),
                    ("/revision", "7"),
                    ("/data/spec/template/spec/containers/0/image", r#""evil""#),
                ],
            )
            .forged("statefulset-controller")],
            exists("controllerrevisions/NAME-666666"),
        ),
        case(
            "a living replica set's template, as its controller",
            &[App],
            vec![json_patch("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"}]"#).forged("deployment-controller")],
            is(SETS, "/spec/template/spec/containers/0/image", "evil"),
        )
        .left("the Deployment makes another replica set at once, and this one, without replicas, is history").races(),
        case(
            "a label of a living Pod, as its controller",
            &[App],
            vec![merge("pods/<name pods?labelSelector=app%3DNAME>", r#"{"metadata":{"labels":{"pod-template-hash":"other"}}}"#).forged("replicaset-controller")],
            is(PODS, "/metadata/labels/pod-template-hash", "other"),
        ),
        case(
            "right content, one copy too many, by the wrong account",
            &[Idle],
            vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"{"spec":{"replicas":40}}"#)],
            is(SETS, "/spec/replicas", 40),
        ),
        case(
            "forty copies, as the right account",
            &[App],
            vec![replace("replicasets/<name replicasets?labelSelector=app%3DNAME>", &[("/spec/replicas", "40")]).forged("deployment-controller")],
            is(SETS, "/spec/replicas", 40),
        ),
        case(
            "a claim of a stateful set that has none",
            &[Set],
            vec![post("persistentvolumeclaims", r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"books-NAME-0","labels":{"app":"NAME"}},"spec":{"storageClassName":"nobodys","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}"#).forged("statefulset-controller")],
            exists("persistentvolumeclaims/books-NAME-0"),
        )
        .left("it holds data: it is told, and left alone"),
        case(
            "a mirror Pod, as the kubelet of a node",
            &[],
            vec![post("pods", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME-node-0","annotations":{"kubernetes.io/config.mirror":"x","kubernetes.io/config.hash":"x","kubernetes.io/config.source":"file"},"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"node-0","uid":"<uid nodes/node-0>","controller":true}]},"spec":{"nodeName":"node-0","containers":[{"name":"app","image":"evil"}]}}"#).by("system:node:node-0", "system:nodes")],
            exists("pods/NAME-node-0"),
        ),
        case(
            "a root certificate of one's own, as its publisher",
            &[],
            vec![replace("configmaps/kube-root-ca.crt", &[("/data/ca.crt", r#""evil of NAME""#)]).forged("root-ca-cert-publisher")],
            says("configmaps/kube-root-ca.crt", "evil of NAME"),
        ),
        case(
            "a pull secret for everybody, on the default account",
            &[],
            vec![replace("serviceaccounts/default", &[("/imagePullSecrets", r#"[{"name":"NAME"}]"#)]).master("service-account-controller")],
            says("serviceaccounts/default", "NAME"),
        ),
    ]
}

fn endpoints() -> Vec<Case> {
    const SLICE: &str = r#"{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"NAME-zzzzz","generateName":"NAME-","labels":{"kubernetes.io/service-name":"NAME","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"},"ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"NAME","uid":"<uid services/NAME>","controller":true,"blockOwnerDeletion":true}]},"addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],"endpoints":[{"addresses":["203.0.113.9"],"conditions":{"ready":true}}]}"#;
    vec![
        case(
            "an endpoint elsewhere, in a slice of one's own",
            &[Service],
            vec![post("endpointslices", SLICE)],
            says("endpointslices/NAME-zzzzz", "203.0.113.9"),
        )
        .fresh(),
        case(
            "an endpoint elsewhere, as the controller of slices",
            &[Service],
            vec![post("endpointslices", SLICE).forged("endpointslice-controller")],
            says("endpointslices/NAME-zzzzz", "203.0.113.9"),
        )
        .fresh(),
        case(
            "an endpoint elsewhere, in the slice that is there",
            &[App, Service],
            vec![json_patch("endpointslices/<name endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME>", r#"[{"op":"add","path":"/endpoints/0","value":{"addresses":["203.0.113.9"],"conditions":{"ready":true}}}]"#).master("endpointslice-controller")],
            says("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME", "203.0.113.9"),
        ),
        case(
            "another port, in the slice that is there",
            &[App, Service],
            vec![json_patch("endpointslices/<name endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME>", r#"[{"op":"replace","path":"/ports/0/port","value":22}]"#)],
            is("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME", "/ports/0/port", 22),
        ),
        case(
            "an endpoint elsewhere, in the Endpoints",
            &[App, Service],
            vec![replace("endpoints/NAME", &[("/subsets", r#"[{"addresses":[{"ip":"203.0.113.9"}],"ports":[{"name":"http","port":8080}]}]"#)])],
            says("endpoints/NAME", "203.0.113.9"),
        ),
        case(
            "a slice of another family for a Service",
            &[Service],
            vec![post("endpointslices", r#"{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"NAME-names","labels":{"kubernetes.io/service-name":"NAME"}},"addressType":"FQDN","ports":[],"endpoints":[{"addresses":["evil.example.com"]}]}"#)],
            new("endpointslices?labelSelector=kubernetes.io%2Fservice-name%3DNAME"),
        ),
    ]
}
