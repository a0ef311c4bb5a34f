//! `gitward explain`: what a rule demands, why, and how to keep to it.

use crate::Outcome;

/// Arguments of `gitward explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule's id, as findings show it, for example `schema/unknown-field`.
    rule: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let _ = &args.rule;
    Ok(Outcome::Clean)
}
