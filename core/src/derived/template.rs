//! Templates, and which of its owner's templates an object follows.

use serde_json::Value;

use super::case::{Act, Case};
use super::compare::{at, map, same_but};
use super::owner::Owner;
use crate::change;
use crate::object;
use crate::snapshot::FORMER_WINDOW;

/// Which template of its owner an object follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The one that it has now.
    Current,
    /// One that Git replaced so shortly ago that a controller may still act on it.
    Recent,
    /// One that Git used to declare, as far back as the snapshot remembers.
    Former,
    /// None that is known.
    Unknown,
}

/// Finds which of the owner's templates, at `path`, passes a test.
pub(super) fn standing(case: &Case<'_>, owner: &Owner, path: &[&str], follows: impl Fn(&Value) -> bool) -> Standing {
    if follows(at(&owner.object, path)) {
        return Standing::Current;
    }
    let snapshot = case.context.snapshot;
    if snapshot.former(&owner.key, case.now()).any(|e| follows(at(&e.object, path))) {
        return Standing::Recent;
    }
    let remembered = snapshot.former.get(&owner.key).into_iter().flatten();
    if remembered.into_iter().any(|f| follows(at(&f.expected.object, path))) {
        return Standing::Former;
    }
    Standing::Unknown
}

/// Templates of its owner, at `path`, that an object may follow, the likeliest first: the owner's own; at
/// creation those that Git replaced shortly ago; of what is there, whatever its owner had when it was made,
/// which the API server alone says.
pub(super) fn candidates<'a>(case: &Case<'a>, owner: &'a Owner, path: &[&str]) -> Vec<&'a Value> {
    let snapshot = case.context.snapshot;
    let mut found = vec![at(&owner.object, path)];
    if case.is(Act::Live) {
        let made = case.object().ok().and_then(object::made);
        let former = snapshot.former.get(&owner.key).into_iter().flatten();
        let was_there = former.filter(|f| made.is_some_and(|made| made <= f.replaced + FORMER_WINDOW));
        found.extend(was_there.map(|f| at(&f.expected.object, path)));
    } else {
        found.extend(snapshot.former(&owner.key, case.now()).map(|e| at(&e.object, path)));
    }
    found
}

/// Whether an object is younger than one of those that follow its owner's template, and than the
/// commit in force: history lies before the first, and what a rollback through Git left before the
/// second. The API server alone sets the times, in whole seconds.
pub(super) fn is_no_history<'a>(case: &Case<'_>, object: &Value, mut current: impl Iterator<Item = &'a Value>) -> bool {
    let Some(own) = object::made(object) else { return false };
    own > case.context.snapshot.commit.time && current.any(|other| object::made(other).is_some_and(|at| own > at))
}

/// Whether two Pod templates mean the same, but for labels that a controller sets.
pub(super) fn same(wanted: &Value, found: &Value, controller_labels: &[&str]) -> bool {
    let metadata = |t| map(t, &["metadata"]);
    let labels = |t| map(t, &["metadata", "labels"]);
    change::same(at(wanted, &["spec"]), at(found, &["spec"]))
        && same_but(labels(wanted), labels(found), controller_labels)
        && same_but(metadata(wanted), metadata(found), &["labels", "creationTimestamp"])
}
