//! `gitward policy`: working on policies.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use gitward_core::config;
use gitward_core::evaluate::TreeFile;
use gitward_core::policy::{self, Policies, PolicyFile, TestResult};
use gitward_repo::{Limits, Selection};

use crate::Outcome;
use crate::fault::Fault;
use crate::output::{self, Format, plural};

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
    let directories = match directory {
        Some(directory) => vec![directory.clone()],
        None => configured()?,
    };
    let mut files = Vec::new();
    for directory in &directories {
        files.extend(read(directory)?);
    }
    if files.is_empty() {
        let names: Vec<String> = directories.iter().map(|d| d.display().to_string()).collect();
        return Err(
            Fault::new(format!("no .rego files under {}", names.join(", ")), "name the policies' directory").into()
        );
    }
    match tested(&files) {
        Ok(results) => {
            output::print(&told(&results))?;
            Ok(Outcome::from(results.iter().all(TestResult::passed)))
        }
        Err(findings) => {
            let sources: Vec<TreeFile> =
                files.iter().map(|f| TreeFile { path: f.file.clone(), bytes: Arc::from(f.text.as_bytes()) }).collect();
            output::findings(Format::Text, &findings, &sources)?;
            Ok(Outcome::Findings)
        }
    }
}

/// Policies may build on the starter library; the starter policies' own sources must not meet
/// themselves there.
fn tested(files: &[PolicyFile]) -> Result<Vec<TestResult>, Vec<gitward_core::finding::Finding>> {
    Policies::test(files).or_else(|findings| {
        let with_starter: Vec<PolicyFile> = policy::starter().into_iter().chain(files.iter().cloned()).collect();
        Policies::test(&with_starter).map_err(|_| findings)
    })
}

fn configured() -> anyhow::Result<Vec<PathBuf>> {
    let usage = "name the policies' directory: `gitward policy test DIR`";
    let text = std::fs::read(config::FILE).map_err(|error| Fault::new(format!("{}: {error}", config::FILE), usage))?;
    let configuration = config::parse(&Arc::from(config::FILE), &text)
        .map_err(|_| Fault::new(format!("{} cannot be read", config::FILE), "see `gitward check`"))?;
    if configuration.policies.is_empty() {
        return Err(Fault::new(format!("{} names no policies", config::FILE), usage).into());
    }
    Ok(configuration.policies.iter().map(PathBuf::from).collect())
}

fn read(directory: &Path) -> anyhow::Result<Vec<PolicyFile>> {
    let tree = gitward_repo::read_directory(directory, &Selection::everything(), &Limits::default())?;
    let policies = tree.files.iter().filter(|f| f.path.ends_with(".rego"));
    Ok(policies
        .map(|f| PolicyFile {
            file: Arc::from(directory.join(&*f.path).to_string_lossy().as_ref()),
            text: String::from_utf8_lossy(&f.bytes).into_owned(),
        })
        .collect())
}

fn told(results: &[TestResult]) -> String {
    let mut text = String::new();
    for result in results {
        match &result.outcome {
            policy::Outcome::Passed => {
                let _ = writeln!(text, "passed  {}", result.name);
            }
            policy::Outcome::Failed => {
                let _ = writeln!(text, "FAILED  {} ({})", result.name, result.place);
            }
            policy::Outcome::Error(why) => {
                let _ = writeln!(text, "FAILED  {} ({}): {why}", result.name, result.place);
            }
        }
        if !result.passed() {
            for line in &result.printed {
                let _ = writeln!(text, "        {line}");
            }
        }
    }
    let failed = results.iter().filter(|r| !r.passed()).count();
    let _ = match failed {
        0 => writeln!(text, "{}, all passed", plural(results.len(), "test")),
        _ => writeln!(text, "{}, {failed} failed", plural(results.len(), "test")),
    };
    text
}
