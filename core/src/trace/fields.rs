//! Where every field of a live object comes from: the comparison of [`judge_live`](super::judge_live)
//! told field by field, for people.

use std::collections::HashMap;

use serde_json::Value;

use super::leaves::{Leaf, Written, leaves};
use super::live::{Judged, leave_exempted, undeclared};
use super::{expected_of, given, subject};
use crate::break_glass;
use crate::carry;
use crate::change::{self, Change, object_changes};
use crate::derived::{self, Context};
use crate::finding::Place;
use crate::object::ObjectKey;
use crate::path::FieldPath;
use crate::snapshot::{Declared, Expected};
use crate::verdict::Origin;

/// One field of a live object and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Which; the root stands for the object as a whole.
    pub path: FieldPath,
    /// Its value, which may be a Secret's; `None` if it is not there and should be.
    pub value: Option<Value>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Git says so, here.
    Declared {
        /// Where in Git.
        place: Place,
    },
    /// The API server makes it of what Git says.
    Defaulted,
    /// Taken over from the live object, because a rule proves it.
    Carried {
        /// The rule's name.
        rule: &'static str,
    },
    /// A controller makes it.
    Derived {
        /// The rule's name, as in the table of [`crate::derived`].
        rule: &'static str,
        /// Whether the writer's account has to be believed.
        by_identity: bool,
        /// The declared object that it goes back to, if it can be named.
        from: Option<Stated>,
    },
    /// An exemption in Git gives it to others.
    Exempted {
        /// The exemption's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
    /// A delegation in Git gives it to an operator, or the object is within its ceilings.
    Delegated {
        /// The delegation's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
    /// Somebody broke a glass that reaches the object: until it is whole again it is left.
    BreakGlass {
        /// The declaration's name.
        name: String,
        /// Where in Git.
        place: Place,
    },
    /// The object is being deleted, and Git does not declare it.
    Leaving,
    /// Never compared: the API server alone keeps it, or it is a status.
    Kept,
    /// Nobody's: a divergence.
    Nobody {
        /// What is expected instead; `None` if nothing is to be there.
        expected: Option<Value>,
        /// Where Git says so, or the nearest to it; `None` if Git does not declare the object.
        place: Option<Place>,
        /// Why no rule recognises it, where that is known.
        reason: Option<String>,
    },
    /// What the API server makes of the declared object is not known, so this cannot be told.
    Unknown,
}

/// A declared object, and where it or the field in question stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The declared object.
    pub object: ObjectKey,
    /// Where in Git.
    pub place: Place,
}

/// Every field of a live object with where it comes from; `None` if it is not this environment's.
///
/// There is a [`Source::Nobody`] exactly where [`judge_live`](super::judge_live) finds a difference
/// that no broken glass explains.
pub fn fields(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<Vec<Field>> {
    if !context.snapshot.governs(key) {
        return None;
    }
    Some(match context.snapshot.declared(key) {
        Some(declared) => match &declared.expected {
            Some(expected) => of_declared(declared, expected, live, context),
            None => of_unlearnt(declared, live),
        },
        None => of_undeclared(key, live, context),
    })
}

/// The fields of a declared object, in its own order, then those that are missing.
fn of_declared(declared: &Declared, expected: &Expected, live: &Value, context: &Context<'_>) -> Vec<Field> {
    let status = declared.has_status_subresource;
    let mut wanted = expected_of(expected, declared, live, context);
    let without_others = By::pointer(object_changes(&wanted, live, status), live);
    leave_exempted(&mut wanted, declared, live, context);
    let found = object_changes(&wanted, live, status);
    let missing: Vec<Change> = found.iter().filter(|c| c.new.is_none()).cloned().collect();
    let diverged = By::pointer(found, live);
    let carried = carry::carried(&subject(expected, declared, live), context);
    let carried =
        By::pointers(carried.into_iter().filter(|(_, c)| c.new.is_some()).map(|(rule, c)| (c.path, rule)), live);

    let ends = |pointer: &str| diverged.0.contains_key(pointer) || (status && pointer == "/status");
    let source = |leaf: &Leaf<'_>| {
        if change::is_kept(&leaf.path, status) {
            return Source::Kept;
        }
        if let Some(change) = diverged.covering(&leaf.pointer) {
            let place = leaf.written.as_ref().map_or_else(|| declared.place(&change.path), |w| declared.place(&w.path));
            return nobody(&declared.manifest.key, change.old.clone(), Some(place), None, context);
        }
        if without_others.covering(&leaf.pointer).is_some() {
            return of_others(&declared.manifest.key, &leaf.path, context);
        }
        match (carried.covering(&leaf.pointer), &leaf.written) {
            (Some(rule), _) => Source::Carried { rule },
            (None, Some(written)) => Source::Declared { place: declared.place(&written.path) },
            (None, None) => Source::Defaulted,
        }
    };
    let of_live = leaves(live, Some(whole(declared)), &ends).into_iter().map(|leaf| Field {
        source: source(&leaf),
        path: leaf.path,
        value: Some(leaf.value.clone()),
    });
    let gone = missing.into_iter().map(|change| {
        let place = declared.place(&change.path);
        let source = nobody(&declared.manifest.key, change.old, Some(place), None, context);
        Field { path: change.path, value: None, source }
    });
    of_live.chain(gone).collect()
}

