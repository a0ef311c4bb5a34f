//! What a change of the rules does to the tree that is there: told with the push that brings it, since
//! it is judged by the rules before it, and from the next push on all this was there before.

use std::collections::BTreeMap;

use gitward_core::baseline::Baseline;
use gitward_core::finding::{Finding, Severity};

/// Rules that are counted by name, and places that are named.
const SHOWN: usize = 5;

/// The note on an environment whose tree has other findings by the new rules than by the old; `None`
/// if it has the same.
pub(crate) fn told(environment: &str, by_old: &[Finding], by_new: &[Finding]) -> Option<Finding> {
    let (mut appear, mut vanish) = (Vec::new(), Vec::new());
    for severity in [Severity::Error, Severity::Warning] {
        let of = |findings: &[Finding]| findings.iter().filter(|f| f.severity == severity).cloned().collect::<Vec<_>>();
        let (old, new) = (of(by_old), of(by_new));
        appear.extend(Baseline::of(&old).split(new.clone()).0);
        vanish.extend(Baseline::of(&new).split(old).0);
    }
    if appear.is_empty() && vanish.is_empty() {
        return None;
    }
    let message = format!(
        "by the rules that this push brings, {environment} has {} more and {} fewer{}",
        counted(&appear),
        counted(&vanish),
        by_rule(&appear, &vanish)
    );
    let first: Vec<String> =
        appear.iter().filter_map(|f| Some(format!("{} [{}]", f.place.as_ref()?, f.rule))).take(SHOWN).collect();
    let finding = Finding::new(Severity::Info, "push/effect", message);
    Some(match (first.is_empty(), appear.len().saturating_sub(first.len())) {
        (true, _) => finding,
        (false, 0) => finding.with_hint(first.join(", ")),
        (false, more) => finding.with_hint(format!("{} and {more} more", first.join(", "))),
    })
}

fn counted(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "none".to_owned(),
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// `: policy/image-tag +3, policy/team -1`, the most changed first.
fn by_rule(appear: &[Finding], vanish: &[Finding]) -> String {
    let mut changes: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for finding in appear {
        changes.entry(&finding.rule).or_default().0 += 1;
    }
    for finding in vanish {
        changes.entry(&finding.rule).or_default().1 += 1;
    }
    let mut changes: Vec<_> = changes.into_iter().collect();
    changes.sort_by_key(|(_, (more, fewer))| std::cmp::Reverse(more + fewer));
    let rest = changes.len().saturating_sub(SHOWN);
    let mut told: Vec<String> = changes
        .into_iter()
        .take(SHOWN)
        .map(|(rule, change)| match change {
            (more, 0) => format!("{rule} +{more}"),
            (0, fewer) => format!("{rule} -{fewer}"),
            (more, fewer) => format!("{rule} +{more} -{fewer}"),
        })
        .collect();
    if rest > 0 {
        told.push(format!("{rest} other rules"));
    }
    format!(": {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gitward_core::finding::Place;
    use gitward_core::object::ObjectKey;

    use super::*;

    fn finding(rule: &'static str, object: &str, severity: Severity) -> Finding {
        Finding::new(severity, rule, "no")
            .with_object(ObjectKey::new("", "Pod", "shop", object))
            .with_place(Some(Place { file: Arc::from("a.yaml"), line: 3, column: 1 }))
    }

    #[test]
    fn what_appears_and_what_vanishes_is_counted_by_rule() {
        let old = [finding("policy/a", "x", Severity::Error), finding("policy/b", "x", Severity::Error)];
        let new = [
            finding("policy/a", "x", Severity::Warning),
            finding("policy/b", "x", Severity::Error),
            finding("policy/c", "y", Severity::Error),
            finding("policy/c", "z", Severity::Error),
        ];
        let told = told("prod", &old, &new).unwrap();
        assert_eq!(
            told.message,
            "by the rules that this push brings, prod has 2 errors and 1 warning more and 1 error fewer: \
             policy/a +1 -1, policy/c +2"
        );
        assert_eq!(told.severity, Severity::Info);
        assert!(told.hint.unwrap().starts_with("a.yaml:3:1 [policy/c], "));
        assert_eq!(super::told("prod", &old, &old), None);
    }
}
