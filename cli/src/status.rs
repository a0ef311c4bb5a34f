//! `gitward status`: how the environments of a cluster stand.

use std::path::{Path, PathBuf};

use gitward_core::report::harmless;
use gitward_sight::{EnvironmentState, Sight, States, states};

use crate::diff::counted;
use crate::table::table;
use crate::{Outcome, look};

/// Arguments of `gitward status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A clone of the repository that has the commits in force: the objects are then counted by how
    /// they stand, as `gitward diff` does.
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    look: look::LookArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let states = look::run(async {
        let client = args.look.client().await?;
        let mut states = states(&client, args.look.environment.as_deref()).await?;
        if let Some(clone) = &args.repo {
            for state in &mut states.environments {
                count(&client, state, clone).await;
            }
        }
        Ok(states)
    })?;
    args.look.write(&states, text)?;
    let is_counted = |e: &EnvironmentState| e.uncounted.is_none() && e.counts.is_none_or(|counts| counts.unknown == 0);
    let is_known = states.unread.is_none() && states.environments.iter().all(is_counted);
    Ok(if is_known {
        Outcome::from(states.environments.iter().all(EnvironmentState::is_well))
    } else {
        Outcome::Unknown
    })
}

/// Counts the objects of one environment; that it cannot be done is told beside the rest.
async fn count(client: &kube::Client, state: &mut EnvironmentState, clone: &Path) {
    let counted = async { Sight::open(client.clone(), Some(&state.name), clone).await?.diff().await };
    match counted.await {
        Ok(diff) => state.counts = Some(diff.counts),
        Err(error) => state.uncounted = Some(error.to_string()),
    }
}

fn text(states: &States) -> String {
    let mut text: String = states.environments.iter().map(environment).collect::<Vec<_>>().join("\n");
    match &states.unread {
        Some(why) => text.push_str(&format!("\nwhat was left alone could not be told: {}\n", harmless(why))),
        None if states.left_alone.is_empty() => {}
        None => text.push_str("\nleft alone (what Events still tell):\n"),
    }
    for left in &states.left_alone {
        let time = left.time.map(|t| format!("{} ", t.strftime("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
        text.push_str(&format!("  {time}{}\n", harmless(&left.message)));
    }
    text
}

fn environment(state: &EnvironmentState) -> String {
    let EnvironmentState { name, repository, git_ref, commit, objects, counts, uncounted, .. } = state;
    let well = if state.is_well() { "well" } else { "not well" };
    let mut text = format!("{name}: {well}\n  follows {} in {}\n", harmless(git_ref), harmless(repository));
    match commit {
        Some(commit) => text.push_str(&format!("  commit {}", harmless(commit))),
        None => text.push_str("  no commit is in force yet"),
    }
    text.push_str(&objects.map(|n| format!(", {n} objects declared\n")).unwrap_or_else(|| "\n".to_owned()));
    match (counts, uncounted) {
        (Some(counts), _) => text.push_str(&format!("  {}\n", counted(counts))),
        (None, Some(why)) => text.push_str(&format!("  how they stand could not be told: {}\n", harmless(why))),
        (None, None) => {}
    }
    let rows: Vec<Vec<String>> = state
        .conditions
        .iter()
        .map(|c| vec![format!("  {}", harmless(&c.type_)), c.status.clone(), harmless(&c.message).into_owned()])
        .collect();
    text + &table(&rows)
}
