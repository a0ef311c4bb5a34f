//! Namespaces: their end.

use super::case::Case;
use super::{Judged, Proof};
use crate::object;

/// A namespace that is being deleted is declared empty.
pub(super) fn finalized(case: &Case<'_>) -> Judged {
    ensure!(object::is_terminating(case.old()?), "the namespace is not being deleted");
    for change in case.changes(false)? {
        let right = change.path.starts_with(&["spec", "finalizers"]) || change.path.fields() == ["spec"];
        ensure!(right, "{} changes through finalize", change.path);
    }
    Ok(Proof::Identity)
}
