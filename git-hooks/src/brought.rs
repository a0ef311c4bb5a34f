//! What a push brings: the findings that were not there before.

use gitward_core::baseline::Baseline;
use gitward_core::finding::Finding;

/// Splits findings into those that are new and the number of those that were there before.
pub fn brought(findings: Vec<Finding>, before: &[Finding]) -> (Vec<Finding>, usize) {
    Baseline::of(before).split(findings)
}
