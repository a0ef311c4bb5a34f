//! Back to what Git used to say.

use crate::case::{Case, case, copy, is, json_patch, merge, says};
use crate::fixtures::Fixture::{App, Daemon, Idle, Set};

const SETS: &str = "replicasets?labelSelector=app%3DNAME";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "kubectl rollout undo: a former template in the Deployment",
            &[Idle],
            vec![json_patch("deployments/NAME", r#"[{"op":"replace","path":"/spec/template","value":{"metadata":{"labels":{"app":"NAME"}},"spec":{"containers":[{"name":"app","image":"registry.example.org/app:0"}]}}}]"#)],
            says("deployments/NAME", "app:0"),
        ),
        case(
            "the annotation that makes the controller roll back",
            &[Idle],
            vec![merge("deployments/NAME", r#"{"metadata":{"annotations":{"deprecated.deployment.rollback.to":"1"}}}"#)],
            says("deployments/NAME", "rollback.to"),
        ),
        case(
            "a forged revision number",
            &[App],
            vec![merge("deployments/NAME", r#"{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"99"}}}"#)],
            is("deployments/NAME", "/metadata/annotations/deployment.kubernetes.io~1revision", "99"),
        ),
        case(
            "a revision number on a replica set",
            &[App],
            vec![merge("replicasets/<name replicasets?labelSelector=app%3DNAME>", r#"{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"77"}}}"#)],
            is(SETS, "/metadata/annotations/deployment.kubernetes.io~1revision", "77"),
        )
        .left("a revision's number rests on its controller's account").races(),
        case(
            "an old replica set, as the controller, scaled up",
            &[App],
            vec![copy(SETS, "replicasets", &[
                ("/metadata/name", r#""NAME-7777777777""#),
                ("/metadata/labels/pod-template-hash", r#""7777777777""#),
                ("/spec/selector/matchLabels/pod-template-hash", r#""7777777777""#),
                ("/spec/template/metadata/labels/pod-template-hash", r#""7777777777""#),
                ("/spec/template/spec/containers/0/image", r#""registry.example.org/app:0""#),
                ("/spec/replicas", "1"),
            ])
            .forged("deployment-controller")],
            says(SETS, "app:0"),
        ),
        case(
            "a stateful set's old revision brought back by its number",
            &[Set],
            vec![json_patch("controllerrevisions/<name controllerrevisions?labelSelector=app%3DNAME>", r#"[{"op":"replace","path":"/revision","value":50}]"#)],
            is("controllerrevisions?labelSelector=app%3DNAME", "/revision", 50),
        )
        .left("a revision's number rests on the controller's account").races(),
        case(
            "a partition that holds Pods back at the old revision",
            &[Set],
            vec![merge("statefulsets/NAME", r#"{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":5}}}}"#)],
            is("statefulsets/NAME", "/spec/updateStrategy/rollingUpdate/partition", 5),
        ),
        case(
            "updates left to deletion",
            &[Daemon],
            vec![merge("daemonsets/NAME", r#"{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}"#)],
            is("daemonsets/NAME", "/spec/updateStrategy/type", "OnDelete"),
        ),
        case(
            "a restart without leave",
            &[App],
            vec![merge("deployments/NAME", r#"{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}"#)],
            says("deployments/NAME", "restartedAt"),
        )
        .left("an exemption in Git lets one account set this field, and by content nobody sees whose it is"),
        case(
            "no history kept",
            &[Idle],
            vec![merge("deployments/NAME", r#"{"spec":{"revisionHistoryLimit":0}}"#)],
            is("deployments/NAME", "/spec/revisionHistoryLimit", 0),
        ),
    ]
}
