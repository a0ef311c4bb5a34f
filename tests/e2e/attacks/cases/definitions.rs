//! Definitions of custom resources: schemas, versions, conversion.

use crate::case::{Case, case, delete, exists, gone, is, json_patch, merge, post, says, set};
use crate::fixtures::Fixture::Definition;

const CRD: &str = "customresourcedefinitions/things.NAME.example.org";
const THING: &str = "/apis/NAME.example.org/v1/namespaces/field/things/NAME";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("a schema's bound", &[Definition], vec![json_patch(CRD, r#"[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum","value":1000}]"#)], says(CRD, "1000")),
        case("a default", &[Definition], vec![json_patch(CRD, r#"[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/mode/default","value":"evil"}]"#)], says(CRD, "\"default\":\"evil\"")),
        case("another stored version", &[Definition], vec![json_patch(CRD, r#"[{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}]"#)], is(CRD, "/spec/versions/1/storage", true)),
        case("a version no longer served", &[Definition], vec![json_patch(CRD, r#"[{"op":"replace","path":"/spec/versions/1/served","value":false}]"#)], is(CRD, "/spec/versions/1/served", false)),
        case("a third version", &[Definition], vec![json_patch(CRD, r#"[{"op":"add","path":"/spec/versions/-","value":{"name":"v3","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}]"#)], says(CRD, "\"v3\"")),
        case("a conversion by somebody else", &[Definition], vec![merge(CRD, r#"{"spec":{"conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"https://127.0.0.1:1/convert"}}}}}"#)], is(CRD, "/spec/conversion/strategy", "Webhook")),
        case("unknown fields kept", &[Definition], vec![merge(CRD, r#"{"spec":{"preserveUnknownFields":false,"names":{"shortNames":["evil"]}}}"#)], says(CRD, "\"evil\"")),
        case("a status subresource, so that the status is compared no more", &[Definition], vec![json_patch(CRD, r#"[{"op":"add","path":"/spec/versions/0/subresources","value":{"status":{}}}]"#)], set(CRD, "/spec/versions/0/subresources/status")),
        case("a definition, deleted with its objects", &[Definition], vec![delete(CRD)], gone(CRD)),
        case("a definition's instance, deleted", &[Definition], vec![delete(THING)], gone(THING)),
        case("a write by another served version", &[Definition], vec![merge("/apis/NAME.example.org/v2/namespaces/field/things/NAME", r#"{"spec":{"size":9}}"#)], is(THING, "/spec/size", 9)),
        case("a creation by another served version", &[Definition], vec![post("/apis/NAME.example.org/v2/namespaces/field/things", r#"{"apiVersion":"NAME.example.org/v2","kind":"Thing","metadata":{"name":"more"},"spec":{"size":9}}"#)], exists("/apis/NAME.example.org/v1/namespaces/field/things/more")),
        case("a deletion by another served version", &[Definition], vec![delete("/apis/NAME.example.org/v2/namespaces/field/things/NAME")], gone(THING)),
        case("an autoscaler by another served version", &[crate::fixtures::Fixture::App, crate::fixtures::Fixture::Autoscaler], vec![merge("/apis/autoscaling/v1/namespaces/field/horizontalpodautoscalers/NAME", r#"{"spec":{"maxReplicas":77}}"#)], is("horizontalpodautoscalers/NAME", "/spec/maxReplicas", 77)),
        case("an undeclared definition", &[], vec![post("customresourcedefinitions", r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"evils.NAME.example.org"},"spec":{"group":"NAME.example.org","scope":"Namespaced","names":{"kind":"Evil","listKind":"EvilList","plural":"evils","singular":"evil"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#)], exists("customresourcedefinitions/evils.NAME.example.org"))
            .left("it holds data: it is told, and left alone"),
        case("metadata of a definition through its status", &[Definition], vec![merge("customresourcedefinitions/things.NAME.example.org/status", r#"{"metadata":{"annotations":{"evil":"x"}}}"#)], says(CRD, "\"evil\"")),
        case("an owner that is not there, through a definition's status", &[Definition], vec![merge("customresourcedefinitions/things.NAME.example.org/status", r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"gone","uid":"8e8f4f4e-0000-4000-8000-000000000000"}]}}"#)], says(CRD, "8e8f4f4e")),
        case("a defaulted field", &[Definition], vec![merge(THING, r#"{"spec":{"mode":"evil"}}"#)], is(THING, "/spec/mode", "evil")),
        case("a status that is a field like any other", &[Definition], vec![merge(THING, r#"{"status":{"paid":true}}"#)], is(THING, "/status/paid", true)),
        case("an empty list where Git has none", &[crate::fixtures::Fixture::Coupon], vec![merge("coupons/NAME", r#"{"spec":{"free":{"ingress":[]}}}"#)], set("coupons/NAME", "/spec/free")),
    ]
}
