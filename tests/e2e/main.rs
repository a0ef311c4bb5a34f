//! What users do, on a real control plane with the real binary.

mod convergence;
mod denied_edits;
mod edits;
mod fleet;
mod picture;
mod reverted_edits;
mod traps;
