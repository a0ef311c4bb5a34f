//! Ceilings in Rego.

use super::injector::{INJECTOR, bare_by, injected};
use super::*;
use crate::config::Configuration;
use crate::evaluate::{Judge, TreeFile};
use crate::trace::{Excuse, excuses};

const RETENTION: &str = r#"package ceiling.retention

kinds := {"StatefulSet.apps"}

deny contains {
	"message": sprintf("%s is not kept for 30 days at most", [input.object.metadata.name]),
	"field": "spec.template.spec.containers",
	"hint": "set retention on the Prometheus",
} if {
	some container in input.object.spec.template.spec.containers
	not "--retention=30d" in container.args
}
"#;

const NOTES: &str = r#"package ceiling.notes

deny contains "the note says too much" if {
	count(input.object.metadata.annotations["monitoring.example.org/seen"]) > 10
}

deny contains "the status says too much" if count(input.object.status.text) > 10
"#;

/// The policy that cannot be evaluated where a value is not what it reads.
const BROKEN: &str = r#"package ceiling.broken

deny contains "never" if json.unmarshal(input.object.data.a).x == 1
"#;

/// Takes longer than it may, where there is much to look at.
const SLOW: &str = r#"package ceiling.slow

deny contains "never" if {
	some i in input.object.data
	some j in input.object.data
	some k in input.object.data
	some l in input.object.data
	concat("", [i, j, k, l]) == "x"
}
"#;

