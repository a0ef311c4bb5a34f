//! Lists by their merge keys, orders, amounts, nulls and other spellings.

use crate::case::{Case, case, is, json_patch, merge, replace, says, set, strategic};
use crate::fixtures::Fixture::{Config, Coupon, Idle, Ingress, Role, Service};

const D: &str = "deployments/NAME";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "a second variable of the same name, which wins",
            &[Idle],
            vec![replace(D, &[("/spec/template/spec/containers/0/env/+", r#"{"name":"MODE","value":"debug"}"#)])],
            says(D, "debug"),
        ),
        case(
            "a second port of the same number by another protocol",
            &[Idle],
            vec![json_patch(
                D,
                r#"[{"op":"add","path":"/spec/template/spec/containers/0/ports/-","value":{"containerPort":8080,"protocol":"UDP"}}]"#,
            )],
            says(D, "UDP"),
        ),
        case(
            "the list replaced by a patch directive",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"$patch":"replace"},{"name":"app","image":"evil"}]}}}}"#,
            )],
            is(D, "/spec/template/spec/containers/0/image", "evil"),
        ),
        case(
            "variables from a map added",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","envFrom":[{"configMapRef":{"name":"evil","optional":true}}]}]}}}}"#,
            )],
            set(D, "/spec/template/spec/containers/0/envFrom"),
        ),
        case(
            "more memory in another unit",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"requests":{"memory":"1M"}}}]}}}}"#,
            )],
            is(D, "/spec/template/spec/containers/0/resources/requests/memory", "1M"),
        ),
        case(
            "a thousandth of a millicore more, which is rounded up",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"requests":{"cpu":"1001u"}}}]}}}}"#,
            )],
            is(D, "/spec/template/spec/containers/0/resources/requests/cpu", "2m"),
        ),
        case(
            "a huge amount",
            &[Idle],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"requests":{"memory":"7Ei"}}}]}}}}"#,
            )],
            says(D, "Ei"),
        ),
        case(
            "a toleration of everything",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}"#)],
            set(D, "/spec/template/spec/tolerations"),
        ),
        case(
            "an empty list where the default is none",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"spec":{"securityContext":{"supplementalGroups":[0]}}}}}"#)],
            set(D, "/spec/template/spec/securityContext/supplementalGroups"),
        ),
        case(
            "a named port that means a number",
            &[Service],
            vec![json_patch("services/NAME", r#"[{"op":"replace","path":"/spec/ports/0/targetPort","value":8080}]"#)],
            is("services/NAME", "/spec/ports/0/targetPort", 8080),
        ),
        case(
            "a number as text",
            &[Service],
            vec![json_patch(
                "services/NAME",
                r#"[{"op":"replace","path":"/spec/ports/0/targetPort","value":"8080x"}]"#,
            )],
            is("services/NAME", "/spec/ports/0/targetPort", "8080x"),
        ),
        case(
            "a second port of a Service",
            &[Service],
            vec![json_patch(
                "services/NAME",
                r#"[{"op":"add","path":"/spec/ports/-","value":{"name":"door","port":81,"targetPort":22}}]"#,
            )],
            says("services/NAME", "door"),
        ),
        case(
            "the order of an Ingress's paths",
            &[Ingress],
            vec![json_patch(
                "ingresses/NAME",
                r#"[{"op":"add","path":"/spec/rules/0/http/paths/0","value":{"path":"/pay","pathType":"Prefix","backend":{"service":{"name":"NAME","port":{"number":81}}}}}]"#,
            )],
            says("ingresses/NAME", "/pay"),
        ),
        case(
            "a label with an empty value",
            &[Idle],
            vec![merge(D, r#"{"metadata":{"labels":{"empty":""}}}"#)],
            set(D, "/metadata/labels/empty"),
        ),
        case(
            "an annotation of the greatest length",
            &[Config],
            vec![merge(
                "configmaps/NAME",
                &format!(r#"{{"metadata":{{"annotations":{{"long":"{}"}}}}}}"#, "x".repeat(200_000)),
            )],
            set("configmaps/NAME", "/metadata/annotations/long"),
        ),
        case(
            "an empty key's worth of data",
            &[Config],
            vec![merge("configmaps/NAME", r#"{"data":{"greeting":""}}"#)],
            is("configmaps/NAME", "/data/greeting", ""),
        ),
        case(
            "white space at the end",
            &[Config],
            vec![merge("configmaps/NAME", r#"{"data":{"greeting":"hello\n"}}"#)],
            is("configmaps/NAME", "/data/greeting", "hello\n"),
        ),
        case(
            "a letter that looks the same",
            &[Config],
            vec![merge("configmaps/NAME", r#"{"data":{"greeting":"hellо"}}"#)],
            is("configmaps/NAME", "/data/greeting", "hellо"),
        ),
        case(
            "a nil that is kept",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"free":{}}}"#)],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "a great integer",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"percent":9007199254740993}}"#)],
            is("coupons/NAME", "/spec/percent", 9_007_199_254_740_993_i64),
        ),
        case(
            "a fraction in free content",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"free":{"x":-0.0}}}"#)],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "a verb in place of another",
            &[Role],
            vec![json_patch("roles/NAME", r#"[{"op":"replace","path":"/rules/0/verbs","value":["watch"]}]"#)],
            says("roles/NAME", "watch"),
        ),
        case(
            "a rule of the same name twice",
            &[Role],
            vec![json_patch(
                "roles/NAME",
                r#"[{"op":"add","path":"/rules/0","value":{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","watch"]}}]"#,
            )],
            says("roles/NAME", "watch"),
        ),
        case(
            "all namespaces, by an empty selector beside one that is there",
            &[crate::fixtures::Fixture::Policy],
            vec![merge(
                "networkpolicies/NAME",
                r#"{"spec":{"ingress":[{"from":[{"podSelector":{},"namespaceSelector":{}}],"ports":[{"port":8080}]}]}}"#,
            )],
            says("networkpolicies/NAME", "namespaceSelector"),
        ),
        case(
            "an empty security context",
            &[crate::fixtures::Fixture::App],
            vec![strategic(
                D,
                r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","securityContext":{}}]}}}}"#,
            )],
            set(D, "/spec/template/spec/containers/0/securityContext"),
        ),
        case(
            "an empty affinity",
            &[Idle],
            vec![merge(D, r#"{"spec":{"template":{"spec":{"affinity":{"podAntiAffinity":{}}}}}}"#)],
            set(D, "/spec/template/spec/affinity"),
        ),
        case(
            "an empty directory for scratch",
            &[Idle],
            vec![strategic(D, r#"{"spec":{"template":{"spec":{"volumes":[{"name":"scratch","emptyDir":{}}]}}}}"#)],
            set(D, "/spec/template/spec/volumes"),
        ),
        case(
            "a life cycle with nothing in it",
            &[Idle],
            vec![strategic(D, r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","lifecycle":{}}]}}}}"#)],
            set(D, "/spec/template/spec/containers/0/lifecycle"),
        ),
    ]
}
