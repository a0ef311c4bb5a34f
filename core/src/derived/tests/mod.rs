//! Tables of legitimate writes and their forgeries, one file an area.

mod cluster;
mod deletions;
mod metadata;
mod pods;
mod services;
mod storage;
mod workloads;
mod world;
