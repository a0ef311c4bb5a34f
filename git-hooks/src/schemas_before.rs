//! What custom resources looked like before a push.
//!
//! Files in `crds` are rules like policies: what they said before judges a push, so that nobody loosens one
//! together with the object that needs it. A kind that they did not define yet may come with its schema,
//! and a CRD that the tree declares counts as it is pushed: by it the cluster itself will judge.

use gitward_core::config::{Configuration, EnvironmentConfig};
use gitward_core::evaluate::{Definitions, Judge};
use gitward_core::finding::{Finding, Severity};
use gitward_repo::{CommitId, Limits, Repository, Selection};

use crate::{Result, brought};

/// The rules, by which files in `crds` that a push changes mean what they meant before.
///
/// # Errors
/// If the repository cannot be read.
pub(crate) fn hold(
    judge: &Judge,
    repository: &Repository,
    (base, rules): (&CommitId, &Configuration),
    environment: &EnvironmentConfig,
    limits: &Limits,
) -> Result<Judge> {
    let tree = repository.files(base, &Selection::under(rules.roots(environment)), limits)?;
    Ok(match Definitions::of(rules, environment, &tree.files) {
        Some(before) => judge.held_to(before),
        None => judge.clone(),
    })
}

/// Says of each finding that the pushed schemas would let pass how to go on.
pub(crate) fn say_how(found: Vec<Finding>, by_next: &[Finding]) -> Vec<Finding> {
    let is_by_schema = |finding: &Finding| finding.severity == Severity::Error && finding.rule.starts_with("schema/");
    let (by_schema, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_by_schema);
    let (only_before, _) = brought(by_schema.clone(), by_next);
    others.extend(
        by_schema.into_iter().map(|finding| if only_before.contains(&finding) { told(finding) } else { finding }),
    );
    others.sort_by(|a, b| a.place.cmp(&b.place));
    others
}

fn told(mut finding: Finding) -> Finding {
    let how = "the schema before this push says so, and the one that it brings does not: push the schema alone, then the \
               object";
    finding.hint = Some(finding.hint.map_or_else(|| how.to_owned(), |hint| format!("{} {how}", punctuated(&hint))));
    finding
}

fn punctuated(hint: &str) -> String {
    if hint.ends_with(['.', '?', '!']) { hint.to_owned() } else { format!("{hint};") }
}
