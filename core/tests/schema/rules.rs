//! Rules that CRDs write in CEL.

use serde_json::{Value, json};

use gitward_core::finding::{Finding, Severity};
use gitward_core::manifest::Manifest;
use gitward_core::schema::Schemas;

use crate::{newest, outline, read};

/// A CRD for `Gate` whose spec has this schema, as JSON, and its status the usual one.
fn crd(spec: &Value) -> Manifest {
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gates.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Gate", "plural": "gates"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": spec, "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}}},
                }},
            }],
        },
    });
    read(&crd.to_string()).remove(0)
}

fn schemas(spec: &Value) -> (Schemas, Vec<Finding>) {
    newest().with_crds([&crd(spec)].into_iter())
}

fn gate(spec: &str) -> Manifest {
    read(&format!(
        "apiVersion: example.com/v1\nkind: Gate\nmetadata: {{name: g, namespace: shop}}\nspec: {spec}\nstatus: {{ready: true}}\n"
    ))
    .remove(0)
}

/// The properties that the rules of the table speak of.
fn properties() -> Value {
    json!({
        "min": {"type": "integer"},
        "max": {"type": "integer", "default": 10},
        "share": {"type": "number"},
        "name": {"type": "string"},
        "x-y": {"type": "string"},
        "namespace": {"type": "string"},
        "snake_case": {"type": "string"},
        "since": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "size": {"x-kubernetes-int-or-string": true},
        "hosts": {"type": "array", "items": {"type": "string"}},
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"],
                "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    })
}

/// A rule on the spec, a spec that keeps it, and one that breaks it.
const RULES: &[(&str, &str, &str)] = &[
    ("self.min <= self.max", "{min: 1, max: 2}", "{min: 3, max: 2}"),
    // The default counts.
    ("self.min <= self.max", "{min: 1}", "{min: 11}"),
    ("!has(self.min) || has(self.name)", "{}", "{min: 1}"),
    ("has(self.min) == has(self.name)", "{min: 1, name: a}", "{name: a}"),
    ("[has(self.min), has(self.name)].filter(x, x).size() <= 1", "{min: 1}", "{min: 1, name: a}"),
    ("self.share < 0.5", "{share: 0}", "{share: 1}"),
    ("self.name.startsWith('a') && self.name.size() > 1", "{name: ab}", "{name: a}"),
    ("self.name.matches('^[a-z]+$')", "{name: abc}", "{name: A}"),
    ("self.x__dash__y == 'a'", "{x-y: a}", "{x-y: b}"),
    ("self.__namespace__ == 'a'", "{namespace: a}", "{namespace: b}"),
    ("self.snake_case == 'a'", "{snake_case: a}", "{snake_case: b}"),
    (
        "self.since < timestamp('2025-01-01T00:00:00Z')",
        "{since: '2024-01-01T00:00:00Z'}",
        "{since: '2026-01-01T00:00:00Z'}",
    ),
    ("self.wait >= duration('1m')", "{wait: 2m}", "{wait: 2s}"),
    ("string(self.size) != '5'", "{size: 6}", "{size: 5}"),
    ("self.hosts.all(h, h.endsWith('.org'))", "{hosts: [a.org, b.org]}", "{hosts: [a.org, b.com]}"),
    ("self.hosts.exists_one(h, h == 'a')", "{hosts: [a, b]}", "{hosts: [a, a]}"),
    (
        "self.ports.all(p, self.ports.exists_one(q, q.port == p.port))",
        "{ports: [{name: a, port: 1}, {name: b, port: 2}]}",
        "{ports: [{name: a, port: 1}, {name: b, port: 1}]}",
    ),
    ("self.ports.map(p, p.port).sum() < 10", "{ports: [{name: a, port: 1}]}", "{ports: [{name: a, port: 10}]}"),
    ("'a.b/c' in self.labels", "{labels: {a.b/c: x}}", "{labels: {d: x}}"),
    ("self.labels.all(k, k.size() < 3)", "{labels: {ab: x}}", "{labels: {abc: x}}"),
    ("quantity(self.name).isLessThan(quantity('1Gi'))", "{name: 1Mi}", "{name: 2Gi}"),
    ("isURL(self.name) && url(self.name).getScheme() == 'https'", "{name: 'https://a.org'}", "{name: 'http://a.org'}"),
    ("cidr('10.0.0.0/8').containsIP(self.name)", "{name: 10.1.2.3}", "{name: 11.1.2.3}"),
    ("self.?name.orValue('a') == 'a'", "{}", "{name: b}"),
    ("self.?labels.?a.hasValue() && self.labels[?'a'].value() == 'b'", "{labels: {a: b}}", "{labels: {c: d}}"),
    ("sets.contains(['a', 'b'], self.hosts)", "{hosts: [a]}", "{hosts: [c]}"),
    ("self.hosts.join(',').size() < 5", "{hosts: [a, b]}", "{hosts: [abc, def]}"),
    ("!has(self.min) || self.min > 0 ? true : false", "{min: 1}", "{min: 0}"),
];

#[test]
fn each_rule_is_kept_by_the_one_and_broken_by_the_other() {
    for (rule, good, bad) in RULES {
        let (schemas, found) = schemas(&json!({
            "type": "object", "properties": properties(),
            "x-kubernetes-validations": [{"rule": rule, "message": "no"}],
        }));
        assert_eq!(outline(&found), [], "{rule}");
        assert_eq!(schemas.check(&gate(good)), [], "{rule} {good}");
        let broken = schemas.check(&gate(bad));
        assert_eq!(outline(&broken), [("schema/rule".to_owned(), "spec".to_owned())], "{rule} {bad}: {broken:?}");
        assert_eq!(broken[0].message, "`spec` breaks a rule of its CRD: no");
        assert_eq!(broken[0].hint.as_deref(), Some(format!("The rule: `{rule}`").as_str()));
    }
}

#[test]
fn a_finding_points_to_the_value_and_says_what_the_rule_says() {
    let spec = json!({
        "type": "object",
        "properties": {
            "max": {"type": "integer"},
            "ports": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object", "required": ["name"],
                    "properties": {"name": {"type": "string"}, "port": {"type": "integer",
                        "x-kubernetes-validations": [{"rule": "self > 0"}]}},
                    "x-kubernetes-validations": [
                        {"rule": "self.port < 100", "messageExpression": "'port ' + string(self.port) + ' of ' + self.name + ' is too high'", "fieldPath": ".port"},
                    ],
                },
            },
        },
        "x-kubernetes-validations": [{"rule": "self.max > size(self.ports)", "fieldPath": ".max", "message": "too many ports"}],
    });
    let (schemas, found) = schemas(&spec);
    assert_eq!(outline(&found), []);
    let text = "apiVersion: example.com/v1\nkind: Gate\nmetadata: {name: g, namespace: shop}\nspec:\n  max: 2\n  ports:\n  - name: a\n    port: 200\n  - name: b\n    port: 0\n";
    let findings = schemas.check(&read(text).remove(0));
    let told: Vec<(String, String, &str)> = findings
        .iter()
        .map(|f| (f.place.as_ref().unwrap().to_string(), f.field.as_ref().unwrap().to_string(), f.message.as_str()))
        .collect();
    let place = |line: &str| format!("app.yaml:{line}");
    assert_eq!(
        told,
        [
            (place("5:8"), "spec.max".to_owned(), "`spec` breaks a rule of its CRD: too many ports"),
            (
                place("8:11"),
                "spec.ports[name=a].port".to_owned(),
                "`spec.ports[name=a]` breaks a rule of its CRD: port 200 of a is too high"
            ),
            (
                place("10:11"),
                "spec.ports[name=b].port".to_owned(),
                "`spec.ports[name=b].port` breaks a rule of its CRD: it says no more"
            ),
        ]
    );
}

