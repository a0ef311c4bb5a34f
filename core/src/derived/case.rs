//! One write, or one live object, as the rules see it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::accounts::Account;
use super::{Context, Judged, Proof, Refusal};
use crate::change::{self, Change};
use crate::delegation;
use crate::exemption;
use crate::object::{self, ObjectKey};
use crate::request::{Operation, User};

/// What happens to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Create,
    Update,
    Delete,
    Connect,
    /// Nothing: it is there, and the question is whether it may be.
    Live,
}

impl From<Operation> for Act {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self::Create,
            Operation::Update => Self::Update,
            Operation::Delete => Self::Delete,
            Operation::Connect => Self::Connect,
        }
    }
}

/// One write, or one live object.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    /// Plural resource name; empty for live objects, which are told apart by their kind.
    pub(super) resource: &'a str,
    pub(super) subresource: &'a str,
    pub(super) act: Act,
    pub(super) object: Option<&'a Value>,
    pub(super) old: Option<&'a Value>,
    /// Who writes; nobody for live objects.
    pub(super) user: Option<&'a User>,
    pub(super) context: &'a Context<'a>,
    /// How many owners up the chain this is.
    pub(super) depth: u8,
}

impl<'a> Case<'a> {
    /// The question whether a live object may be there.
    pub(super) fn live(key: &'a ObjectKey, object: &'a Value, context: &'a Context<'a>, depth: u8) -> Self {
        Self {
            group: &key.group,
            kind: &key.kind,
            namespace: &key.namespace,
            name: &key.name,
            resource: "",
            subresource: "",
            act: Act::Live,
            object: Some(object),
            old: None,
            user: None,
            context,
            depth,
        }
    }

    /// The same object, asked about as if it were there already.
    pub(super) fn as_live(&self, object: &'a Value) -> Self {
        Self { act: Act::Live, object: Some(object), old: None, ..*self }
    }

    pub(super) fn is(&self, act: Act) -> bool {
        self.act == act
    }

    pub(super) fn key(&self) -> ObjectKey {
        ObjectKey::new(self.group, self.kind, self.namespace, self.name)
    }

    /// The object as it would be stored.
    pub(super) fn object(&self) -> Result<&'a Value, Refusal> {
        self.object.ok_or_else(|| Refusal::new("the request holds no object"))
    }

    /// The object as it is stored.
    pub(super) fn old(&self) -> Result<&'a Value, Refusal> {
        self.old.ok_or_else(|| Refusal::new("the request holds no old object"))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context.now
    }

    pub(super) fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.context.live.get(&ObjectKey::new(group, kind, namespace, name))
    }

    /// What was seen last of an object that went a short while ago.
    pub(super) fn gone(&self, group: &str, kind: &str, name: &str) -> Option<Arc<Value>> {
        let key = ObjectKey::new(group, kind, self.namespace, name);
        self.context.live.gone(&key)
    }

    pub(super) fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        self.context.live.list(group, kind, namespace)
    }

    pub(super) fn is_declared(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.context.snapshot.is_declared(&ObjectKey::new(group, kind, namespace, name))
    }

    /// Whether an exemption in Git lets others make the object, and all of it.
    pub(super) fn is_exempted(&self, key: &ObjectKey) -> bool {
        exemption::of_whole(&self.context.snapshot.configuration, key, self.context.now).is_some()
    }

    /// Whether a live object of the namespace is one that Git declares, that it declared and is about
    /// to go, or that it lets others make; operators, within their ceilings, too.
    pub(super) fn is_of_git(&self, group: &str, kind: &str, live: &Value) -> bool {
        let key = ObjectKey::new(group, kind, self.namespace, object::name(live));
        let snapshot = self.context.snapshot;
        snapshot.is_declared(&key)
            || snapshot.is_leaving(&key, live)
            || self.is_exempted(&key)
            || delegation::of_live(&key, live, self.context, self.depth).is_some()
    }

    /// Whether one of the accounts writes. A live object's writer is unknown: nobody.
    pub(super) fn written_by(&self, accounts: &[Account]) -> bool {
        let nodes = &self.context.snapshot.configuration.node_accounts;
        self.user.is_some_and(|user| accounts.iter().any(|a| a.is(user, nodes)))
    }

    /// Demands that one of the accounts writes; of a live object that is taken as given.
    pub(super) fn by(&self, accounts: &[Account]) -> Judged {
        ensure!(self.user.is_none() || self.written_by(accounts), "{}", not_among(self.user, accounts));
        Ok(Proof::Identity)
    }

    /// The node that writes, if it is one whose account names it. Simulated nodes share an account.
    pub(super) fn writing_node(&self) -> Option<&'a str> {
        self.user.and_then(|u| u.name.strip_prefix(super::accounts::NODE_PREFIX))
    }

    /// What an update changes, but for what the API server alone keeps.
    pub(super) fn changes(&self, status_too: bool) -> Result<Vec<Change>, Refusal> {
        let (old, new) = (self.old()?, self.object()?);
        if unchanged(old, new, status_too) {
            return Ok(Vec::new());
        }
        Ok(change::changes(&change::normalised(old, !status_too), &change::normalised(new, !status_too)))
    }
}

fn not_among(user: Option<&User>, accounts: &[Account]) -> String {
    let wanted: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let name = user.map_or("", |u| u.name.as_str());
    if accounts.iter().any(|a| a.has_name(name)) {
        return format!("{name} did not come with the uid and credential of a genuine token");
    }
    format!("{name} is not the account that writes this ({})", wanted.join(", "))
}

/// A cheap answer for the many updates that change the status alone, without copying the objects.
fn unchanged(old: &Value, new: &Value, status_too: bool) -> bool {
    let (Some(a), Some(b)) = (old.as_object(), new.as_object()) else { return false };
    let fields = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
    fields.filter(|k| status_too || *k != "status").all(|k| {
        let (x, y) = (a.get(k).unwrap_or(&Value::Null), b.get(k).unwrap_or(&Value::Null));
        if k == "metadata" { unchanged_metadata(x, y) } else { change::same(x, y) }
    })
}

fn unchanged_metadata(old: &Value, new: &Value) -> bool {
    ["name", "namespace", "generateName", "labels", "annotations", "finalizers", "ownerReferences"]
        .iter()
        .all(|k| change::same(old.get(k).unwrap_or(&Value::Null), new.get(k).unwrap_or(&Value::Null)))
}

/// Whether two objects are one and the same by uid; objects without a uid are not.
pub(super) fn has_uid(object: &Value, uid: &str) -> bool {
    !uid.is_empty() && object::uid(object) == uid
}
