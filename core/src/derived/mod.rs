//! Derived objects: what Kubernetes' own controllers write, and by which content it is recognised.

use jiff::Timestamp;
use serde_json::Value;

use crate::lookup::Lookup;
use crate::object::ObjectKey;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::verdict::Origin;

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

/// Judges a whole request about an object that Git does not declare, or about a subresource of any
/// object, by the table.
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise(_request: &Request<'_>, _context: &Context<'_>) -> Result<Origin, Refusal> {
    Err(Refusal { reason: "no rule".to_owned() })
}

/// Judges a live object that Git does not declare: is it what a controller would have made?
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise_live(_key: &ObjectKey, _object: &Value, _context: &Context<'_>) -> Result<Origin, Refusal> {
    Err(Refusal { reason: "no rule".to_owned() })
}

/// Judges one changed field of a declared object that is not as expected: is it a controller's?
///
/// # Errors
/// The reason why no row of the table recognises it.
pub fn recognise_change(
    _request: &Request<'_>,
    _change: &crate::change::Change,
    _context: &Context<'_>,
) -> Result<Origin, Refusal> {
    Err(Refusal { reason: "no rule".to_owned() })
}