#[test]
fn what_cannot_be_asked_here_is_not_asked() {
    let rule = |rule: Value| json!({"type": "object", "properties": properties(), "x-kubernetes-validations": [rule]});
    // Without the object before, as when an object is made.
    let (schemas_, found) = schemas(&rule(json!({"rule": "self.min >= oldSelf.min"})));
    assert_eq!((outline(&found), schemas_.check(&gate("{min: 1}"))), (vec![], vec![]));
    // A function that is not known: the API server may know it.
    let (schemas_, found) = schemas(&rule(json!({"rule": "self.hosts.sortBy(h, h) == self.hosts"})));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule.as_ref(), found[0].severity), ("schema/unchecked", Severity::Warning));
    assert_eq!(schemas_.check(&gate("{hosts: [b, a]}")), []);
    // As at the API server, an object that does not fit its schema is not asked.
    let (schemas_, _) = schemas(&rule(json!({"rule": "self.min > 0"})));
    assert_eq!(outline(&schemas_.check(&gate("{min: x}"))), [("schema/type".to_owned(), "spec.min".to_owned())]);
    // A rule that looks for what is not there refuses the object, there as here.
    let findings = schemas_.check(&gate("{}"));
    assert_eq!(findings[0].message, "`spec`: a rule of its CRD cannot be answered: there is no `min`");
    for (text, why) in [
        ("int(self.hosts[0]) > 0", "int() cannot read its value"),
        ("duration(self.hosts[0]) > duration('1s')", "duration() cannot read its value"),
        ("timestamp(self.hosts[0]) > timestamp('2020-01-01T00:00:00Z')", "timestamp() cannot read its value"),
        ("quantity(self.hosts[0]).isGreaterThan(quantity('1'))", "quantity() cannot read its value"),
        ("9223372036854775807 + self.min > 0", "a number becomes too large"),
    ] {
        let (schemas_, _) = schemas(&rule(json!({"rule": text})));
        let findings = schemas_.check(&gate("{hosts: [b], min: 1}"));
        let wanted = format!("`spec`: a rule of its CRD cannot be answered: {why}");
        assert_eq!(findings.first().map(|f| f.message.as_str()), Some(wanted.as_str()), "{text}");
    }
}

