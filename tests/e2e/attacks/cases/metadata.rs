//! Metadata, by all doors.

use crate::case::{Case, apply, case, is, merge, put, says, set};
use crate::fixtures::Fixture::{Budget, Claim, Config, Coupon, Cron, Idle, Ingress, Job, Secret, Service, Set};

const D: &str = "deployments/NAME";
const GONE: &str = r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"8e8f4f4e-0000-4000-8000-000000000000"}]}}"#;
const FINALIZER: &str = r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#;
const ANNOTATION: &str = r#"{"metadata":{"annotations":{"evil":"x"}}}"#;
const LABEL: &str = r#"{"metadata":{"labels":{"evil":"x"}}}"#;
const EVIL: &str = "\"evil\"";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("a label", &[Idle], vec![merge(D, LABEL)], says(D, EVIL)),
        case(
            "a label that other tools select by",
            &[Idle],
            vec![merge(
                D,
                r#"{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm","argocd.argoproj.io/instance":"x"}}}"#,
            )],
            says(D, "argocd"),
        ),
        case("an annotation", &[Config], vec![merge("configmaps/NAME", ANNOTATION)], says("configmaps/NAME", EVIL)),
        case(
            "the annotation of kubectl apply",
            &[Config],
            vec![merge(
                "configmaps/NAME",
                r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}}"#,
            )],
            says("configmaps/NAME", "last-applied"),
        ),
        case(
            "an annotation of gitward's name",
            &[Config],
            vec![merge("configmaps/NAME", r#"{"metadata":{"annotations":{"gitward.dev/ignore":"true"}}}"#)],
            says("configmaps/NAME", "gitward.dev"),
        ),
        case("a finalizer", &[Idle], vec![merge(D, FINALIZER)], set(D, "/metadata/finalizers")),
        case(
            "a finalizer of a controller",
            &[Idle],
            vec![merge(D, r#"{"metadata":{"finalizers":["foregroundDeletion"]}}"#)],
            set(D, "/metadata/finalizers"),
        ),
        case(
            "a finalizer of the cloud",
            &[Service],
            vec![merge(
                "services/NAME",
                r#"{"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}"#,
            )],
            set("services/NAME", "/metadata/finalizers"),
        ),
        case(
            "an owner that lives",
            &[Idle, Config],
            vec![merge(
                D,
                r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"NAME","uid":"<uid configmaps/NAME>"}]}}"#,
            )],
            set(D, "/metadata/ownerReferences"),
        ),
        case(
            "a label through /status, of a Service",
            &[Service],
            vec![merge("services/NAME/status", LABEL)],
            says("services/NAME", EVIL),
        ),
        case(
            "a finalizer through /status, of a Service",
            &[Service],
            vec![merge("services/NAME/status", FINALIZER)],
            set("services/NAME", "/metadata/finalizers"),
        ),
        case(
            "an annotation through /status, of a Deployment",
            &[Idle],
            vec![merge("deployments/NAME/status", ANNOTATION)],
            says(D, EVIL),
        ),
        case(
            "an annotation through /status, of a Deployment, as its controller",
            &[Idle],
            vec![merge("deployments/NAME/status", ANNOTATION).master("deployment-controller")],
            says(D, EVIL),
        ),
        case(
            "an annotation through /status, of a stateful set",
            &[Set],
            vec![merge("statefulsets/NAME/status", ANNOTATION)],
            says("statefulsets/NAME", EVIL),
        ),
        case(
            "a label through /status, of a Job",
            &[Job],
            vec![merge("jobs/NAME/status", LABEL)],
            says("jobs/NAME", EVIL),
        ),
        case(
            "a finalizer through /status, of a cron job",
            &[Cron],
            vec![merge("cronjobs/NAME/status", FINALIZER)],
            set("cronjobs/NAME", "/metadata/finalizers"),
        ),
        case(
            "a label through /status, of an Ingress",
            &[Ingress],
            vec![merge("ingresses/NAME/status", LABEL)],
            says("ingresses/NAME", EVIL),
        ),
        case(
            "a label through /status, of a budget",
            &[Budget],
            vec![merge("poddisruptionbudgets/NAME/status", LABEL)],
            says("poddisruptionbudgets/NAME", EVIL),
        ),
        case(
            "a finalizer through /status, of a claim",
            &[Claim],
            vec![merge("persistentvolumeclaims/NAME/status", FINALIZER)],
            says("persistentvolumeclaims/NAME", "evil.example.org/x"),
        ),
        case(
            "an annotation through an apply of the status",
            &[Idle],
            vec![apply(
                "deployments/NAME/status",
                r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME","annotations":{"evil":"x"}}}"#,
            )],
            says(D, EVIL),
        ),
        case(
            "a label through /scale",
            &[Idle],
            vec![put(
                "deployments/NAME/scale",
                r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"NAME","namespace":"field","labels":{"evil":"x"}},"spec":{"replicas":2}}"#,
            )],
            is(D, "/spec/replicas", 2),
        ),
        case("an owner that is not there: a Deployment goes", &[Idle], vec![merge(D, GONE)], says(D, "8e8f4f4e")),
        case(
            "an owner that is not there: a claim goes",
            &[Claim],
            vec![merge("persistentvolumeclaims/NAME", GONE)],
            says("persistentvolumeclaims/NAME", "8e8f4f4e"),
        ),
        case(
            "an owner that is not there: a Secret goes",
            &[Secret],
            vec![merge("secrets/NAME", GONE)],
            says("secrets/NAME", "8e8f4f4e"),
        ),
        case(
            "an owner that is not there: a custom resource goes",
            &[Coupon],
            vec![merge("coupons/NAME", GONE)],
            says("coupons/NAME", "8e8f4f4e"),
        ),
        case(
            "an annotation of the greatest key",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"metadata":{"annotations":{"a.b.c.d.e.example.org/x_y-z.1":"x"}}}"#)],
            says("coupons/NAME", "x_y-z.1"),
        ),
        case(
            "a label of a template, which makes no new Pods",
            &[Cron],
            vec![merge("cronjobs/NAME", r#"{"spec":{"jobTemplate":{"metadata":{"labels":{"evil":"x"}}}}}"#)],
            says("cronjobs/NAME", EVIL),
        ),
    ]
}
