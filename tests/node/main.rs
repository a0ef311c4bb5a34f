//! `deploy/` on a real node, by kubelet, containerd and kube-proxy, where the API server reaches the
//! webhook's Pods through their Service. Needs root, for a sandbox that all of it runs in, and Debian's
//! packages; where either is not to be had the story counts as ignored.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "says why the story is not told, and how far it came")]

mod git;
mod images;
mod installed;
mod load;
mod node;
mod pods;
mod programs;
mod sandbox;
mod story;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

const STORY: &str = "no_request_is_lost_nor_let_in_while_pods_certificates_and_the_node_change";

fn main() -> ExitCode {
    if let Some(within) = sandbox::within() {
        sandbox::end_with_the_starter();
        story::tell(&within);
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let prepared = if arguments.list { Err("not looked for".to_owned()) } else { prepare() };
    let ignored = prepared.inspect_err(|why| eprintln!("no node: {why}")).is_err();
    let trial = Trial::test(STORY, || sandbox::run_within().map_err(Into::into)).with_ignored_flag(ignored);
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

/// Fetches and builds what the story needs: within the sandbox nothing is reached.
fn prepare() -> Result<(), String> {
    sandbox::is_possible()?;
    programs::Programs::provide().map(drop)
}