#[test]
fn a_rule_that_is_none_is_a_finding_on_the_crd() {
    for (entry, field) in [
        (json!({"rule": "self.min >"}), "rule"),
        (json!({"rule": "this.min > 0"}), "rule"),
        (json!({"rule": ""}), "rule"),
        (json!({"message": "x"}), "rule"),
        (json!({"rule": "true", "messageExpression": "'a' +"}), "messageExpression"),
        (json!({"rule": "true", "fieldPath": "a..b"}), "fieldPath"),
    ] {
        let spec = json!({"type": "object", "properties": properties(), "x-kubernetes-validations": [{"rule": "true"}, entry]});
        let (schemas, found) = schemas(&spec);
        let path = "spec.versions[0].schema.openAPIV3Schema.properties.spec.x-kubernetes-validations[1]";
        assert_eq!(outline(&found), [("schema/crd".to_owned(), format!("{path}.{field}"))], "{entry}");
        assert_eq!(schemas.check(&gate("{}")), [], "the rest holds");
    }
}

#[test]
fn hostile_rules_end() {
    let numbers = |n: usize| format!("{{hosts: [{}]}}", vec!["a"; n].join(", "));
    let wide = "self.hosts.all(a, self.hosts.all(b, self.hosts.all(c, self.hosts.all(d, a == b || c == d))))";
    let swallowed =
        "self.hosts.all(a, self.hosts.all(b, self.hosts.all(c, self.hosts.exists(d, d == '') || true)) || true)";
    let compiling = r"self.hosts.all(a, self.hosts.all(b, a.matches('\\w{1,5}')))";
    for rule in [wide, swallowed, compiling] {
        let spec = json!({"type": "object", "properties": properties(), "x-kubernetes-validations": [{"rule": rule}]});
        let (schemas, found) = schemas(&spec);
        assert_eq!(outline(&found), [], "{rule}");
        let found = schemas.check(&gate(&numbers(300)));
        assert_eq!(outline(&found), [("schema/limit".to_owned(), String::new())], "{rule}");
    }
    let spec = json!({"type": "object", "properties": properties(),
        "x-kubernetes-validations": [{"rule": "self.name.replace('a', self.name).size() > 0"}]});
    let (schemas, _) = schemas(&spec);
    let found = schemas.check(&gate(&format!("{{name: {}}}", "a".repeat(1 << 20))));
    assert_eq!(outline(&found), [("schema/unchecked".to_owned(), "spec".to_owned())]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 200, ..Default::default() })]

    /// Whatever stands in a rule: an answer, a finding, no panic.
    #[test]
    fn any_text_is_a_rule_or_a_finding(tokens in proptest::collection::vec(proptest::sample::select(vec![
        "self", "oldSelf", ".", ".?", "min", "hosts", "(", ")", "[", "]", "[?", "{", "}", ",", ":", "?", " ", "all", "map", "x", "h",
        "==", "&&", "||", "!", "-", "+", "*", "/", "%", " in ", "1", "0u", "1.5", "'a'", "b'a'", "null", "true", "has", "size",
        "matches", "replace", "format", "quantity", "duration", "optional.of", "r'\\'", "\n", "//", "ä", "\"",
    ]), 0..24)) {
        let rule = tokens.concat();
        let spec = json!({"type": "object", "properties": properties(), "x-kubernetes-validations": [{"rule": rule, "messageExpression": rule}]});
        let (schemas, found) = schemas(&spec);
        proptest::prop_assert!(found.len() <= 1, "{found:?}");
        for text in ["{}", "{min: 1, hosts: [a, b]}"] {
            let found = schemas.check(&gate(text));
            proptest::prop_assert!(found.len() <= 1, "{rule}: {found:?}");
        }
    }
}

