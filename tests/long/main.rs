//! Two stories that take many minutes each, told at the same time, each with a control plane of its own: what they
//! mostly do is wait for its controllers.
//!
//! What they read is no part of this repository: without it they count as ignored, and
//! `GITWARD_TEST_DATA` names the directory where it is.

#![allow(clippy::print_stdout, reason = "the figures are what a reader of the test's output is after")]

mod kinds;
mod kube_prometheus;

use libtest_mimic::Arguments;

fn main() {
    let trials = vec![kube_prometheus::trial(), kinds::trial()];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
