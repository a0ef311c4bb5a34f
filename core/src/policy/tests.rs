use std::time::Instant;

use serde_json::{Value as Json, json};

use super::*;
use crate::manifest::Spans;
use crate::object::ObjectKey;
use crate::path::FieldPath;

fn file(text: &str) -> PolicyFile {
    PolicyFile { file: "policies/a.rego".into(), text: text.to_owned() }
}

fn compiled(text: &str) -> Policies {
    Policies::compile(&[file(text)]).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// `line:column rule message` of each finding.
fn refused(text: &str) -> Vec<String> {
    let findings = Policies::compile(&[file(text)]).err().unwrap_or_default();
    let line = |f: Finding| {
        let place = f.place.unwrap();
        format!("{}:{} {}", place.line, place.column, f.message)
    };
    findings.into_iter().map(line).collect()
}

fn manifest(value: Json) -> Manifest {
    Manifest {
        gvk: Gvk::of(&value).unwrap(),
        key: ObjectKey::of(&value).unwrap(),
        value: value.into(),
        file: "app/web.yaml".into(),
        spans: Arc::new(Spans::default()),
        base: FieldPath::root(),
    }
}

/// `severity rule field: message` of each finding.
fn said(policies: &Policies, value: Json) -> Vec<String> {
    let line = |f: Finding| {
        let field = f.field.map(|field| format!(" {field}")).unwrap_or_default();
        format!("{} {}{field}: {}", f.severity, f.rule, f.message)
    };
    policies.evaluate(&manifest(value)).into_iter().map(line).collect()
}

fn deployment(container: Json) -> Json {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    })
}

fn config_map() -> Json {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}})
}

#[test]
fn a_message_and_an_object_make_findings() {
    let policies = compiled(
        r#"package gitward.team.labels
deny contains {"message": "no owner", "field": "metadata.labels", "hint": "add one"} if not input.object.metadata.labels.owner
warn contains sprintf("%s is unknown", [input.file])
deny contains {"msg": "as conftest has it", "severity": "info"}
"#,
    );
    assert_eq!(
        said(&policies, config_map()),
        [
            "error policy/team/labels metadata.labels: no owner",
            "info policy/team/labels: as conftest has it",
            "warning policy/team/labels: app/web.yaml is unknown",
        ]
    );
    assert_eq!(policies.evaluate(&manifest(config_map()))[0].hint.as_deref(), Some("add one"));
}

#[test]
fn the_old_syntax_and_the_names_of_others_work() {
    let policies = compiled(
        r#"package main
deny[msg] {
  input.object.kind == "ConfigMap"
  msg := "old"
}
violation_named[{"msg": msg}] { msg := "gatekeeper" }
"#,
    );
    assert_eq!(said(&policies, config_map()), ["error policy/main: old", "error policy/main: gatekeeper"]);
}

#[test]
fn a_policy_on_pods_judges_what_makes_pods() {
    let policies = compiled(
        r#"package gitward.images
kinds := {"Pod"}
deny contains {"message": input.object.kind, "field": ["spec", "containers", i, "image"]} if some i, _ in input.object.spec.containers
"#,
    );
    let container = json!({"name": "c", "image": "i"});
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}}},
    });
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}});
    for (object, field) in [
        (deployment(container.clone()), "spec.template.spec.containers[0].image"),
        (cron, "spec.jobTemplate.spec.template.spec.containers[0].image"),
        (pod, "spec.containers[0].image"),
    ] {
        assert_eq!(said(&policies, object), [format!("error policy/images {field}: Pod")]);
    }
    assert!(said(&policies, config_map()).is_empty());
}

#[test]
fn kinds_may_name_their_group() {
    let policies = compiled("package a\nkinds := [\"Role.rbac.authorization.k8s.io\"]\ndeny contains \"x\"\n");
    let role = |api_version| json!({"apiVersion": api_version, "kind": "Role", "metadata": {"name": "r"}});
    assert_eq!(said(&policies, role("rbac.authorization.k8s.io/v1")).len(), 1);
    assert_eq!(said(&policies, role("example.org/v1")).len(), 0);
}

