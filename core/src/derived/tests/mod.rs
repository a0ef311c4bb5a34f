//! Tables of legitimate writes and their forgeries, one file an area.

mod adoption;
mod cluster;
mod deletions;
mod metadata;
mod nonsense;
mod owned_pods;
pub(crate) mod pods;
mod services;
mod storage;
mod unasked;
mod workloads;
pub(crate) mod world;
