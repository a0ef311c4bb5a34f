//! `gitward trace`: where every field of a live object comes from.

use std::path::PathBuf;

use gitward_core::report::harmless;
use gitward_sight::{Target, Told, Trace};

use crate::look::{self, held_against, value};
use crate::table::table;
use crate::{Outcome, output};

/// Arguments of `gitward trace`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The object, and the part of it to trace: deploy/web, deployments.apps/web.spec.replicas.
    #[arg(value_name = "KIND/NAME[.FIELD.PATH]")]
    object: String,
    /// The object's namespace; without it that of the kubeconfig's context.
    #[arg(long, short)]
    namespace: Option<String>,
    /// A clone of the environment's repository that has the commit in force.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    #[command(flatten)]
    look: look::LookArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let target = Target::parse(&args.object, args.namespace.clone())?;
    let trace = look::run(async { Ok(args.look.sight(&args.repo).await?.trace(&target).await?) })?;
    args.look.write(&trace, |trace| text(trace, output::color()))?;
    Ok(if !trace.is_complete() { Outcome::Unknown } else { Outcome::from(!trace.has_divergence()) })
}

fn text(trace: &Trace, color: bool) -> String {
    let mut text = format!("{}, {}\n", trace.object, held_against(&trace.in_force));
    for why in &trace.unread {
        text.push_str(&format!("note: not everything that the rules ask could be read: {}\n", harmless(why)));
    }
    let head = ["FIELD", "VALUE", "ORIGIN", "LINE LAST CHANGED"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(trace.fields.iter().map(row)).collect();
    text.push('\n');
    let lines = table(&rows);
    for (n, row) in lines.lines().enumerate() {
        // The first line is the head.
        let is_nobodys = n.checked_sub(1).and_then(|n| trace.fields.get(n)).is_some_and(|f| f.origin == "Nobody");
        if color && is_nobodys {
            text.push_str(&format!("\u{1b}[1;31m{row}\u{1b}[0m\n"));
        } else {
            text.push_str(&format!("{row}\n"));
        }
    }
    text.push_str(&format!("\n{}\n", counted(&trace.fields)));
    text
}

fn row(field: &Told) -> Vec<String> {
    let path = field.path.to_string();
    let path = if path.is_empty() { "(the whole object)".to_owned() } else { harmless(&path).into_owned() };
    let shown = match (&field.value, field.path.0.is_empty()) {
        (Some(shown), _) => value(shown),
        (None, true) => String::new(),
        (None, false) => "(missing)".to_owned(),
    };
    let by = field.by.as_ref().map(|by| {
        let commit = by.commit.get(..12).unwrap_or(&by.commit);
        format!("{commit} {} {}", by.time.strftime("%Y-%m-%d"), harmless(&by.author))
    });
    vec![path, shown, harmless(&origin(field)).into_owned(), by.unwrap_or_default()]
}

/// The origin in a few words, with its place.
fn origin(field: &Told) -> String {
    let rule = field.rule.as_deref().unwrap_or_default();
    let at = field.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
    match field.origin {
        "Carried" => format!("Carried from the live object by {rule}"),
        "Defaulted" => "Defaulted by the API server".to_owned(),
        "Derived" => {
            let from = field.from.as_ref().map(|key| format!(" from {}/{}", key.kind, key.name)).unwrap_or_default();
            format!("Derived by {rule}{from}{at}")
        }
        "Kept" => match &field.reason {
            Some(reason) => format!("Kept: {reason}"),
            None => "Kept, never compared".to_owned(),
        },
        "Removal" => "Removal: it is being deleted".to_owned(),
        "Nobody" => {
            let expected = match &field.expected {
                Some(expected) => format!("expected {}", value(expected)),
                None => field.reason.clone().unwrap_or_else(|| "Git does not declare it".to_owned()),
            };
            format!("NOBODY: {expected}{at}")
        }
        "Unknown" => "unknown: it could not be told".to_owned(),
        name if rule.is_empty() => format!("{name}{at}"),
        name => format!("{name} by {rule}{at}"),
    }
}

/// `3 fields: 2 Declared, 1 Nobody`.
fn counted(fields: &[Told]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for field in fields {
        match counts.iter_mut().find(|(name, _)| *name == field.origin) {
            Some((_, count)) => *count += 1,
            None => counts.push((field.origin, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{}: {}", output::plural(fields.len(), "field"), parts.join(", "))
}
