//! `gitward hook`: what a Git server runs, and how it comes to run it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use gitward_git_hooks::{Hook, Installed, Options, install, uninstall};
use gitward_repo::Repository;

use crate::{Outcome, output};

/// Arguments of `gitward hook`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a whole push; reads `old new ref` lines.
    PreReceive(Deadline),
    /// Judge the update of one ref.
    Update {
        /// The ref.
        git_ref: String,
        /// What it points to.
        old: String,
        /// What it shall point to.
        new: String,
        #[command(flatten)]
        deadline: Deadline,
    },
    /// Confirm a push; reads `old new ref` lines.
    PostReceive(Deadline),
    /// Put hooks into a repository, beside those that are there.
    Install(Place),
    /// Take gitward's hooks away and put back what was there.
    Uninstall(Place),
}

#[derive(Debug, clap::Args)]
struct Deadline {
    /// Seconds for a verdict; after that the push is rejected. 30, or 4 on a GitHub Enterprise Server,
    /// where all hooks share 5.
    #[arg(long, env = "GITWARD_HOOK_TIMEOUT", value_parser = seconds)]
    timeout: Option<f32>,
    /// MiB of memory for a verdict; with more the push is rejected.
    #[arg(long, env = "GITWARD_HOOK_MEMORY", value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(64..=1 << 20))]
    memory: u64,
    /// Columns to write.
    #[arg(long, env = "GITWARD_HOOK_WIDTH", default_value_t = 78)]
    width: usize,
    /// Findings to write; the summary counts the others.
    #[arg(long, env = "GITWARD_HOOK_FINDINGS", default_value_t = 30)]
    findings: usize,
}

fn seconds(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(seconds) if seconds.is_finite() && (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds, more than 0 and at most 86400".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The repository.
    #[arg(long, value_name = "PATH", default_value = ".")]
    repo: PathBuf,
    /// A directory of hooks, where the host keeps them elsewhere than the repository: gitolite's
    /// `~/.gitolite/hooks/common`, GitLab's `custom_hooks`.
    #[arg(long, value_name = "PATH", conflicts_with = "repo")]
    directory: Option<PathBuf>,
    /// Which hooks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::PreReceive, Kind::PostReceive])]
    hooks: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    PreReceive,
    Update,
    PostReceive,
}

impl From<Kind> for Hook {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::PreReceive => Hook::PreReceive,
            Kind::Update => Hook::Update,
            Kind::PostReceive => Hook::PostReceive,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    match &args.command {
        Command::PreReceive(deadline) => Ok(judge(Hook::PreReceive, &[], deadline)),
        Command::PostReceive(deadline) => Ok(judge(Hook::PostReceive, &[], deadline)),
        Command::Update { git_ref, old, new, deadline } => {
            Ok(judge(Hook::Update, &[git_ref.clone(), old.clone(), new.clone()], deadline))
        }
        Command::Install(place) => {
            let program = std::env::current_exe().context("cannot tell where this program is")?;
            for_each(place, &place.hooks, |hooks, hook| install(hooks, hook, &program))
        }
        // All of them: whoever takes gitward away does not want a part of it to stay.
        Command::Uninstall(place) => for_each(place, &[Kind::PreReceive, Kind::Update, Kind::PostReceive], uninstall),
    }
}

fn judge(hook: Hook, arguments: &[String], deadline: &Deadline) -> Outcome {
    let options = Options {
        timeout: deadline.timeout.map(Duration::from_secs_f32),
        memory: deadline.memory << 20,
        width: deadline.width,
        findings: deadline.findings,
        ..Options::default()
    };
    // Git shows a hook's standard error to the pusher on every transport.
    Outcome::from(gitward_git_hooks::run(hook, arguments, &mut io::stdin(), &mut io::stderr(), &options))
}

fn for_each(
    place: &Place,
    kinds: &[Kind],
    act: impl Fn(&Path, Hook) -> gitward_git_hooks::Result<Installed>,
) -> anyhow::Result<Outcome> {
    let hooks = match &place.directory {
        Some(directory) => directory.clone(),
        None => Repository::discover(&place.repo)?.hooks_dir()?,
    };
    for kind in kinds {
        let hook = Hook::from(*kind);
        let done = match act(&hooks, hook)? {
            Installed::Fresh => "installed",
            Installed::Chained => "installed, after the hook that was there",
            Installed::Delegated => "installed in the directory that the host's own hook runs",
            Installed::Renewed => "installed already, renewed",
            Installed::Removed => "removed",
            Installed::Untouched => continue,
        };
        output::print(&format!("{}: {done} ({})\n", hook.name(), hooks.display()))?;
    }
    Ok(Outcome::Clean)
}
