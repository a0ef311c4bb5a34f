//! From a tree to manifests, with source positions.
//!
//! This version reads plain YAML and JSON only, which needs no rendering (`gitward_core::evaluate`
//! takes the files as they are). Directories for kustomize or Helm are refused there with the
//! finding `tree/not-rendered`; what renders them will live here.