fn whole(declared: &Declared) -> Written<'_> {
    Written { path: FieldPath::root(), value: &declared.canonical }
}

/// Without what the API server adds, only what stands in Git word for word can be told.
fn of_unlearnt(declared: &Declared, live: &Value) -> Vec<Field> {
    let status = declared.has_status_subresource;
    let source = |leaf: &Leaf<'_>| match &leaf.written {
        _ if change::is_kept(&leaf.path, status) => Source::Kept,
        Some(written) if change::same_in(live, written.value, leaf.value) => {
            Source::Declared { place: declared.place(&written.path) }
        }
        _ => Source::Unknown,
    };
    let leaves = leaves(live, Some(whole(declared)), &|pointer| status && pointer == "/status");
    leaves
        .into_iter()
        .map(|leaf| Field { source: source(&leaf), path: leaf.path, value: Some(leaf.value.clone()) })
        .collect()
}

fn of_undeclared(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Vec<Field> {
    let source = match undeclared(key, live, context) {
        Judged::Explained(Origin::Derived { rule, by_identity }) => {
            return of_derived(key, live, live, (rule, by_identity), context);
        }
        Judged::Explained(Origin::Exempted { .. } | Origin::Delegated { .. })
            if let Some((kept, Origin::Derived { rule, by_identity })) = given::but_for(key, live, context) =>
        {
            return of_derived(key, live, &kept, (rule, by_identity), context);
        }
        Judged::Explained(Origin::Exempted { name, place }) => Source::Exempted { name, place },
        Judged::Explained(Origin::Delegated { name, place }) => Source::Delegated { name, place },
        Judged::Explained(_) => Source::Leaving,
        Judged::Undeclared(reason) => nobody(key, None, None, Some(reason), context),
        Judged::NotGoverned | Judged::Converged | Judged::Diverged(_) | Judged::NotLearnt => Source::Unknown,
    };
    vec![Field { path: FieldPath::root(), value: Some(live.clone()), source }]
}

/// The fields of what a controller made, each with the line of the template that says it, where one
/// does; what is not in `kept` is others'.
fn of_derived(
    key: &ObjectKey,
    live: &Value,
    kept: &Value,
    (rule, by_identity): (&'static str, bool),
    context: &Context<'_>,
) -> Vec<Field> {
    let ancestor = derived::ancestor(key, live, context).and_then(|a| context.snapshot.declared(&a));
    let written = ancestor.and_then(|a| {
        let path = derived::template_in(key, &a.manifest.key)?;
        Some(Written { value: path.get(&a.canonical)?, path })
    });
    let stated = |leaf: &Leaf<'_>| {
        let declared = ancestor?;
        let said = leaf.written.as_ref().filter(|w| derived::follows_template(&leaf.path) && w.value == leaf.value);
        let place = said.map_or_else(|| declared.place(&FieldPath::root()), |w| declared.place(&w.path));
        Some(Stated { object: declared.manifest.key.clone(), place })
    };
    let others = By::pointer(object_changes(kept, live, false), live);
    let source = |leaf: &Leaf<'_>| {
        if change::is_kept(&leaf.path, true) {
            return Source::Kept;
        }
        match others.covering(&leaf.pointer) {
            Some(_) => of_others(key, &leaf.path, context),
            None => Source::Derived { rule, by_identity, from: stated(leaf) },
        }
    };
    leaves(live, written, &|pointer| pointer == "/status")
        .into_iter()
        .map(|leaf| Field { source: source(&leaf), path: leaf.path, value: Some(leaf.value.clone()) })
        .collect()
}

/// What has no origin, unless a glass is broken over it.
fn nobody(
    key: &ObjectKey,
    expected: Option<Value>,
    place: Option<Place>,
    reason: Option<String>,
    context: &Context<'_>,
) -> Source {
    match break_glass::over(key, None, context) {
        Some(glass) => Source::BreakGlass { name: glass.declaration, place: glass.place },
        None => Source::Nobody { expected, place, reason },
    }
}

/// Whose a field is that only exemptions and delegations explain.
fn of_others(key: &ObjectKey, path: &FieldPath, context: &Context<'_>) -> Source {
    match given::of_field(key, path, context) {
        Some(Origin::Exempted { name, place }) => Source::Exempted { name, place },
        Some(Origin::Delegated { name, place }) => Source::Delegated { name, place },
        _ => Source::Unknown,
    }
}

/// Things by the part of an object that they are about, as JSON pointers into it.
struct By<T>(HashMap<String, T>);

impl<T> By<T> {
    fn pointers(things: impl IntoIterator<Item = (FieldPath, T)>, live: &Value) -> Self {
        let there = things.into_iter().filter(|(path, _)| path.get(live).is_some());
        Self(there.map(|(path, thing)| (path.pointer(live), thing)).collect())
    }

    /// What is about a field or about something that it is part of.
    fn covering(&self, pointer: &str) -> Option<&T> {
        let ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
        ends.filter_map(|end| self.0.get(&pointer[..end])).next_back()
    }
}

impl By<Change> {
    /// Changes of what is there.
    fn pointer(changes: Vec<Change>, live: &Value) -> Self {
        Self::pointers(changes.into_iter().filter(|c| c.new.is_some()).map(|c| (c.path.clone(), c)), live)
    }
}

#[cfg(test)]
mod tests;
