//! No way round: attacks by class, played on a real control plane against the real binary.
//!
//! Each attack is played by a person with the role `gitward-people` behind the fence, by a cluster
//! administrator without a fence, against the reconciler alone, and with nobody to defend, when it has
//! to succeed. What became of it is read from the cluster.

#![allow(clippy::print_stdout, reason = "the table is what a reader of the test's output is after")]

mod attacker;
mod build;
mod case;
mod cases;
mod fixtures;
mod paths;
mod rounds;
mod sight;
mod stage;
mod table;

use libtest_mimic::{Arguments, Failed, Trial};

/// What went otherwise than it should, in words.
pub(crate) type Result<T> = std::result::Result<T, String>;

fn main() {
    let arguments = Arguments::from_args();
    let trial = Trial::test("no_attack_gets_round", || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(rounds::play()).map_err(Failed::from)
    });
    libtest_mimic::run(&arguments, vec![trial]).exit();
}
