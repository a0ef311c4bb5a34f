//! `gitward`: one binary for laptops, Git servers and clusters.
//!
//! A subcommand is one line here and one file beside this one. Exit codes: 0 all is well, 1
//! something was found, 2 the command could not do its work, or not all of it.

mod adopt;
mod check;
mod demo;
mod diff;
mod explain;
mod fault;
mod hook;
mod init;
mod look;
mod output;
mod policy;
mod reconcile;
mod schema;
mod start;
mod status;
mod table;
mod telemetry;
mod trace;
mod webhook;

use std::panic;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Policies and manifests are made of many small parts: a third of the time of judging a tree was the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nothing runs in the cluster that Git did not say.
#[derive(Debug, Parser)]
#[command(name = "gitward", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it all at work: a real control plane, a real Git host, and what is tried behind Git's back.
    Demo(demo::Args),
    /// Judge manifests as the push gate would.
    Check(check::Args),
    /// Write a first gitward.yaml from what the tree holds.
    Init(init::Args),
    /// Bring a namespace that already runs under Git: a branch that declares what is there.
    Adopt(adopt::Args),
    /// Say what a rule demands, why, and how to keep to it.
    Explain(explain::Args),
    /// Say of every field of a live object where it comes from: the line in Git, the rule, or nobody.
    Trace(trace::Args),
    /// Say what differs between what Git expects and what is live.
    Diff(diff::Args),
    /// Say how the environments of a cluster stand.
    Status(status::Args),
    /// Work on policies.
    Policy(policy::Args),
    /// Keep schemas of custom resources in the repository.
    Schema(schema::Args),
    /// Run or install the hooks of a Git server.
    Hook(hook::Args),
    /// Run the runtime gate.
    Reconcile(reconcile::Args),
    /// Run the admission gate.
    Webhook(webhook::Args),
}

/// How a command that did its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Clean,
    /// Something was found that denies, or that differs.
    Findings,
    /// Some of what was asked could not be told.
    Unknown,
}

impl From<bool> for Outcome {
    fn from(clean: bool) -> Self {
        if clean { Outcome::Clean } else { Outcome::Findings }
    }
}

fn main() -> ExitCode {
    quiet_where_caught();
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Adopt(args) => adopt::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Hook(args) => hook::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Webhook(args) => webhook::run(&args),
    };
    match done {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Unknown) => ExitCode::from(2),
        Err(error) => {
            fault::report(&error);
            ExitCode::from(2)
        }
    }
}

/// A parser's panic on somebody's file is told as a finding; its own text would stand before it.
fn quiet_where_caught() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !gitward_core::caught::is_caught() {
            loud(panic);
        }
    }));
}
