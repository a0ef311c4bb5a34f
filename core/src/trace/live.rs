//! The same comparison for live objects: what the runtime gate and the audit ask.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{expected_of, given};
use crate::additions;
use crate::carry::{self, Subject};
use crate::change::{self, Change, object_changes};
use crate::delegation;
use crate::derived::{self, Context};
use crate::exemption;
use crate::object::{self, ObjectKey};
use crate::snapshot::Declared;
use crate::verdict::Origin;

/// What a live object is, seen from Git.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// Not this environment's.
    NotGoverned,
    /// As expected.
    Converged,
    /// Declared, and in these fields not as expected.
    Diverged(Vec<Change>),
    /// Declared, and not yet known what to expect.
    NotLearnt,
    /// Not declared, but what a controller makes of declared objects, or exempted.
    Explained(Origin),
    /// Not declared and nobody's: with the reason why no rule recognises it.
    Undeclared(String),
}

/// Compares a live object with Git.
pub fn judge_live(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Judged {
    let snapshot = context.snapshot;
    if !snapshot.governs(key) {
        return Judged::NotGoverned;
    }
    match snapshot.declared(key) {
        Some(declared) => judge_declared(declared, live, context),
        None => undeclared(key, live, context),
    }
}

/// Compares a live object with the declared object of its name.
pub fn judge_declared(declared: &Declared, live: &Value, context: &Context<'_>) -> Judged {
    let Some(expected) = &declared.expected else { return Judged::NotLearnt };
    let mut expected = expected_of(expected, declared, live, context);
    leave_exempted(&mut expected, declared, live, context);
    let found = object_changes(&expected, live, declared.has_status_subresource);
    if found.is_empty() { Judged::Converged } else { Judged::Diverged(found) }
}

/// What of Git excuses a live object that is not as Git says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excuse {
    /// An exemption of this name.
    Exemption(String),
    /// A delegation of this name.
    Delegation(String),
}

/// Exemptions and delegations without which a live object would not be as Git says, as far as it
/// shows: what they let through and left as Git says it (a connection, a change that was taken back)
/// does not.
pub fn excuses(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Vec<Excuse> {
    let Some(declared) = context.snapshot.declared(key) else {
        return match judge_live(key, live, context) {
            Judged::Explained(Origin::Exempted { name, .. }) => vec![Excuse::Exemption(name)],
            Judged::Explained(Origin::Delegated { name, .. }) => vec![Excuse::Delegation(name)],
            _ => Vec::new(),
        };
    };
    let Some(against) = Against::git(declared, live, context) else { return Vec::new() };
    let exempted = exemption::in_force(&context.snapshot.configuration, key, context.now)
        .filter(|(e, _)| e.fields.iter().any(|f| against.differs(f)))
        .map(|(e, _)| Excuse::Exemption(e.name.clone()));
    let delegated = delegation::by_field(key, live, context)
        .filter(|(field, _)| against.differs(field))
        .map(|(_, delegation)| Excuse::Delegation(delegation.name.clone()));
    exempted.chain(delegated).collect()
}

/// What a live declared object is held against, field by field.
pub(crate) struct Against<'a> {
    expected: Value,
    live: &'a Value,
    has_status_subresource: bool,
}

impl<'a> Against<'a> {
    /// `None` if it is not known yet what to expect.
    pub(crate) fn git(declared: &Declared, live: &'a Value, context: &Context<'_>) -> Option<Self> {
        let expected = expected_of(declared.expected.as_deref()?, declared, live, context);
        Some(Self { expected, live, has_status_subresource: declared.has_status_subresource })
    }

    /// Whether a field is not as Git says, by a path as exemptions write it.
    pub(crate) fn differs(&self, field: &str) -> bool {
        let path = exemption::parse_fields(field);
        if self.has_status_subresource && path.first().is_some_and(|first| first == "status") {
            return false;
        }
        self.differs_below(Some(&self.expected), Some(self.live), &path)
    }

    /// A path that leads through a list means each element.
    fn differs_below(&self, expected: Option<&Value>, live: Option<&Value>, path: &[String]) -> bool {
        let Some((field, rest)) = path.split_first() else {
            return match (expected, live) {
                (Some(a), Some(b)) => !change::same_in(&self.expected, a, b),
                (Some(one), None) | (None, Some(one)) => !change::is_empty(one),
                (None, None) => false,
            };
        };
        if let Some(elements) = live.and_then(Value::as_array) {
            let wanted = expected.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            return elements.iter().any(|element| {
                let same = wanted.iter().find(|w| additions::same_element(w, element));
                self.differs_below(same, Some(element), path)
            });
        }
        self.differs_below(expected.and_then(|e| e.get(field)), live.and_then(|l| l.get(field)), rest)
    }
}

/// Takes over from the live object what exemptions and delegations give to others.
pub(super) fn leave_exempted(expected: &mut Value, declared: &Declared, live: &Value, context: &Context<'_>) {
    let key = &declared.manifest.key;
    let subject = Subject { key, declared: &declared.canonical, live, record: None };
    carry::exempted(expected, &subject, context);
}

/// How much longer a Pod that is being deleted may run without being a controller's.
const LONGEST_END: SignedDuration = SignedDuration::from_hours(1);

/// Whether a Pod that is being deleted goes on running for so long that it does not go: its own grace
/// period says when it is killed, and whoever made it chose that.
pub fn lingers(key: &ObjectKey, live: &Value, now: Timestamp) -> bool {
    let is_pod = (key.group.as_str(), key.kind.as_str()) == ("", "Pod");
    let end = live.pointer("/metadata/deletionTimestamp").and_then(Value::as_str).and_then(|t| t.parse().ok());
    is_pod && end.is_some_and(|end: Timestamp| end.duration_since(now) > LONGEST_END)
}

pub(super) fn undeclared(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Judged {
    let goes = object::is_terminating(live) && !lingers(key, live, context.now);
    if goes && derived::without_strange_finalizers(key, live).is_none() {
        return Judged::Explained(Origin::Removal);
    }
    match derived::recognise_live(key, live, context) {
        Ok(origin) => Judged::Explained(origin),
        Err(refusal) => {
            let exempted = exemption::of_whole(&context.snapshot.configuration, key, context.now);
            let exempted = exempted.or_else(|| given::of_live(key, live, context));
            match exempted.map(Ok).or_else(|| delegation::judge_live(key, live, context)) {
                Some(Ok(origin)) => Judged::Explained(origin),
                Some(Err(reason)) => Judged::Undeclared(reason),
                None => Judged::Undeclared(refusal.reason),
            }
        }
    }
}
