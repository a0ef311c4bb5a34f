//! The same through other encodings, and what encodings allow.

use crate::case::{Case, apply, case, is, merge, raw, says, set};
use crate::fixtures::Fixture::{Config, Coupon, Definition, Idle};

const C: &str = "configmaps/NAME";
const D: &str = "deployments/NAME";

/// A ConfigMap with another greeting, as protobuf: `k8s\0`, runtime.Unknown{typeMeta, raw}.
fn protobuf(name: &str) -> Vec<u8> {
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap_or_default()];
        out.extend(bytes);
        out
    }
    let metadata = [field(1, name.as_bytes()), field(3, b"field")].concat();
    let entry = [field(1, b"greeting"), field(2, b"evil")].concat();
    let object = [field(1, &metadata), field(2, &entry)].concat();
    let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
    [b"k8s\0".to_vec(), field(1, &kind), field(2, &object)].concat()
}

pub(crate) fn cases() -> Vec<Case> {
    let evil = || is(C, "/data/greeting", "evil");
    vec![
        case("protobuf", &[Config], vec![raw("PUT", C, "application/vnd.kubernetes.protobuf", protobuf)], evil()),
        case(
            "YAML",
            &[Config],
            vec![raw("PUT", C, "application/yaml", |n| {
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {n}}}\ndata: {{greeting: evil}}\n")
                    .into_bytes()
            })],
            evil(),
        ),
        case(
            "a key twice, the second counts",
            &[Config],
            vec![raw("PUT", "configmaps/NAME?fieldValidation=Ignore", "application/json", |n| {
                format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{n}"}},"data":{{"greeting":"hello","greeting":"evil"}}}}"#).into_bytes()
            })],
            evil(),
        ),
        case(
            "a field twice, the second counts",
            &[Config],
            vec![raw("PUT", "configmaps/NAME?fieldValidation=Ignore", "application/json", |n| {
                format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{n}"}},"data":{{"greeting":"hello"}},"data":{{"greeting":"evil"}}}}"#).into_bytes()
            })],
            evil(),
        ),
        case(
            "a field in other letters",
            &[Config],
            vec![raw("PUT", "configmaps/NAME?fieldValidation=Ignore", "application/json", |n| {
                format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{n}"}},"DATA":{{"greeting":"hello"}},"data":{{"greeting":"evil"}}}}"#).into_bytes()
            })],
            evil(),
        ),
        case(
            "a key escaped",
            &[Config],
            vec![raw("PUT", C, "application/json", |n| {
                format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{n}"}},"data":{{"\u0067reeting":"\u0065vil"}}}}"#).into_bytes()
            })],
            evil(),
        ),
        case(
            "unknown fields beside",
            &[Config],
            vec![raw("PUT", "configmaps/NAME?fieldValidation=Ignore", "application/json", |n| {
                format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{n}","nobody":1}},"data":{{"greeting":"evil"}},"spec":{{"x":[1]}}}}"#).into_bytes()
            })],
            evil(),
        ),
        case(
            "an apply in YAML with anchors",
            &[Config],
            vec![apply(
                C,
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata:\n  x: &x evil\n  greeting: *x\n",
            )],
            evil(),
        ),
        case(
            "a merge patch of null and value",
            &[Config],
            vec![merge(C, r#"{"data":null}"#), merge(C, r#"{"data":{"greeting":"evil"}}"#)],
            evil(),
        ),
        case(
            "a key of the greatest length",
            &[Config],
            vec![merge(C, &format!(r#"{{"data":{{"{}":"x"}}}}"#, "k".repeat(253)))],
            says(C, "kkkkkkkkkk"),
        ),
        case(
            "a value with odd signs",
            &[Config],
            vec![merge(C, r#"{"data":{"greeting":"hello\u202e\u0000"}}"#)],
            says(C, "\u{202e}"),
        ),
        case(
            "bytes that are no UTF-8, as data",
            &[Config],
            vec![merge(C, r#"{"binaryData":{"odd":"//79"}}"#)],
            set(C, "/binaryData/odd"),
        ),
        case(
            "a number as 1e3",
            &[Coupon],
            vec![raw("PATCH", "coupons/NAME", "application/merge-patch+json", |_| {
                br#"{"spec":{"free":{"x":1e3}}}"#.to_vec()
            })],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "minus nought",
            &[Coupon],
            vec![raw("PATCH", "coupons/NAME", "application/merge-patch+json", |_| {
                br#"{"spec":{"free":{"x":-0}}}"#.to_vec()
            })],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "a fraction that no machine holds",
            &[Coupon],
            vec![raw("PATCH", "coupons/NAME", "application/merge-patch+json", |_| {
                br#"{"spec":{"free":{"x":0.1000000000000000055511151231257827}}}"#.to_vec()
            })],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "an integer at the end of what fits",
            &[Coupon],
            vec![merge("coupons/NAME", r#"{"spec":{"percent":9223372036854775807}}"#)],
            is("coupons/NAME", "/spec/percent", i64::MAX),
        ),
        case(
            "deep free content",
            &[Coupon],
            vec![raw("PATCH", "coupons/NAME", "application/merge-patch+json", |_| {
                format!(r#"{{"spec":{{"free":{}{}}}}}"#, r#"{"x":"#.repeat(60), "1".to_owned() + &"}".repeat(60))
                    .into_bytes()
            })],
            set("coupons/NAME", "/spec/free"),
        ),
        case(
            "free content deeper than parsers go",
            &[Definition],
            vec![raw(
                "PATCH",
                "/apis/NAME.example.org/v1/namespaces/field/things/NAME",
                "application/merge-patch+json",
                |_| {
                    let depth = 300;
                    format!(r#"{{"spec":{{"free":{}1{}}}}}"#, r#"{"x":"#.repeat(depth), "}".repeat(depth)).into_bytes()
                },
            )],
            set("/apis/NAME.example.org/v1/namespaces/field/things/NAME", "/spec/free"),
        ),
        case(
            "an object of a megabyte",
            &[Config],
            vec![raw("PATCH", C, "application/merge-patch+json", |_| {
                format!(r#"{{"data":{{"greeting":"{}"}}}}"#, "x".repeat(1_000_000)).into_bytes()
            })],
            says(C, "xxxxxxxxxx"),
        ),
        case(
            "strategic merge with directives in a map",
            &[Idle],
            vec![raw("PATCH", D, "application/strategic-merge-patch+json", |_| {
                br#"{"spec":{"template":{"spec":{"containers":[{"name":"app","$setElementOrder/env":[{"name":"X"},{"name":"MODE"}],"env":[{"name":"X","value":"evil"}]}]}}}}"#.to_vec()
            })],
            says(D, "\"evil\""),
        ),
    ]
}
