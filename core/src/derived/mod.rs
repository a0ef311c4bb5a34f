//! Derived objects: what Kubernetes' own controllers write, and by which content it is recognised.
//!
//! `docs/derived.md` is the same table for readers. [`table`] holds it in code: who writes what,
//! by which rule, and whether content decides or an account has to be believed as well.

use jiff::Timestamp;
use serde_json::Value;

use crate::change::Change;
use crate::lookup::Lookup;
use crate::object::{self, ObjectKey};
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::verdict::Origin;

/// Returns a [`Refusal`] unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err($crate::derived::Refusal::new(format!($($reason)+)));
        }
    };
}

mod accounts;
mod adoption;
mod ancestor;
mod api_service;
mod binding;
mod bootstrap;
mod case;
mod certificate;
mod claim;
mod cluster_role;
pub(crate) mod compare;
mod container;
mod controller_revision;
mod daemon_set;
mod deletion;
mod endpoint_slice;
mod endpoints;
mod eviction;
mod expected_pod;
mod fields;
mod finalizers;
mod job;
mod metadata;
mod namespace;
mod node;
mod owner;
mod pod;
mod pod_admission;
mod pod_resources;
mod replica_set;
mod resource_claim;
mod root_ca;
mod scale;
mod selector;
mod service;
mod service_account;
mod stateful_set;
mod status;
mod table;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod token;
pub mod unasked;
mod volume;

pub(crate) use adoption::counted_by;
pub use adoption::is_adoptable;
pub(crate) use ancestor::template_of;
pub use ancestor::{ancestor, follows_template, remembered_by_git_alone, template_in};

use case::{Act, Case};
pub(crate) use cluster_role::counts as aggregated;

/// What the rules know besides the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What Git declares.
    pub snapshot: &'a Snapshot,
    /// What the cluster holds.
    pub live: &'a dyn Lookup,
    /// Now.
    pub now: Timestamp,
}

/// Why no rule recognises a write: one sentence, without a Secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What does not hold.
    pub reason: String,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// What a recognised write rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Its content follows from what Git declares, whoever wrote it.
    Content,
    /// The writer's account had to be believed as well.
    Identity,
}

impl Proof {
    /// Both must hold: identity is needed as soon as one of them needs it.
    fn and(self, other: Self) -> Self {
        if self == Self::Content { other } else { self }
    }
}

type Judged = Result<Proof, Refusal>;

/// Judges a whole request about an object that Git does not declare, or about a subresource or the
/// deletion of any object, by the table.
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise(request: &Request<'_>, context: &Context<'_>) -> Result<Origin, Refusal> {
    let name = match (request.key.name.as_str(), request.object.or(request.old_object)) {
        // Collections are deleted, and generated names asked for, without one in the request.
        ("", Some(object)) => object::name(object),
        (name, _) => name,
    };
    let case = Case {
        group: &request.key.group,
        kind: &request.key.kind,
        namespace: &request.key.namespace,
        name,
        resource: request.resource,
        subresource: request.subresource,
        act: Act::from(request.operation),
        object: request.object,
        old: request.old_object,
        user: Some(&request.user),
        context,
        depth: 0,
    };
    table::judge(&case)
}

/// Judges one change of a declared object that its expected object does not explain: did a
/// controller make it?
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise_change(request: &Request<'_>, change: &Change, context: &Context<'_>) -> Result<Origin, Refusal> {
    let case = Case {
        group: &request.key.group,
        kind: &request.key.kind,
        namespace: &request.key.namespace,
        name: &request.key.name,
        resource: request.resource,
        subresource: request.subresource,
        act: Act::from(request.operation),
        object: request.object,
        old: request.old_object,
        user: Some(&request.user),
        context,
        depth: 0,
    };
    fields::judge(&case, change).map(|(rule, proof)| origin(rule, proof))
}

/// Judges a live object that Git does not declare: is it what a controller would have made?
///
/// Who wrote it cannot be seen any more; what rests on identity alone is taken as given.
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise_live(key: &ObjectKey, object: &Value, context: &Context<'_>) -> Result<Origin, Refusal> {
    let found = table::judge(&Case::live(key, object, context, 0))?;
    match finalizers::strange(key, object) {
        // A Pod is compared with its template, which may have some.
        Some(_) if (key.group.as_str(), key.kind.as_str()) == ("", "Pod") => Ok(found),
        Some(finalizer) => Err(Refusal::new(format!("no controller puts the finalizer {finalizer} on a {}", key.kind))),
        None => Ok(found),
    }
}

/// Whether a live object that others belong to has an origin itself: declared, exempted as a whole,
/// delegated, or derived. `depth` is how many owners away it is from the object that was asked about.
pub(crate) fn is_traced(key: &ObjectKey, live: &Value, context: &Context<'_>, depth: u8) -> bool {
    depth <= owner::MAX_DEPTH && owner::traced(&Case::live(key, live, context, depth), key, live).is_ok()
}

/// An object that Git does not declare without the finalizers that no controller sets, which would
/// keep it for good; `None` if it has none.
pub fn without_strange_finalizers(key: &ObjectKey, object: &Value) -> Option<Value> {
    finalizers::without_strange(key, object)
}

fn origin(rule: &'static str, proof: Proof) -> Origin {
    Origin::Derived { rule, by_identity: proof == Proof::Identity }
}
