//! Custom resources: what their CRD says, as the API server reads it.

use std::sync::Arc;

use serde_json::{Value, json};

use gitward_core::manifest::Manifest;
use gitward_core::object::Gvk;
use gitward_core::path::FieldPath;
use gitward_core::schema::{Schemas, Scope};

use crate::{newest, outline, read, set};

const GADGETS: &str = include_str!("gadgets.yaml");

/// The schemas with those of the test's CRD, and its good custom resource.
fn gadgets() -> (Schemas, Manifest) {
    let manifests = read(GADGETS);
    let (schemas, findings) = newest().with_crds(manifests.iter());
    assert_eq!(findings, []);
    let gadget = manifests.into_iter().find(|m| m.gvk.kind == "Gadget").expect("a Gadget");
    (schemas, gadget)
}

/// Where to put what (`-` removes) into the good object, and the rules and fields of the findings.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("/spec/text", r#""ab""#, &[]),
    ("/spec/txt", r#""ab""#, &[("schema/unknown-field", "spec.txt")]),
    ("/other", "{}", &[("schema/unknown-field", "other")]),
    ("/metadata/lables", "{}", &[("schema/unknown-field", "metadata.lables")]),
    ("/metadata/labels", r#"{"a": 1}"#, &[("schema/type", "metadata.labels.a")]),
    ("/metadata/name", r#""much-too-long""#, &[("schema/invalid", "metadata.name")]),
    ("/spec", "-", &[("schema/required", "spec")]),
    ("/spec", "null", &[("schema/required", "spec")]),
    ("/spec/text", "-", &[("schema/required", "spec.text")]),
    ("/spec/text", "null", &[("schema/required", "spec.text")]),
    ("/spec/text", "1", &[("schema/type", "spec.text")]),
    ("/spec/text", r#""a""#, &[("schema/invalid", "spec.text")]),
    ("/spec/text", r#""äöüäöü""#, &[("schema/invalid", "spec.text"), ("schema/invalid", "spec.text")]),
    ("/spec/text", r#""a b""#, &[("schema/invalid", "spec.text")]),
    ("/spec/choice", r#""c""#, &[("schema/enum", "spec.choice")]),
    ("/spec/choice", "-", &[]),
    ("/spec/choice", "null", &[]),
    ("/spec/level", "1.0", &[]),
    ("/spec/level", "3", &[("schema/enum", "spec.level")]),
    ("/spec/count", "0", &[("schema/invalid", "spec.count")]),
    ("/spec/count", "101", &[("schema/invalid", "spec.count")]),
    ("/spec/count", "3000000000", &[("schema/invalid", "spec.count")]),
    ("/spec/count", "1.5", &[("schema/type", "spec.count")]),
    ("/spec/steps", "0", &[("schema/invalid", "spec.steps")]),
    ("/spec/steps", "4", &[("schema/invalid", "spec.steps")]),
    ("/spec/ratio", "0.25", &[("schema/invalid", "spec.ratio")]),
    ("/spec/ratio", "2", &[]),
    ("/spec/portion", "25", &[]),
    ("/spec/portion", r#""x""#, &[("schema/invalid", "spec.portion")]),
    ("/spec/portion", "true", &[("schema/type", "spec.portion")]),
    ("/spec/open/more", r#"{"a": [null]}"#, &[]),
    ("/spec/open/known/b", "1", &[("schema/unknown-field", "spec.open.known.b")]),
    ("/spec/anything", "[1, {}]", &[]),
    ("/spec/closed/a", "1", &[("schema/unknown-field", "spec.closed.a")]),
    ("/spec/template/kind", "-", &[("schema/required", "spec.template.kind")]),
    ("/spec/template/kind", r#""""#, &[("schema/invalid", "spec.template.kind")]),
    ("/spec/template/metadata/labels", "[]", &[("schema/type", "spec.template.metadata.labels")]),
    ("/spec/template/metadata/x", "1", &[("schema/unknown-field", "spec.template.metadata.x")]),
    ("/spec/template/spec", r#"{"x": 1}"#, &[]),
    ("/spec/names", "[]", &[("schema/invalid", "spec.names")]),
    ("/spec/names", r#"["a", "b", "a"]"#, &[("schema/invalid", "spec.names[2]")]),
    ("/spec/names", "[null]", &[("schema/type", "spec.names[0]")]),
    ("/spec/parts/1/name", r#""one""#, &[("schema/invalid", "spec.parts[1]")]),
    ("/spec/parts/0/size", r#""x""#, &[("schema/type", "spec.parts[name=one].size")]),
    ("/spec/counts/b", r#""x""#, &[("schema/type", "spec.counts.b")]),
    ("/spec/counts", r#"{"a": 1, "b": 2, "c": 3}"#, &[("schema/invalid", "spec.counts")]),
    ("/spec/nothing", "null", &[]),
    ("/spec/either", r#"{"a": "x", "b": "y"}"#, &[("schema/invalid", "spec.either")]),
    ("/spec/either", "{}", &[("schema/invalid", "spec.either")]),
    ("/spec/either/c", r#""x""#, &[("schema/invalid", "spec.either")]),
    ("/spec/some", r#"{"num": 5}"#, &[]),
    ("/spec/some", r#"{"num": 4, "t": "y"}"#, &[("schema/invalid", "spec.some")]),
    ("/spec/when", r#""soon""#, &[("schema/invalid", "spec.when")]),
    ("/spec/address", r#""10.0.0.256""#, &[("schema/invalid", "spec.address")]),
    ("/spec/odd", r#""x""#, &[("schema/unchecked", "spec.odd")]),
    // The status is kept in a subresource: the API server drops it before it looks at the values.
    ("/status", r#"{"phase": 1}"#, &[]),
    ("/status", r#"{"fase": "x"}"#, &[("schema/unknown-field", "status.fase")]),
    ("/apiVersion", r#""example.com/v2""#, &[("schema/unknown-kind", "apiVersion")]),
    ("/kind", r#""Gadgets""#, &[("schema/unknown-kind", "kind")]),
];

#[test]
fn each_case_gives_the_findings_of_its_schema() {
    let (schemas, good) = gadgets();
    assert_eq!(outline(&schemas.check(&good)), []);
    for (pointer, value, expected) in CASES {
        let value: Option<Value> = (*value != "-").then(|| serde_json::from_str(value).expect(value));
        let mut manifest = good.clone();
        set(Arc::make_mut(&mut manifest.value), pointer, value.clone());
        manifest.gvk = Gvk::of(&manifest.value).expect("a kind");
        let expected: Vec<_> = expected.iter().map(|(r, f)| ((*r).to_owned(), (*f).to_owned())).collect();
        assert_eq!(outline(&schemas.check(&manifest)), expected, "{pointer} {value:?}");
    }
}

#[test]
fn messages_tell_the_rule() {
    let (schemas, good) = gadgets();
    let cases = [
        ("/spec/either", json!({"a": "x", "b": "y"}), "`spec.either` must have exactly one of `a`, `b`"),
        ("/spec/names", json!([]), "`spec.names` must have at least 1 element, and has 0"),
        ("/spec/count", json!(0), "`spec.count` must be at least 1"),
        ("/spec/choice", json!("aa"), "`spec.choice` does not allow `aa`"),
        ("/spec/when", json!("soon"), "`spec.when` must be a date and time such as 2006-01-02T15:04:05Z"),
    ];
    for (pointer, value, message) in cases {
        let mut manifest = good.clone();
        set(Arc::make_mut(&mut manifest.value), pointer, Some(value));
        assert_eq!(schemas.check(&manifest)[0].message, message);
    }
}

#[test]
fn a_crd_tells_scope_plural_status_and_list_keys() {
    let (schemas, gadget) = gadgets();
    assert_eq!(schemas.scope(&gadget.gvk), Some(Scope::Namespaced));
    assert_eq!(schemas.resource(&gadget.gvk), Some("gadgets"));
    assert!(schemas.has_status_subresource(&gadget.gvk));
    let keys = schemas.list_keys(&gadget.gvk, &FieldPath::of(["spec", "parts"]));
    assert_eq!(keys, Some(&["name".to_owned()][..]));
    let keys = schemas.list_keys(&gadget.gvk, &FieldPath::of(["metadata", "ownerReferences"]));
    assert_eq!(keys, Some(&["uid".to_owned()][..]));
    assert!(newest().scope(&gadget.gvk).is_none());
    assert!(schemas.scope(&Gvk::new("example.com/v1beta1", "Gadget")).is_none(), "not served");
}

#[test]
fn a_broken_schema_is_a_finding_on_the_crd() {
    let part = FieldPath::of(["spec", "versions"]).index(0).field("schema").field("openAPIV3Schema");
    let spec = part.field("properties").field("spec");
    let cases = [
        ("/schema", json!({}), part.clone()),
        ("/schema/openAPIV3Schema/type", json!("array"), part.clone()),
        ("/schema/openAPIV3Schema/properties/spec/type", json!("strin"), spec.clone()),
        ("/schema/openAPIV3Schema/properties/spec", json!({}), spec.clone()),
        ("/schema/openAPIV3Schema/properties/spec", json!(5), spec.clone()),
        ("/schema/openAPIV3Schema/properties/spec", json!({"type": "array"}), spec.clone()),
        ("/schema/openAPIV3Schema/properties/spec", json!({"type": "array", "items": []}), spec.field("items")),
    ];
    let crd = read(GADGETS).remove(0);
    for (pointer, value, field) in cases {
        let mut broken = crd.clone();
        set(Arc::make_mut(&mut broken.value), &format!("/spec/versions/0{pointer}"), Some(value.clone()));
        let (schemas, findings) = newest().with_crds([&broken].into_iter());
        let found = outline(&findings);
        assert!(found.contains(&("schema/crd".to_owned(), field.to_string())), "{pointer} {value}: {found:?}");
        assert!(schemas.scope(&Gvk::new("example.com/v1", "Gadget")).is_some(), "the kind is known all the same");
    }
}

#[test]
fn a_schema_cannot_make_checking_endless() {
    // Each level of the schema offers two alternatives that fail only at the bottom.
    let mut alternatives = json!({"enum": ["x"]});
    for _ in 0..30 {
        alternatives = json!({"anyOf": [alternatives.clone(), {"allOf": [alternatives]}]});
        if alternatives.to_string().len() > 100_000 {
            break;
        }
    }
    let mut crd = read(GADGETS).remove(0);
    set(
        Arc::make_mut(&mut crd.value),
        "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        Some(
            json!({"type": "array", "items": {"type": "array", "items": {"type": "string", "default": "d".repeat(1 << 20)}}}),
        ),
    );
    let (schemas, _) = newest().with_crds([&crd].into_iter());
    let mut gadget = gadgets().1;
    Arc::make_mut(&mut gadget.value)["spec"] = json!(vec![vec![Value::Null; 1000]; 1000]);
    assert!(outline(&schemas.check(&gadget)).iter().any(|(rule, _)| rule == "schema/limit"));

    set(
        Arc::make_mut(&mut crd.value),
        "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        Some(json!({"type": "array", "items": {"type": "string", "allOf": [alternatives]}})),
    );
    let (schemas, _) = newest().with_crds([&crd].into_iter());
    Arc::make_mut(&mut gadget.value)["spec"] = json!(vec!["y"; 10_000]);
    let findings = schemas.check(&gadget);
    assert!(!findings.is_empty() && findings.len() <= 51);
}

#[test]
fn a_version_that_its_crd_deprecates_is_warned_of() {
    let with = |more: &str| {
        let crd = format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: as.example.org}}\nspec:\n  \
             group: example.org\n  names: {{kind: A, plural: as}}\n  scope: Namespaced\n  versions:\n  \
             - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n  \
             - {{name: v1beta1, served: true, storage: false, schema: {{openAPIV3Schema: {{type: object}}}}{more}}}\n---\n\
             apiVersion: example.org/v1beta1\nkind: A\nmetadata: {{name: a, namespace: b}}\n"
        );
        let manifests = read(&crd);
        let (schemas, findings) = newest().with_crds(manifests.iter());
        assert_eq!(findings, []);
        schemas.check(&manifests[1]).into_iter().map(|f| (f.message, f.hint.unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(with(""), []);
    assert_eq!(with(", deprecated: false"), []);
    let hint = "Versions that last: example.org/v1.".to_owned();
    let found = with(", deprecated: true");
    assert_eq!(found, [("example.org/v1beta1 A is deprecated by its CRD".to_owned(), hint.clone())]);
    let found = with(", deprecated: true, deprecationWarning: 'move to v1'");
    assert_eq!(found, [("example.org/v1beta1 A is deprecated: move to v1".to_owned(), hint)]);
}