#[test]
fn rules_that_compare_are_asked_of_a_change() {
    let ports = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.port == oldSelf.port", "messageExpression": "'was ' + string(oldSelf.port)"}]}});
    let spec = json!({"type": "object", "properties": {
        "min": {"type": "integer", "default": 1,
                "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "it only grows"}, {"rule": "self < 100"}]},
        "name": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf || oldSelf.startsWith('x')"}]},
        "loose": {"type": "string",
                  "x-kubernetes-validations": [{"rule": "oldSelf.hasValue()", "optionalOldSelf": true}]},
        "ports": ports}});
    let (schemas, found) = schemas(&spec);
    assert_eq!(outline(&found), []);
    let change = |before: &str, now: &str| {
        let found = schemas.check_change(&gate(before), &gate(now));
        found.into_iter().map(|f| (f.field.unwrap_or_default().to_string(), f.message)).collect::<Vec<_>>()
    };
    let told = |field: &str, message: &str| vec![(field.to_owned(), message.to_owned())];
    assert_eq!(change("{min: 3}", "{min: 3}"), []);
    assert_eq!(change("{min: 3}", "{min: 2}"), told("spec.min", "`spec.min` breaks a rule of its CRD: it only grows"));
    // Defaults count, before as now, and what was not there is compared with nothing.
    assert_eq!(change("{min: 3}", "{}"), told("spec.min", "`spec.min` breaks a rule of its CRD: it only grows"));
    assert_eq!(change("{}", "{min: 200}"), [], "what is no comparison is asked elsewhere");
    assert_eq!(change("{}", "{name: a}"), []);
    assert_eq!(change("{name: a}", "{}"), []);
    assert_eq!(change("{name: xa}", "{name: b}"), []);
    assert_eq!(change("{name: a}", "{name: b}").len(), 1);
    assert_eq!(change("{loose: a}", "{loose: b}"), []);
    // Elements are the same ones by their keys, wherever they stand.
    let before = "{ports: [{name: a, port: 1}, {name: b, port: 2}]}";
    assert_eq!(change(before, "{ports: [{name: b, port: 2}, {name: c, port: 9}, {name: a, port: 1}]}"), []);
    assert_eq!(
        change(before, "{ports: [{name: b, port: 3}]}"),
        told("spec.ports[name=b]", "`spec.ports[name=b]` breaks a rule of its CRD: was 2")
    );
    // What did not fit its schema is compared with nothing.
    assert_eq!(change("{min: x}", "{min: 0}"), []);
}