#[test]
fn what_cannot_be_evaluated_is_found_at_compile() {
    for (text, expected) in [
        ("package a\ndeny contains x if { 1 == }", "2:27 expecting expression"),
        ("package a\ndeny contains \"x\" if nosuch(1)", "2:22 there is no function `nosuch`"),
        ("package a\ndeny contains \"x\" if count(1, 2, 3)", "2:22 `count` takes 1 arguments, not 3"),
        (
            "package a\nf(n) := f(n + 1)\ndeny contains \"x\" if f(1)",
            "2:9 rules evaluate themselves: data.a.f → data.a.f",
        ),
        (
            "package a\np if q\nq if p\ndeny contains \"x\" if p",
            "3:6 rules evaluate themselves: data.a.p → data.a.q → data.a.p",
        ),
        (
            "package a\ndeny contains \"x\" if data[input.file]",
            "2:22 rules evaluate themselves: data.a.deny → data.a.deny",
        ),
        (
            "package a\ndeny contains \"x\" if data.b.c",
            "2:22 nothing declares `data.b.c`; there is no data besides the policies",
        ),
        (
            "package a\nimport data.lib.k8s\ndeny contains \"x\" if k8s.p",
            "2:1 nothing declares `data.lib.k8s`; there is no data besides the policies",
        ),
        (
            "package a\ndeny contains \"x\" if input.review.object",
            "2:22 there is no `input.review`; the input is `input.object` and `input.file`",
        ),
        ("package a\ndeny contains \"x\" if unbound == 1", "2:22 use of undefined variable `unbound` is unsafe"),
        (
            "package a\nkinds := input.object.kind\ndeny contains \"x\"",
            "2:1 `kinds` is a set of strings, whatever the input",
        ),
        ("package a[\"b-c\"]\ndeny contains \"x\"", "2:1 `b-c` in the package's name is no plain name"),
        (
            "package gitward.exceptions\nexception contains {\"policy\": \"a\"}",
            "1:1 an exception needs the field `kind`",
        ),
    ] {
        let found = refused(text);
        assert!(found.iter().any(|f| f == expected), "{text}\n{found:?}");
    }
}

#[test]
fn functions_that_differ_from_call_to_call_are_refused() {
    for call in [
        "http.send({})",
        "time.now_ns()",
        "rand.intn(\"a\", 3)",
        "uuid.rfc4122(\"a\")",
        "opa.runtime()",
        "net.cidr_expand(\"10.0.0.0/8\")",
    ] {
        let found = refused(&format!("package a\ndeny contains \"x\" if {call}"));
        assert!(found.iter().any(|f| f.contains("may not be used")), "{call} {found:?}");
    }
}

#[test]
fn what_the_engine_reads_otherwise_than_opa_is_refused() {
    let chained = "package a\nf(x) { x == 1 } { x == 2 }\ndeny[\"x\"] { f(2) }";
    assert!(refused(chained)[0].contains("second body"), "{:?}", refused(chained));
    let joined = "package a\ndeny contains \"x\" if {\n  y := count\n  (1 + 2) == 3\n}\ncount := 1";
    assert!(refused(joined)[0].contains("begins with `(`"), "{:?}", refused(joined));
}

#[test]
fn locals_that_share_a_rules_name_are_no_recursion() {
    compiled(
        r#"package a
name(container) := name if { name := container.name }
kind := label("Pod")
label(kind) := kind
deny contains name(c) if { some c in input.object.spec.containers; label(input.object.kind) == kind }
"#,
    );
}

#[test]
fn a_long_chain_of_rules_is_refused_before_it_fills_the_stack() {
    let mut text = "package a\ndeny contains \"x\" if p0\np200 := 1\n".to_owned();
    (0..200).for_each(|i| text.push_str(&format!("p{i} := p{}\n", i + 1)));
    assert!(refused(&text)[0].contains("in a row"));
}

#[test]
fn a_wrong_format_is_a_lint_and_still_denies() {
    let policies = compiled("package a\ndeny contains sprintf(\"%s and %s\", [\"a\"])");
    assert_eq!(said(&policies, config_map()), ["error policy/a: a and %!s(MISSING)"]);
    let lint = &policies.lints()[0];
    assert_eq!((lint.rule.as_ref(), lint.severity), ("policy/sprintf", Severity::Warning));
    assert_eq!(lint.place.as_ref().unwrap().to_string(), "policies/a.rego:2:15");
}

#[test]
fn an_evaluation_that_fails_denies() {
    for (text, expected) in [
        ("package a\np := 1\np := 2\ndeny contains \"x\" if p == 1", "rule conflicts with rule"),
        ("package a\ndeny := true", "`data.a.deny` is no set of messages"),
        ("package a\ndeny contains 1", "neither a string nor an object"),
        ("package a\ndeny contains {\"text\": \"x\"}", "without `message`"),
        ("package a\ndeny contains \"x\" if count(numbers.range(1, 30000000)) > 1", "at most 100000 elements"),
    ] {
        let said = said(&compiled(text), config_map());
        assert!(
            said[0].starts_with("error policy/evaluation: the policy policy/a cannot be evaluated for"),
            "{said:?}"
        );
        assert!(said[0].contains(expected), "{said:?}");
    }
}

