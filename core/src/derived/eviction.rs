//! Evictions: the API server deletes the Pod without asking again.

use super::case::Case;
use super::compare::{at, text};
use super::{Judged, Proof, Refusal, expected_pod};
use crate::change::is_empty;

/// A Pod is evicted. Its controller makes another; how many may go at once is for the budgets.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let eviction = case.object()?;
    ensure!(text(eviction, &["metadata", "name"]) == case.name, "the eviction names another Pod");
    for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
        ensure!(is_empty(at(eviction, &["metadata", field])), "an eviction carries no {field}");
    }
    let Some(pod) = case.get("", "Pod", case.namespace, case.name) else {
        return Err(Refusal::new(format!("the Pod {} does not exist", case.name)));
    };
    ensure!(expected_pod::has_living_controller(case, &pod), "no controller would replace the Pod {}", case.name);
    Ok(Proof::Content)
}
