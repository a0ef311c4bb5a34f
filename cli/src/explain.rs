//! `gitward explain`: what a rule demands, why, and how to keep to it.

use std::fmt::Write;

use gitward_core::report::{self, Explanation};

use crate::fault::Fault;
use crate::{Outcome, output};

/// Arguments of `gitward explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule's id, as findings show it, for example `schema/unknown-field`; all of them are
    /// listed if none is given.
    rule: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Some(rule) = &args.rule else {
        let lines = report::rules().into_iter().filter_map(|rule| report::explain(&rule));
        output::print(&lines.map(|e| format!("{:32} {}\n", e.rule, e.title)).collect::<String>())?;
        return Ok(Outcome::Clean);
    };
    let explanation = report::explain(rule).ok_or_else(|| unknown(rule))?;
    output::print(&page(&explanation))?;
    Ok(Outcome::Clean)
}

fn page(explanation: &Explanation) -> String {
    let mut text = format!("{}: {}\n\n{}\n", explanation.rule, explanation.title, explanation.why.trim());
    if !explanation.example.trim().is_empty() {
        let example: String = explanation.example.trim_end().lines().map(|l| format!("    {l}\n")).collect();
        let _ = write!(text, "\nExample:\n{example}");
    }
    let _ = write!(text, "\n{}\n", explanation.fix.trim());
    text
}

fn unknown(rule: &str) -> Fault {
    let area = rule.split('/').next().unwrap_or_default();
    let same: Vec<String> = report::rules().into_iter().filter(|r| r.split('/').next() == Some(area)).collect();
    let hint = match same.as_slice() {
        [] => "list all rules with `gitward explain`".to_owned(),
        _ => format!("these begin alike: {} (a policy of your repository is explained there)", same.join(", ")),
    };
    Fault::new(format!("gitward has no rule {rule:?}"), hint)
}