#[test]
fn a_function_that_cannot_read_a_value_denies_and_a_wrong_type_warns() {
    let policies = compiled("package a\ndeny contains \"x\" if units.parse_bytes(input.object.data.size) > 10");
    let object =
        |size: Json| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "data": {"size": size}});
    assert_eq!(said(&policies, object("11".into())), ["error policy/a: x"]);
    assert!(said(&policies, object("9".into())).is_empty());
    assert!(said(&policies, object("garbage".into()))[0].starts_with("error policy/evaluation"));
    assert!(said(&policies, object(5.into()))[0].starts_with("warning policy/evaluation"));
}

#[test]
fn a_pattern_is_matched_as_the_engine_matches_it() {
    let policies = compiled("package a\ndeny contains \"x\" if regex.match(input.object.pattern, input.object.text)");
    let object = |pattern: Json, text: Json| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "pattern": pattern, "text": text});
    for _ in 0..2 {
        assert_eq!(said(&policies, object("^a+$".into(), "aa".into())), ["error policy/a: x"]);
        assert!(said(&policies, object("^a+$".into(), "ab".into())).is_empty());
    }
    assert!(said(&policies, object("(".into(), "a".into()))[0].starts_with("error policy/evaluation"));
    assert!(said(&policies, object("a".into(), 5.into()))[0].starts_with("warning policy/evaluation"));
    assert!(said(&policies, object("(a{1000}){1000}".into(), "a".into()))[0].starts_with("error policy/evaluation"));
    let inverted = compiled("package a\ndeny contains \"x\" if not regex.match(\"a\", input.object.data)");
    assert_eq!(said(&inverted, config_map()).len(), 2, "what is no text is undefined, and told");
}

#[test]
fn time_is_limited() {
    let text = "package a\ndeny contains \"x\" if { some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i * j < 0 }";
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let policies = Policies::compile_within(&[file(text)], limits).unwrap();
    let start = Instant::now();
    let said = said(&policies, config_map());
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(said[0].starts_with("error policy/evaluation") && said[0].contains("time"), "{said:?}");
}

#[test]
fn results_are_limited_and_counted() {
    let policies = compiled("package a\ndeny contains sprintf(\"%d\", [i]) if some i in numbers.range(1, 250)");
    let said = said(&policies, config_map());
    assert_eq!(said.len(), 101);
    assert_eq!(said[100], "error policy/a: 150 more findings of this policy for ConfigMap/a");
}

#[test]
fn values_of_secrets_are_never_told() {
    let policies = compiled(
        r#"package a
deny contains sprintf("%v", [input.object])
deny contains {"message": "m", "hint": base64.decode(input.object.data.password)}
warn contains "x" if units.parse(input.object.stringData.token) > 1
"#,
    );
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMg=="}, "stringData": {"token": "tiger"},
    });
    let told = format!("{:?}", policies.evaluate(&manifest(secret)));
    for value in ["hunter2", "aHVudGVyMg==", "tiger"] {
        assert!(!told.contains(value), "{told}");
    }
}

#[test]
fn an_exception_in_git_lets_one_object_pass() {
    let exception = |name: &str| PolicyFile {
        file: "policies/exceptions.rego".into(),
        text: format!(
            r#"package gitward.exceptions
exception contains {{"policy": "privileged", "kind": "Deployment", "namespace": "prod", "name": "{name}", "reason": "network plugin"}}"#
        ),
    };
    let privileged = || deployment(json!({"name": "c", "image": "i:1", "securityContext": {"privileged": true}}));
    let with = |name: &str| {
        let files: Vec<_> = starter().into_iter().chain([exception(name)]).collect();
        let findings = Policies::compile(&files).unwrap().evaluate(&manifest(privileged()));
        findings.into_iter().find(|f| f.rule == "policy/privileged").unwrap()
    };
    assert_eq!(with("other").severity, Severity::Error);
    let excepted = with("web");
    assert_eq!(excepted.severity, Severity::Info);
    assert_eq!(excepted.message, "container c is privileged (exception: network plugin)");
}

