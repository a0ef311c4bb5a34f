//! Every rule that the sources name is explained, and every explanation is of a rule that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gitward_core::report;

const CRATES: [&str; 8] = ["cli", "core", "git-hooks", "index", "reconciler", "render", "repo", "webhook"];

/// What looks like a rule of gitward and is none: the seccomp profile in the annotations of old Pods,
/// and a policy of the demo's repository.
const NO_RULES: [&str; 2] = ["runtime/default", "policy/team"];

#[test]
fn every_rule_that_can_be_told_can_be_explained_and_the_other_way_round() {
    let known: BTreeSet<String> = report::rules().into_iter().collect();
    let areas: BTreeSet<&str> = known.iter().filter_map(|rule| rule.split_once('/')).map(|(area, _)| area).collect();
    let (mut unexplained, mut named) = (Vec::new(), BTreeSet::new());
    for file in CRATES.iter().flat_map(|name| sources(&root().join(name).join("src"))) {
        let text = fs::read_to_string(&file).unwrap();
        for rule in rules_in(&text, &areas) {
            if !known.contains(&rule) {
                unexplained.push(format!("{}: {rule}", file.display()));
            }
            named.insert(rule);
        }
    }
    assert_eq!(unexplained, [""; 0], "they need a row in core/src/report/explain");
    assert!(named.contains("runtime/refused") && named.contains("schema/unknown-field"), "{named:?}");
    // The policies' rules are named by their directories.
    let nobodys: Vec<&String> = known.difference(&named).filter(|rule| !rule.starts_with("policy/")).collect();
    assert_eq!(nobodys, [""; 0], "no source names them");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources below a directory, without tests and without the explanations themselves.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if ["tests", "tests.rs", "explain", "properties.rs"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// The literals of a file, before its tests, that are a rule: of an area that is known, or the rule
/// of a finding that is made there.
fn rules_in(text: &str, areas: &BTreeSet<&str>) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut found, mut before) = (Vec::new(), "");
    for piece in text.split('"') {
        let makes_finding = ["error(", "warning("].iter().any(|call| before.trim_end().ends_with(call));
        let is_rule = piece.split_once('/').is_some_and(|(area, name)| {
            let is_word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            is_word(area) && is_word(name) && (makes_finding || areas.contains(area))
        });
        if is_rule && !NO_RULES.contains(&piece) {
            found.push(piece.to_owned());
        }
        before = piece;
    }
    found
}
