//! What users do, on a real control plane with the real binary.

// A story that fails says how far it came.
#![allow(clippy::print_stdout)]

mod adopt;
mod bad_input;
mod balancer;
mod break_glass;
mod comparison;
mod control_plane_files;
mod convergence;
mod demo;
mod denied_edits;
mod deploy;
mod edits;
mod elsewhere;
mod fence;
mod fleet;
mod leader;
mod modes;
mod operators;
mod picture;
mod processes;
mod push;
mod refused;
mod replicas;
mod restart;
mod reverted_edits;
mod running;
mod seen;
mod stories;
mod traces;
mod traps;
mod upgrade;
mod versions;
