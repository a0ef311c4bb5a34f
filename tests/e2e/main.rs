//! What users do, on a real control plane with the real binary.

mod convergence;
mod fleet;
mod versions;
