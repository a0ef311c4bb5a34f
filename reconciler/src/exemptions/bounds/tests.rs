use gitward_core::config::{Configuration, parse};
use gitward_core::snapshot::Commit;

use super::*;

const CONFIGURATION: &str = r#"apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, namespaces: [shop]}
delegations:
- name: monitoring
  accounts: ["system:serviceaccount:shop:operator"]
  reason: tests
  makes:
  - kinds: [Secret, ConfigMap]
    names: ["prometheus-*"]
"#;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn snapshot(text: &str) -> Snapshot {
    let configuration: Configuration = parse(&"gitward.yaml".into(), text.as_bytes()).unwrap();
    let commit = Commit { id: "0".repeat(40), author: String::new(), time: at(0), subject: String::new() };
    let environment = configuration.environments[0].clone();
    let nothing = gitward_core::additions::Additions::default();
    Snapshot::assemble(environment, configuration.into(), commit, Vec::new(), &nothing, None, at(0))
}

/// What a replica of the webhook says, by position and values.
fn replica(watch: &Watch, seen: &[(usize, &[&str])]) -> BTreeMap<String, Used> {
    let digest = watch.of("monitoring").unwrap().digest;
    let prints = |values: &[&str]| values.iter().map(|v| fingerprint(v)).collect();
    let seen = seen.iter().map(|(bound, values)| (*bound, prints(values))).collect();
    BTreeMap::from([("monitoring".to_owned(), Used { digest, seen })])
}

fn watch(held: &Snapshot) -> Watch {
    let mut watch = Watch::default();
    watch.keep(held, at(0));
    watch
}

fn told(watch: &Watch, held: &Snapshot, second: i64) -> (&'static str, &'static str, String) {
    let Sound { status, reason, message } = watch.told(held, Duration::from_secs(60), None, at(second)).sound;
    (status, reason, message)
}

#[test]
fn what_was_not_seen_is_told_after_its_time_and_with_its_line() {
    let held = snapshot(CONFIGURATION);
    let mut watch = watch(&held);
    let (status, reason, message) = told(&watch, &held, 59);
    assert_eq!((status, reason), ("Unknown", "Watching"));
    assert_eq!(message, "delegation monitoring (gitward.yaml:6:3) is watched since 1970-01-01T00:00:00Z");
    watch.admitted(&replica(&watch, &[(0, &["system:serviceaccount:shop:operator"]), (1, &["Secret"])]));
    let (status, reason, message) = told(&watch, &held, 60);
    assert_eq!((status, reason), ("False", "Broader"));
    let wanted = "delegation monitoring (gitward.yaml:6:3) is broader than what was seen since 1970-01-01T00:00:00Z: \
                  never made ConfigMap (line 10), never named prometheus-* (line 11); to do: take out of gitward.yaml";
    assert!(message.starts_with(wanted), "{message}");
    watch.admitted(&replica(&watch, &[(2, &["ConfigMap"]), (4, &["prometheus-a"])]));
    let (_, _, message) = told(&watch, &held, 60);
    assert!(message.contains(": prometheus-*, and only one thing that is gone was seen (line 11);"), "{message}");
    watch.admitted(&replica(&watch, &[(4, &["prometheus-b"])]));
    assert_eq!(told(&watch, &held, 60).1, "InUse", "two that nobody can name are two");
}

#[test]
fn what_was_seen_outlives_the_process_and_not_another_bound() {
    let held = snapshot(CONFIGURATION);
    let mut before = watch(&held);
    before.admitted(&replica(&before, &[(1, &["Secret"]), (4, &["prometheus-a"])]));
    let noted = DeclarationUse { name: "monitoring".into(), bounds: before.of("monitoring"), ..Default::default() };
    let mut again = Watch::restored(std::slice::from_ref(&noted));
    again.keep(&held, at(1000));
    assert_eq!(again.of("monitoring"), noted.bounds);
    assert_eq!(told(&again, &held, 1000), told(&before, &held, 1000));
    let mut other = Watch::restored(&[noted]);
    other.keep(&snapshot(&CONFIGURATION.replace("ConfigMap", "Service")), at(1000));
    assert_eq!(other.of("monitoring").unwrap().since, at(1000).to_string());
}

#[test]
fn replicas_add_up_and_one_of_another_commit_counts_for_nothing() {
    let held = snapshot(CONFIGURATION);
    let mut watch = watch(&held);
    watch.admitted(&replica(&watch, &[(1, &["Secret"])]));
    let mut other = replica(&watch, &[(2, &["ConfigMap"])]);
    other.get_mut("monitoring").unwrap().digest = "another".into();
    watch.admitted(&other);
    let unneeded = watch.of("monitoring").unwrap().unneeded;
    let fields: Vec<&str> = unneeded.iter().map(|u| u.field.as_str()).collect();
    assert_eq!(fields, ["accounts[0]", "makes[0].kinds[1]", "makes[0].namespaces", "makes[0].names[0]"]);
}

#[test]
fn where_the_webhook_was_not_asked_nothing_is_certain() {
    let held = snapshot(CONFIGURATION);
    let Told { sound, .. } = watch(&held).told(&held, Duration::ZERO, Some("it is away"), at(0));
    assert_eq!((sound.status, sound.reason), ("Unknown", "WebhookNotAsked"));
    assert!(sound.message.ends_with("could not be asked what it let through: it is away"), "{}", sound.message);
    let nothing = snapshot(CONFIGURATION.split("delegations").next().unwrap());
    let mut watch = watch(&held);
    watch.keep(&nothing, at(1));
    assert_eq!(watch.told(&nothing, Duration::ZERO, None, at(1)).sound.reason, "NoneDeclared");
}
