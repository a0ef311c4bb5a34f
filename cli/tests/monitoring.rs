//! The alert rules of `deploy/monitoring` are good PromQL.

use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

fn main() {
    let has_promtool = Command::new("promtool").arg("--version").output().is_ok();
    let told = Trial::test("every_rule_and_every_panel_says_what_it_is_about", || {
        every_rule_and_every_panel_says_what_it_is_about();
        Ok(())
    });
    let read = Trial::test("prometheus_reads_the_alert_rules", || {
        prometheus_reads_them();
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![told, read.with_ignored_flag(!has_promtool)]).exit();
}

/// The rules, as a file of rules.
fn rules() -> Value {
    let text = include_str!("../../deploy/monitoring/alerts.yaml");
    let limits = gitward_core::manifest::Limits::default();
    let (manifests, findings) = gitward_core::manifest::read(&"alerts.yaml".into(), text.as_bytes(), &limits);
    assert!(findings.is_empty(), "{findings:?}");
    manifests[0].value["spec"].clone()
}

fn every_rule_and_every_panel_says_what_it_is_about() {
    let rules = rules();
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        for pointer in ["/alert", "/expr", "/labels/severity", "/annotations/summary", "/annotations/description"] {
            assert!(rule.pointer(pointer).and_then(Value::as_str).is_some_and(|t| !t.is_empty()), "{pointer}: {rule}");
        }
    }
    let dashboard: Value = serde_json::from_str(include_str!("../../deploy/monitoring/dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            assert!(target["expr"].as_str().is_some_and(|e| e.contains("gitward_")), "{panel}");
        }
    }
}

/// Prometheus' own program reads the rules, and the dashboard's questions as rules.
fn prometheus_reads_them() {
    let dashboard: Value = serde_json::from_str(include_str!("../../deploy/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let questions = panels.flat_map(|p| p["targets"].as_array().unwrap()).enumerate();
    let recorded: Vec<Value> =
        questions.map(|(n, target)| json!({"record": format!("question_{n}"), "expr": target["expr"]})).collect();
    let mut rules = rules();
    rules["groups"].as_array_mut().unwrap().push(json!({"name": "dashboard", "rules": recorded}));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, rules.to_string()).unwrap();
    let output = Command::new("promtool").args(["check", "rules"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