fn judge(named: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Judge, Vec<String>> {
    let mut text = CONFIGURATION.replacen("kind: Configuration\n", "kind: Configuration\npolicies: [policies]\n", 1);
    for (after, policies) in named {
        assert!(text.contains(after), "{after}");
        text = text.replacen(after, &format!("{after}\n    policies: [{policies}]"), 1);
    }
    let configuration = parse(&"gitward.yaml".into(), text.as_bytes()).unwrap();
    let file = |(name, text): &(&str, &str)| TreeFile {
        path: format!("policies/{name}.rego").into(),
        bytes: text.as_bytes().into(),
    };
    let files: Vec<TreeFile> = files.iter().map(file).collect();
    Judge::new(configuration, &files).map_err(|findings| findings.iter().map(crate::finding::Finding::line).collect())
}

fn configured(named: &[(&str, &str)], files: &[(&str, &str)]) -> World {
    let mut configuration: Configuration = judge(named, files).unwrap().configuration().clone();
    let mut world = world();
    world.snapshot.environment = configuration.environments.remove(0);
    world.snapshot.configuration = Arc::new(configuration);
    world
}

/// Where the StatefulSets of the configuration stand, the Secrets of a Certificate, and what is set.
const SETS: &str = "serviceAccounts: [prometheus]";
const SECRETS: &str = "nameField: spec.secretName}]";
const FIELDS: &str = r#"fields: [status, 'metadata.annotations["monitoring.example.org/seen"]']"#;

fn kept(set: &Value) -> Value {
    let mut set = set.clone();
    set["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["--retention=30d"]);
    set
}

fn live(world: &World, object: &Value) -> Judged {
    world.asks(|context| judge_live(&ObjectKey::of(object).unwrap(), object, context))
}

#[test]
fn a_policy_bounds_what_an_operator_makes_at_admission_and_at_runtime() {
    let world = configured(&[(SETS, "ceiling.retention")], &[("retention", RETENTION)]);
    let set = stateful_set();
    assert!(create(&world, OPERATOR, &kept(&set)).is_ok());
    let told = create(&world, OPERATOR, &set).unwrap_err();
    let wanted = "policy/ceiling/retention (policies/retention.rego) denies it: spec.template.spec.containers: \
                  prometheus-main is not kept for 30 days at most (set retention on the Prometheus), as the \
                  delegation monitoring demands (gitward.yaml:7:3)";
    assert!(told.contains(wanted), "{told}");
    assert!(matches!(live(&world, &kept(&set)), Judged::Explained(Origin::Delegated { .. })));
    let Judged::Undeclared(told) = live(&world, &set) else { panic!("{:?}", live(&world, &set)) };
    assert!(told.contains(wanted), "{told}");
    // Without the ceiling the same object is within bounds.
    let world = configured(&[], &[("retention", RETENTION)]);
    assert!(create(&world, OPERATOR, &set).is_ok());
}

#[test]
fn an_update_is_judged_as_it_leaves_the_object() {
    let world = configured(&[(SETS, "ceiling/retention")], &[("retention", RETENTION)]);
    let (set, kept) = (stateful_set(), kept(&stateful_set()));
    let updated = |old: &Value, new: &Value| {
        decide(&world, &user(OPERATOR, true), Operation::Update, "", Some(new), Some(old)).is_ok()
    };
    assert!(updated(&kept, &with(&kept, json!({"spec": {"replicas": 2}}))));
    assert!(!updated(&kept, &set));
}

#[test]
fn a_policy_bounds_what_an_operator_sets() {
    let mut world = configured(&[(FIELDS, "policy/ceiling/notes")], &[("notes", NOTES)]);
    let old = prometheus();
    learn(&mut world, &old);
    let note = |text: &str| with(&old, json!({"metadata": {"annotations": {"monitoring.example.org/seen": text}}}));
    let updated = |subresource: &str, new: &Value| {
        decide(&world, &user(OPERATOR, true), Operation::Update, subresource, Some(new), Some(&old))
    };
    let told = updated("", &note("short"));
    assert!(told.is_ok(), "{told:?}");
    let told = updated("", &note("this is too long")).unwrap_err();
    assert!(told.contains("denies it: the note says too much, as the delegation monitoring demands"), "{told}");
    let status = |text: &str| with(&old, json!({"status": {"text": text}}));
    assert!(updated("status", &status("short")).is_ok());
    let told = updated("status", &status("this is too long")).unwrap_err();
    assert!(told.contains("the status says too much, as the delegation monitoring demands"), "{told}");
    // At runtime what the policy denies is not left alone.
    assert_eq!(live(&world, &note("short")), Judged::Converged);
    assert!(matches!(live(&world, &note("this is too long")), Judged::Diverged(_)));
    let key = ObjectKey::of(&old).unwrap();
    let excused = |object: &Value| world.asks(|context| excuses(&key, object, context));
    assert_eq!(excused(&note("short")), [Excuse::Delegation("monitoring".into())]);
    assert_eq!(excused(&note("this is too long")), []);
}

#[test]
fn what_a_policy_cannot_judge_is_refused_with_the_reason() {
    let certified = |a: &str| {
        object(
            "v1",
            "Secret",
            "web-tls",
            json!({"metadata": {"annotations": {"cert.example.org/certificate": "web"}}, "data": {"a": a}}),
        )
    };
    let world = configured(&[(SECRETS, "ceiling.broken")], &[("broken", BROKEN)]);
    assert!(create(&world, OPERATOR, &certified("{}")).is_ok());
    let told = create(&world, OPERATOR, &certified("{private")).unwrap_err();
    assert!(told.contains("the policy policy/ceiling/broken cannot be evaluated"), "{told}");
    assert!(!told.contains("{private"), "a Secret's value: {told}");
    let world = configured(&[(SECRETS, "ceiling.slow")], &[("slow", SLOW)]);
    let mut large = certified("a");
    for i in 0..200 {
        large["data"][format!("k{i}")] = json!(format!("v{i}"));
    }
    assert!(create(&world, OPERATOR, &certified("a")).is_ok());
    let told = create(&world, OPERATOR, &large).unwrap_err();
    assert!(told.contains("it takes more time than it may"), "{told}");
    assert!(matches!(live(&world, &large), Judged::Undeclared(_)));
}

#[test]
fn a_policy_bounds_what_a_mutator_adds() {
    const SIDECARS: &str = r#"package ceiling.sidecars

kinds := {"Pod"}

deny contains "the proxy may not act as a host" if {
	some container in input.object.spec.containers
	container.name == "proxy"
	some variable in container.env
	variable.name == "HOST"
}
"#;
    let text = format!("{INJECTOR}    policies: [ceiling.sidecars]\n");
    let text = text.replacen("kind: Configuration\n", "kind: Configuration\npolicies: [policies]\n", 1);
    let configuration = parse(&"gitward.yaml".into(), text.as_bytes()).unwrap();
    let files = [TreeFile { path: "policies/sidecars.rego".into(), bytes: SIDECARS.as_bytes().into() }];
    let judge = Judge::new(configuration, &files).unwrap();
    let mut pod = with(&injected(), json!({"apiVersion": "v1", "kind": "Pod"}));
    assert!(bare_by(judge.configuration().clone(), &pod, true).is_ok());
    pod["spec"]["containers"][0]["env"] = json!([{"name": "HOST", "value": "1"}]);
    let told = bare_by(judge.configuration().clone(), &pod, true).unwrap_err();
    assert!(told.contains("the proxy may not act as a host, as the delegation proxies demands"), "{told}");
}

#[test]
fn policies_of_all_kinds_can_be_named_and_only_a_denial_refuses() {
    const MILD: &str = "package gitward.team.mild\n\nwarn contains \"mind this\" if input.object.kind\n";
    const EXCEPTION: &str = r#"package gitward.exceptions

exception contains {
	"policy": "ceiling/retention", "kind": "StatefulSet", "namespace": "shop", "name": "prometheus-main",
	"reason": "it is on its way out",
}
"#;
    let world = configured(&[(SETS, "gitward.team.mild")], &[("mild", MILD)]);
    assert!(create(&world, OPERATOR, &stateful_set()).is_ok());
    let files = [("retention", RETENTION), ("exceptions", EXCEPTION)];
    let world = configured(&[(SETS, "ceiling.retention")], &files);
    assert!(create(&world, OPERATOR, &stateful_set()).is_ok(), "Git excepts it");
    // The starter policies are there to be named: their ids are told by findings.
    let world = configured(&[(SETS, "image-tag, policy/privileged")], &[]);
    assert!(create(&world, OPERATOR, &stateful_set()).is_ok());
    let mut latest = stateful_set();
    latest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.org/prometheus/prometheus".into();
    let told = create(&world, OPERATOR, &latest).unwrap_err();
    assert!(told.contains("policy/image-tag"), "{told}");
}

#[test]
fn where_the_policies_are_not_loaded_nothing_passes_by_them() {
    let mut world = configured(&[(SETS, "ceiling.retention")], &[("retention", RETENTION)]);
    Arc::make_mut(&mut world.snapshot.configuration).ceilings = Ceilings::default();
    let told = create(&world, OPERATOR, &kept(&stateful_set())).unwrap_err();
    assert!(told.contains("the policy ceiling.retention is not known here"), "{told}");
}

#[test]
fn a_policy_that_is_not_there_or_judges_nothing_is_found_at_its_place() {
    let found = |policies: &str, text: &str| judge(&[(SETS, policies)], &[("retention", text)]).err().unwrap();
    let told = found("ceiling.retnetion", RETENTION);
    let wanted = "there is no policy \"ceiling.retnetion\" for the delegation \"monitoring\"";
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(wanted) && told[0].contains("gitward.yaml:15:"), "{told:?}");
    let told = found("ceiling.retention", &RETENTION.replace("StatefulSet.apps", "Secret"));
    assert!(told[0].contains("\"ceiling.retention\" judges none of StatefulSet.apps"), "{told:?}");
    let told = found("ceiling.retention", "package ceiling.retention\ndeny contains {");
    assert!(told[0].contains("policies/retention.rego:2"), "{told:?}");
}

#[test]
fn a_ceiling_judges_nothing_that_git_declares() {
    let judge = judge(&[], &[("retention", &RETENTION.replace("kinds :=", "unused :="))]).unwrap();
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";
    let files = [TreeFile { path: "a.yaml".into(), bytes: manifest.as_bytes().into() }];
    let found = judge.environment(&judge.configuration().environments[0], &files).findings;
    assert!(found.iter().all(|f| !f.rule.starts_with("policy/")), "{found:?}");
    let lints: Vec<String> = judge.lints().iter().map(crate::finding::Finding::line).collect();
    assert!(lints.iter().any(|l| l.contains("policy/ceiling/retention judges nothing: no delegation")), "{lints:?}");
}
