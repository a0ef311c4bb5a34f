//! `gitward diff`: what differs between what Git expects and what is live.

use std::path::PathBuf;

use gitward_core::report::harmless;
use gitward_sight::{Counts, Diff, Difference, Differing, FieldDifference, Target};

use crate::look::{self, held_against, value};
use crate::{Outcome, output};

/// Arguments of `gitward diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One object; without it everything that the environment governs.
    #[arg(value_name = "KIND/NAME")]
    object: Option<String>,
    /// The object's namespace; without it that of the kubeconfig's context.
    #[arg(long, short, requires = "object")]
    namespace: Option<String>,
    /// A clone of the environment's repository that has the commit in force.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    #[command(flatten)]
    look: look::LookArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let target = args.object.as_deref().map(|text| Target::parse(text, args.namespace.clone())).transpose()?;
    let diff = look::run(async {
        let sight = args.look.sight(&args.repo).await?;
        Ok(match &target {
            Some(target) => sight.diff_of(target).await?,
            None => sight.diff().await?,
        })
    })?;
    args.look.write(&diff, |diff| text(diff, output::color()))?;
    Ok(if !diff.is_complete() { Outcome::Unknown } else { Outcome::from(diff.is_empty()) })
}

fn text(diff: &Diff, color: bool) -> String {
    let mut text = format!("{}\n", held_against(&diff.in_force));
    for difference in &diff.differences {
        text.push_str(&format!("\n{}", told(difference, color)));
    }
    if !diff.unknown.is_empty() {
        text.push_str("\ncould not be told:\n");
    }
    for unknown in &diff.unknown {
        text.push_str(&format!("? {}: {}\n", harmless(&unknown.what), harmless(&unknown.why)));
    }
    text.push_str(&format!("\n{}\n", counted(&diff.counts)));
    text
}

fn told(difference: &Difference, color: bool) -> String {
    let object = &difference.object;
    let (sign, shade, head, fields) = match &difference.how {
        Differing::Missing { place } => ('-', 31, format!("{object} is missing; Git declares it at {place}"), &[][..]),
        Differing::Undeclared { reason } => ('+', 32, format!("{object} is nobody's: {reason}"), &[][..]),
        Differing::Diverged { fields } => ('~', 33, format!("{object} is not as expected"), &fields[..]),
    };
    let head = format!("{sign} {}", harmless(&head));
    let head = if color { format!("\u{1b}[1;{shade}m{head}\u{1b}[0m") } else { head };
    let left = difference.left.as_ref().map(|why| format!("  left alone: {}\n", harmless(why))).unwrap_or_default();
    format!("{head}\n{left}{}", fields.iter().map(field).collect::<String>())
}

fn field(field: &FieldDifference) -> String {
    let FieldDifference { path, expected, declared, live, place } = field;
    let whose = if *declared { "Git:     " } else { "expected:" };
    let shown = |v: &Option<gitward_sight::Shown>| v.as_ref().map_or_else(|| "(nothing)".to_owned(), value);
    let path = path.to_string();
    format!("  {}  {place}\n    {whose} {}\n    live:     {}\n", harmless(&path), shown(expected), shown(live))
}

/// `22 declared: 20 as Git says, 1 diverged, 1 missing; 2 undeclared; 31 of controllers`.
pub(crate) fn counted(counts: &Counts) -> String {
    let Counts { declared, converged, diverged, missing, undeclared, derived, unknown } = counts;
    let unknown = if *unknown == 0 { String::new() } else { format!("; {unknown} could not be told") };
    format!(
        "{}: {converged} as Git says, {diverged} diverged, {missing} missing; {undeclared} undeclared; \
         {derived} explained by rules{unknown}",
        output::plural(*declared, "declared object")
    )
}
