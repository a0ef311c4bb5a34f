//! What each rule means: one table, for `gitward explain`, for SARIF and for the documentation.

mod config;
mod environment;
mod manifest;
mod policy;
mod push;
mod readme;
mod reference;
mod runtime;
mod schema;
mod trace;
mod tree;
mod valid;
mod webhook;

use std::borrow::Cow;

use crate::policy::{Policies, starter, starter_readme};

/// What a rule means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rule id.
    pub rule: Cow<'static, str>,
    /// What it demands, in a few words.
    pub title: Cow<'static, str>,
    /// Why.
    pub why: Cow<'static, str>,
    /// What breaks it; empty if nothing in a file does.
    pub example: Cow<'static, str>,
    /// How to put it right.
    pub fix: Cow<'static, str>,
}

/// A row of the table.
struct Row {
    rule: &'static str,
    title: &'static str,
    why: &'static str,
    example: &'static str,
    fix: &'static str,
}

const AREAS: [&[Row]; 12] = [
    config::ROWS,
    environment::ROWS,
    manifest::ROWS,
    policy::ROWS,
    push::ROWS,
    reference::ROWS,
    runtime::ROWS,
    schema::ROWS,
    trace::ROWS,
    tree::ROWS,
    valid::ROWS,
    webhook::ROWS,
];

/// What a rule means, or `None` for one that gitward does not have (a repository's own policy).
pub fn explain(rule: &str) -> Option<Explanation> {
    if let Some(row) = AREAS.iter().copied().flatten().find(|row| row.rule == rule) {
        return Some(Explanation {
            rule: row.rule.into(),
            title: row.title.into(),
            why: row.why.into(),
            example: row.example.into(),
            fix: row.fix.into(),
        });
    }
    starter_readme(rule).map(|text| readme::explanation(rule, text))
}

/// The ids of all rules that [`explain`] knows, in order.
pub fn rules() -> Vec<String> {
    let mut rules: Vec<String> = AREAS.iter().copied().flatten().map(|row| row.rule.to_owned()).collect();
    let starters = Policies::compile(&starter()).map(|p| p.list().iter().map(|p| p.rule.clone()).collect::<Vec<_>>());
    rules.extend(starters.unwrap_or_default());
    rules.sort();
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained_once_and_in_full() {
        let rules = rules();
        for rule in &rules {
            let e = explain(rule).unwrap_or_else(|| panic!("{rule}"));
            assert!(![&e.title, &e.why, &e.fix].iter().any(|text| text.trim().is_empty()), "{e:?}");
            assert!(!e.title.ends_with('.') && e.why.ends_with('.'), "{e:?}");
        }
        let mut once = rules.clone();
        once.dedup();
        assert_eq!(once, rules);
        assert!(explain("policy/lib").is_none() && explain("nothing/here").is_none());
    }

    #[test]
    fn a_policys_readme_is_its_explanation() {
        let e = explain("policy/privileged").unwrap();
        assert_eq!(e.title, "No privileged containers");
        assert!(e.why.starts_with("A privileged container is root on the node"), "{}", e.why);
        assert!(e.example.contains("privileged: true    # denied") && !e.example.contains("```"), "{}", e.example);
        assert!(e.fix.starts_with("Remove `privileged`") && e.fix.contains("NET_BIND_SERVICE"), "{}", e.fix);
    }
}
