//! The delegations in `deploy/delegations/`, as somebody copies them into a `gitward.yaml`.

use std::collections::BTreeMap;

use super::*;
use crate::config::Configuration;
use crate::evaluate::{Judge, TreeFile};

const HEAD: &str = "apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, namespaces: [shop, monitoring, cert-manager]}
";

/// The text of each, by its folder.
fn texts() -> BTreeMap<String, String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/delegations");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path.join("gitward.yaml")).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
}

fn configuration(name: &str, text: &str) -> Configuration {
    let parsed = parse(&"gitward.yaml".into(), format!("{HEAD}{text}").as_bytes());
    parsed.unwrap_or_else(|findings| panic!("{name}: {findings:?}"))
}

#[test]
fn there_is_one_for_what_clusters_commonly_run() {
    let names: Vec<String> = texts().into_keys().collect();
    let common = [
        "cert-manager",
        "cloud-controller-manager",
        "external-dns",
        "metrics-server",
        "prometheus-operator",
        "sidecar-injector",
        "vertical-pod-autoscaler",
    ];
    assert_eq!(names, common);
}

#[test]
fn each_is_accepted_by_the_push_gate_alone_and_with_the_others() {
    let mut all = "delegations:\n".to_owned();
    for (name, text) in texts() {
        let configuration = configuration(&name, &text);
        all.push_str(text.split("delegations:\n").nth(1).unwrap_or_default());
        let environment = configuration.environments[0].clone();
        let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";
        let files = [TreeFile { path: "a.yaml".into(), bytes: object.as_bytes().into() }];
        let judge = Judge::new(configuration, &files).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
        assert_eq!(judge.environment(&environment, &files).findings, [], "{name}");
    }
    let names: Vec<String> = configuration("all", &all).delegations.into_iter().map(|d| d.name).collect();
    for name in ["cert-manager", "cert-manager-cainjector", "vpa-recommender", "sidecar-injector", "external-dns"] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
}

/// Whoever copies one reads first what it may do.
#[test]
fn each_says_what_it_may_do_and_why() {
    for (name, text) in texts() {
        assert!(text.starts_with("# "), "{name} begins with what it is for");
        for delegation in configuration(&name, &text).delegations {
            assert!(delegation.reason.split_whitespace().count() > 2, "{name}: {:?}", delegation.reason);
            let bounds = crate::delegation::bounds::of(&delegation);
            assert!(bounds.len() < crate::delegation::bounds::MOST_BOUNDS, "{name}: not all of it is watched");
        }
    }
}
