//! Fields of declared objects.

use crate::case::{Case, apply, case, is, json_patch, merge, replace, says, set, strategic, unset};
use crate::fixtures::Fixture::{
    App, Autoscaler, Binding, Budget, Class, Config, Coupon, Cron, Daemon, Idle, Ingress, Job, Policy, Priority, Role,
    Secret, Service, Set, Volume,
};

const D: &str = "deployments/NAME";
const IMAGE: &str = "/spec/template/spec/containers/0/image";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "another image, by a strategic merge patch",
            &[App],
            vec![strategic(D, r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"evil"}]}}}}"#)],
            is(D, IMAGE, "evil"),
        ),
        case(
            "another image, by a replacement",
            &[Idle],
            vec![replace(D, &[(IMAGE, r#""evil""#)])],
            is(D, IMAGE, "evil"),
        ),
        case(
            "another image, by a forced apply under gitward's manager",
            &[Idle],
            vec![apply(
                "deployments/NAME?force=true&fieldManager=gitward",
                r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME"},"spec":{"template":{"spec":{"containers":[{"name":"app","image":"evil"}]}}}}"#,
            )],
            is(D, IMAGE, "evil"),
        ),
        case(
            "a container added",
            &[App],
            vec![strategic(D, r#"{"spec":{"template":{"spec":{"containers":[{"name":"miner","image":"evil"}]}}}}"#)],
            says(D, "miner"),
        ),
        case(
            "an init container added",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"miner","image":"evil"}]}}}}"#,
            )],
            says(D, "miner"),
        ),
        case(
            "the host's network",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"spec":{"hostNetwork":true}}}}"#)],
            is(D, "/spec/template/spec/hostNetwork", true),
        ),
        case(
            "a volume of the host",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"volumes":[{"name":"host","hostPath":{"path":"/"}}]}}}}"#,
            )],
            set(D, "/spec/template/spec/volumes"),
        ),
        case(
            "another service account",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"spec":{"serviceAccountName":"other"}}}}"#)],
            is(D, "/spec/template/spec/serviceAccountName", "other"),
        ),
        case(
            "a privileged container",
            &[Idle],
            vec![json_patch(
                D,
                r#"[{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}]"#,
            )],
            is(D, "/spec/template/spec/containers/0/securityContext/privileged", true),
        ),
        case(
            "a declared variable removed",
            &[Idle],
            vec![json_patch(D, r#"[{"op":"remove","path":"/spec/template/spec/containers/0/env"}]"#)],
            unset(D, "/spec/template/spec/containers/0/env"),
        ),
        case("paused", &[Idle], vec![merge(D, r#"{"spec":{"paused":true}}"#)], is(D, "/spec/paused", true)),
        case(
            "another strategy",
            &[Idle],
            vec![merge(D, r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#)],
            is(D, "/spec/strategy/type", "Recreate"),
        ),
        case(
            "a stateful set's image",
            &[Set],
            vec![json_patch(
                "statefulsets/NAME",
                r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"}]"#,
            )],
            is("statefulsets/NAME", IMAGE, "evil"),
        ),
        case(
            "a daemon set's nodes",
            &[Daemon],
            vec![merge(
                "daemonsets/NAME",
                r#"{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"node-1"}}}}}"#,
            )],
            is("daemonsets/NAME", "/spec/template/spec/nodeSelector/kubernetes.io~1hostname", "node-1"),
        ),
        case(
            "a suspended Job resumed",
            &[Job],
            vec![merge("jobs/NAME", r#"{"spec":{"suspend":false}}"#)],
            is("jobs/NAME", "/spec/suspend", false),
        ),
        case(
            "a cron job's command",
            &[Cron],
            vec![json_patch(
                "cronjobs/NAME",
                r#"[{"op":"add","path":"/spec/jobTemplate/spec/template/spec/containers/0/command","value":["evil"]}]"#,
            )],
            says("cronjobs/NAME", "evil"),
        ),
        case(
            "a Secret's value",
            &[Secret],
            vec![merge("secrets/NAME", r#"{"stringData":{"token":"stolen"}}"#)],
            is("secrets/NAME", "/data/token", "c3RvbGVu"),
        ),
        case(
            "a Secret made immutable with another value",
            &[Secret],
            vec![merge("secrets/NAME", r#"{"immutable":true,"data":{"token":"c3RvbGVu"}}"#)],
            is("secrets/NAME", "/data/token", "c3RvbGVu"),
        ),
        case(
            "a ConfigMap's binary data",
            &[Config],
            vec![merge("configmaps/NAME", r#"{"binaryData":{"more":"ZXZpbA=="}}"#)],
            set("configmaps/NAME", "/binaryData/more"),
        ),
        case(
            "a Service's selector",
            &[Service],
            vec![merge("services/NAME", r#"{"spec":{"selector":{"app":"evil"}}}"#)],
            is("services/NAME", "/spec/selector/app", "evil"),
        ),
        case(
            "a Service's selector taken away",
            &[Service],
            vec![merge("services/NAME", r#"{"spec":{"selector":null}}"#)],
            unset("services/NAME", "/spec/selector"),
        ),
        case(
            "a Service made external",
            &[Service],
            vec![merge("services/NAME", r#"{"spec":{"externalIPs":["203.0.113.9"]}}"#)],
            set("services/NAME", "/spec/externalIPs"),
        ),
        case(
            "a Service that becomes a name elsewhere",
            &[Service],
            vec![merge(
                "services/NAME",
                r#"{"spec":{"type":"ExternalName","externalName":"evil.example.com","clusterIP":null,"clusterIPs":null,"ipFamilies":null,"ipFamilyPolicy":null}}"#,
            )],
            is("services/NAME", "/spec/type", "ExternalName"),
        ),
        case(
            "an Ingress's backend",
            &[Ingress],
            vec![json_patch(
                "ingresses/NAME",
                r#"[{"op":"replace","path":"/spec/rules/0/http/paths/0/backend/service/name","value":"evil"}]"#,
            )],
            says("ingresses/NAME", "evil"),
        ),
        case(
            "a network policy opened",
            &[Policy],
            vec![merge("networkpolicies/NAME", r#"{"spec":{"ingress":[{}]}}"#)],
            is("networkpolicies/NAME", "/spec/ingress", serde_json::json!([{}])),
        ),
        case(
            "an autoscaler's bounds",
            &[App, Autoscaler],
            vec![merge("horizontalpodautoscalers/NAME", r#"{"spec":{"maxReplicas":50}}"#)],
            is("horizontalpodautoscalers/NAME", "/spec/maxReplicas", 50),
        ),
        case(
            "a disruption budget lifted",
            &[Budget],
            vec![merge("poddisruptionbudgets/NAME", r#"{"spec":{"minAvailable":0}}"#)],
            is("poddisruptionbudgets/NAME", "/spec/minAvailable", 0),
        ),
        case(
            "a role widened",
            &[Role],
            vec![json_patch("roles/NAME", r#"[{"op":"add","path":"/rules/0/verbs/-","value":"list"}]"#)],
            says("roles/NAME", "list"),
        ),
        case(
            "a subject added to a binding",
            &[Role, Binding],
            vec![json_patch(
                "rolebindings/NAME",
                r#"[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"paula","apiGroup":"rbac.authorization.k8s.io"}}]"#,
            )],
            says("rolebindings/NAME", "paula"),
        ),
        case(
            "a custom resource's field",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"percent":90}}"#)],
            is("coupons/NAME", "/spec/percent", 90),
        ),
        case(
            "a custom resource's field of no schema",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"free":{"deep":{"er":[1,2,3]}}}}"#)],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "a Pod's own resources, with nothing in them",
            &[Daemon],
            vec![merge("daemonsets/NAME", r#"{"spec":{"template":{"spec":{"resources":{}}}}}"#)],
            set("daemonsets/NAME", "/spec/template/spec/resources"),
        ),
        case(
            "a storage class's parameter of the mount",
            &[Class],
            vec![merge("storageclasses/NAME", r#"{"mountOptions":["suid"]}"#)],
            set("storageclasses/NAME", "/mountOptions"),
        ),
        case(
            "a priority class preempts no more",
            &[Priority],
            vec![merge("priorityclasses/NAME", r#"{"description":"evil"}"#)],
            is("priorityclasses/NAME", "/description", "evil"),
        ),
        case(
            "a volume reclaimed otherwise",
            &[Volume],
            vec![merge("persistentvolumes/NAME", r#"{"spec":{"persistentVolumeReclaimPolicy":"Recycle"}}"#)],
            is("persistentvolumes/NAME", "/spec/persistentVolumeReclaimPolicy", "Recycle"),
        ),
    ]
}
