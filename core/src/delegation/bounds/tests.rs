use super::*;
use crate::config::parse;

const CONFIGURATION: &str = r#"apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, namespaces: [shop, data]}
delegations:
- name: monitoring
  accounts: ["system:serviceaccount:shop:operator"]
  reason: tests
  makes:
  - kinds: [StatefulSet.apps, Secret]
    names: ["prometheus-*"]
    owners: [{kind: Prometheus.monitoring.example.org}]
    images: ["registry.example.org/prometheus/*", "registry.example.org/app:*"]
  sets:
  - kinds: [Prometheus.monitoring.example.org]
    fields: [status]
"#;

fn bounds() -> (Vec<Bound>, Vec<u32>, EnvironmentConfig) {
    let configuration = parse(&"gitward.yaml".into(), CONFIGURATION.as_bytes()).unwrap();
    let bounds = of(&configuration.delegations[0]);
    let lines = (0..bounds.len()).map(|b| configuration.bound_place(0, b).line).collect();
    (bounds, lines, configuration.environments[0].clone())
}

fn told(seen: &[(&str, &[&str])]) -> Vec<String> {
    let (bounds, _, environment) = bounds();
    let values = |bound: &Bound| -> BTreeSet<String> {
        let of = seen.iter().find(|(field, _)| *field == bound.field.to_string());
        of.iter().flat_map(|(_, values)| values.iter()).map(|v| (*v).to_owned()).collect()
    };
    bounds.iter().filter_map(|bound| bound.broader(&values(bound), &environment)).collect()
}

#[test]
fn each_bound_stands_somewhere() {
    let (bounds, lines, _) = bounds();
    let named: Vec<String> = bounds.iter().zip(lines).map(|(b, line)| format!("{} {line}", b.field)).collect();
    assert_eq!(
        named,
        [
            "accounts[0] 7",
            "makes[0].kinds[0] 10",
            "makes[0].kinds[1] 10",
            "makes[0].namespaces 10",
            "makes[0].names[0] 11",
            "makes[0].owners[0] 12",
            "makes[0].images[0] 13",
            "makes[0].images[1] 13",
            "makes[0].serviceAccounts 10",
            "makes[0].podSecurity 10",
            "sets[0].kinds[0] 15",
            "sets[0].fields[0] 16",
        ]
    );
}

#[test]
fn what_was_never_seen_is_told_and_what_was_needed_is_not() {
    assert_eq!(
        told(&[]),
        [
            "never by system:serviceaccount:shop:operator",
            "never made StatefulSet.apps",
            "never made Secret",
            "never named prometheus-*",
            "never belonging to Prometheus.monitoring.example.org",
            "no image of registry.example.org/prometheus/*",
            "no image of registry.example.org/app:*",
            "never set anything of Prometheus.monitoring.example.org",
            "never set status",
        ]
    );
    let all: [(&str, &[&str]); 12] = [
        ("accounts[0]", &["operator"]),
        ("makes[0].kinds[0]", &["StatefulSet.apps"]),
        ("makes[0].kinds[1]", &["Secret"]),
        ("makes[0].namespaces", &["shop", "data"]),
        ("makes[0].names[0]", &["prometheus-a", "prometheus-b"]),
        ("makes[0].owners[0]", &["Prometheus"]),
        ("makes[0].images[0]", &["registry.example.org/prometheus/a", "registry.example.org/prometheus/b"]),
        ("makes[0].images[1]", &["registry.example.org/app"]),
        ("makes[0].serviceAccounts", &["a", "default"]),
        ("makes[0].podSecurity", &["baseline"]),
        ("sets[0].kinds[0]", &["Prometheus"]),
        ("sets[0].fields[0]", &["status"]),
    ];
    assert_eq!(told(&all), [""; 0]);
}

#[test]
fn where_anything_is_allowed_and_one_was_seen_it_is_told() {
    let one: [(&str, &[&str]); 5] = [
        ("makes[0].namespaces", &["shop"]),
        ("makes[0].names[0]", &["prometheus-a"]),
        ("makes[0].images[0]", &["registry.example.org/prometheus/a"]),
        ("makes[0].serviceAccounts", &["prometheus"]),
        ("makes[0].podSecurity", &["restricted"]),
    ];
    let told = told(&one);
    for part in [
        "any namespace, and only shop was seen",
        "prometheus-*, and only prometheus-a was seen",
        "registry.example.org/prometheus/*, and only registry.example.org/prometheus/a was seen",
        "any service account that Git declares, and only prometheus was seen",
        "podSecurity baseline, and all that was seen keeps restricted",
    ] {
        assert!(told.iter().any(|t| t == part), "{part}: {told:?}");
    }
}

#[test]
fn other_bounds_have_another_digest() {
    let (bounds, ..) = bounds();
    assert_eq!(digest(&bounds), digest(&bounds.clone()));
    assert_ne!(digest(&bounds), digest(&bounds[1..]));
}

#[test]
fn what_another_environment_may_need_is_not_told() {
    let text = CONFIGURATION.replace("    names: [", "    namespaces: [shop, staging]\n    names: [");
    let text = text.replace("    fields: [status]", "    namespaces: [staging]\n    fields: [status]");
    let configuration = parse(&"gitward.yaml".into(), text.as_bytes()).unwrap();
    let bounds = of(&configuration.delegations[0]);
    let environment = &configuration.environments[0];
    let told: Vec<String> = bounds.iter().filter_map(|b| b.broader(&BTreeSet::new(), environment)).collect();
    assert!(told.contains(&"never in namespace shop".to_owned()), "{told:?}");
    assert!(told.iter().all(|t| !t.contains("staging") && !t.contains("never set")), "{told:?}");
}
