//! One mistake at a time in a tree of good manifests: each is found by its rule, at its place.

#![allow(missing_docs)]

mod mistakes;

use std::sync::Arc;

use gitward_core::baseline::Baseline;
use gitward_core::config;
use gitward_core::evaluate::{self, Judge, TreeFile};
use gitward_core::finding::Finding;
use mistakes::{MISTAKES, Mistake};

macro_rules! tree {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("shop/", $path)))),*] };
}

const TREE: [(&str, &str); 7] = tree![
    "gitward.yaml",
    "policies/team.rego",
    "prod/config.yaml",
    "prod/queue.yaml",
    "prod/rights.yaml",
    "prod/web.yaml",
    "schemas/queues.example.org.yaml",
];

fn judged(files: &[TreeFile]) -> Vec<Finding> {
    let configuration = &files[0];
    let configuration = match config::parse(&configuration.path, &configuration.bytes) {
        Ok(configuration) => configuration,
        Err(findings) => return findings,
    };
    let judge = match Judge::new(configuration, files) {
        Ok(judge) => judge,
        Err(findings) => return findings,
    };
    let environment = judge.configuration().environments[0].clone();
    let mut findings = judge.environment(&environment, files).findings;
    let paths = files.iter().map(|file| &*file.path);
    findings.extend(evaluate::nothing_there(judge.configuration(), None, paths));
    findings.extend_from_slice(judge.lints());
    findings
}

/// The tree with one text in the place of another.
fn tree(change: Option<(&str, &str, &str)>) -> Vec<TreeFile> {
    let text = |path: &str, text: &str| match change {
        Some((file, good, bad)) if file == path => {
            assert!(text.contains(good), "{path} has no {good:?}");
            text.replacen(good, bad, 1)
        }
        _ => text.to_owned(),
    };
    TREE.iter()
        .map(|(path, file)| TreeFile { path: Arc::from(*path), bytes: Arc::from(text(path, file).as_bytes()) })
        .collect()
}

/// Where the mark stands: line and column.
fn marked(mistake: &Mistake) -> String {
    let (file, good, bad, _) = mistake;
    let text = tree(Some((file, good, bad))).into_iter().find(|f| &*f.path == *file).unwrap();
    let text = String::from_utf8(text.bytes.to_vec()).unwrap();
    let before = &text[..text.find('^').unwrap_or_else(|| panic!("{bad:?} has no mark"))];
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{file}:{}:{column}", before.matches('\n').count() + 1)
}

#[test]
fn nothing_is_found_in_the_good_tree() {
    assert_eq!(judged(&tree(None)), []);
}

#[test]
fn each_seeded_mistake_is_found_by_its_rule_at_its_place() {
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        let (file, good, bad, rule) = *mistake;
        let place = marked(mistake);
        let bad = bad.replacen('^', "", 1);
        let (found, _) = Baseline::of(&[]).split(judged(&tree(Some((file, good, &bad)))));
        let told: Vec<(String, String)> = found
            .iter()
            .map(|f| (f.rule.to_string(), f.place.as_ref().map(ToString::to_string).unwrap_or_default()))
            .collect();
        if !told.contains(&(rule.to_owned(), place.clone())) {
            wrong.push(format!("{bad:?}: {rule} at {place} is not among {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), MISTAKES.len(), wrong.join("\n"));
    assert!(MISTAKES.len() >= 60, "{}", MISTAKES.len());
}