#[test]
fn tests_say_what_came_of_them() {
    let text = "package a\ntest_good if true\ntest_bad if 1 == 2\ntest_broken if {\n\tprint(\"seen\")\n\tto_number(\"x\") == 1\n}\n";
    let results = Policies::test(&[file(text)]).unwrap();
    let told: Vec<_> = results.iter().map(|r| (r.name.as_str(), r.place.line, r.passed())).collect();
    assert_eq!(told, [("a.test_good", 2, true), ("a.test_bad", 3, false), ("a.test_broken", 4, false)]);
    assert_eq!(results[1].outcome, Outcome::Failed);
    assert!(matches!(results[2].outcome, Outcome::Error(_)));
    assert_eq!(results[2].printed.len(), 1);
}

#[test]
fn the_starter_policies_compile_and_pass_their_tests() {
    let policies = Policies::compile(&starter()).unwrap();
    assert!(policies.lints().is_empty(), "{:?}", policies.lints());
    for policy in policies.list() {
        assert!(policy.title.is_some() && policy.kinds.is_some(), "{policy:?}");
        assert!(starter_readme(&policy.rule).is_some(), "{policy:?}");
    }
    let files: Vec<_> = starter().into_iter().chain(starter_tests()).collect();
    let results = Policies::test(&files).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(results.len() >= 40, "{}", results.len());
    for result in results {
        assert!(result.passed(), "{result:?}");
    }
}

#[test]
fn policies_are_shared_by_threads() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let policies = compiled("package a\ndeny contains \"x\"");
    shared(&policies);
    std::thread::scope(|scope| {
        (0..4).for_each(|_| {
            scope.spawn(|| assert_eq!(said(&policies, config_map()).len(), 1));
        });
    });
}

/// API servers take a field of a built-in kind that is null for one that is not there.
#[test]
fn nulls_are_nothing_to_policies() {
    let policies =
        compiled("package a\ndeny contains \"x\" if { some key, value in input.object.data; value == \"b\" }");
    let mut object = config_map();
    object["data"] = Json::Null;
    assert!(said(&policies, object).is_empty());
}

/// What is said of policies that come to nothing.
fn idle(texts: &[&str]) -> Vec<(String, String)> {
    let files: Vec<PolicyFile> = (0..)
        .zip(texts)
        .map(|(index, text)| PolicyFile { file: format!("{index}.rego").into(), text: (*text).to_owned() })
        .collect();
    let told = |f: &Finding| (f.rule.to_string(), f.place.as_ref().map(ToString::to_string).unwrap_or_default());
    Policies::compile(&files).unwrap().lints().iter().map(told).collect()
}

#[test]
fn a_package_that_finds_nothing_is_told_unless_another_uses_it() {
    let found = |rule: &str, place: &str| vec![(rule.to_owned(), place.to_owned())];
    let library = "package lib.x\nsmall(n) if n < 3\n";
    assert_eq!(idle(&[library]), found("policy/judges-nothing", "0.rego:1:1"));
    let user = "package a\nimport data.lib.x\ndeny contains \"no\" if not x.small(input.object.spec.size)\n";
    assert_eq!(idle(&[library, user]), []);
    let user = "package a\ndeny contains \"no\" if not data.lib.x.small(input.object.spec.size)\n";
    assert_eq!(idle(&[library, user]), []);
    assert_eq!(idle(&["package a_test\ntest_one if 1 == 1\n"]), []);
    let alone = "package a\nx := data.a.y\ny := 1\n";
    assert_eq!(idle(&[alone]), found("policy/judges-nothing", "0.rego:1:1"));
    assert_eq!(
        idle(&["package a\nkinds := set()\ndeny contains \"no\"\n"]),
        found("policy/judges-nothing", "0.rego:2:1")
    );
}

#[test]
fn an_exception_for_no_policy_is_told_where_it_names_it() {
    let policy = "package gitward.size\ndeny contains \"no\"\n";
    let exception = |policy: &str| {
        format!(
            "package gitward.exceptions\n\nexception contains {{\n\t\"policy\": \"{policy}\",\n\t\"kind\": \"Pod\", \"namespace\": \"a\", \
             \"name\": \"b\", \"reason\": \"c\",\n}}\n"
        )
    };
    for good in ["size", "policy/size"] {
        assert_eq!(idle(&[policy, &exception(good)]), []);
    }
    for bad in ["sizes", "policy/sizes"] {
        assert_eq!(idle(&[policy, &exception(bad)]), [("policy/exception".to_owned(), "1.rego:4:12".to_owned())]);
    }
}
