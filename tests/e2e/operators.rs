//! Real operators, run as processes against the control plane: what they make and set passes within the
//! ceilings that Git declares, and nothing else does.

mod cert_manager;
mod prometheus;
