//! What the webhook tells the reconciler of the bounds of delegations.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Where the webhook tells it.
pub const PATH: &str = "/bounds";

/// What was seen of a delegation's bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Of the bounds: [`gitward_core::delegation::bounds::digest`].
    pub digest: String,
    /// By position among the bounds, [fingerprints](gitward_core::delegation::bounds::fingerprint) of the values: whoever reaches the
    /// webhook need not learn the names of what is in the cluster.
    pub seen: BTreeMap<usize, BTreeSet<String>>,
}
