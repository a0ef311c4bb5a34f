//! What the gate decided over all stories, as its metrics and its log tell it.

use std::collections::BTreeMap;
use std::fmt;

use super::theatre::Theatre;
use crate::edits::MALLORY;

/// Counts of the webhook, over all its lives, by metric and label.
pub(super) struct Figures {
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Denials, by account, with what was denied.
    denials: Vec<(String, String)>,
}

impl Figures {
    pub(super) async fn take(theatre: &Theatre) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let now = theatre.stage.webhook_metrics().await.unwrap();
        for line in theatre.kept.iter().chain([&now]).flat_map(|text| text.lines()) {
            let Some((metric, labels, count)) = read(line) else { continue };
            *counts.entry(metric.to_owned()).or_default().entry(labels).or_default() += count;
        }
        let log = std::fs::read_to_string(theatre.stage.webhook_log()).unwrap();
        let denials = log.lines().filter(|l| l.contains("decision=Denied") || is_reason(l));
        let denials = denials.map(|l| (account(l).to_owned(), l.to_owned())).collect();
        Self { counts, denials }
    }

    /// Denials that no story asked for, and reviews that got no verdict.
    pub(super) fn denied_to_others(&self) -> Vec<String> {
        let others = self.denials.iter().filter(|(account, _)| account != MALLORY);
        let mut found: Vec<String> = others.map(|(_, line)| format!("denied: {line}")).collect();
        let unanswered = ["Busy", "Late", "Malformed", "NothingKnown"];
        let decisions = self.counts.get("decisions").into_iter().flatten();
        found.extend(
            decisions.filter(|(d, _)| unanswered.contains(&d.as_str())).map(|(d, n)| format!("{n} reviews were {d}")),
        );
        found
    }

    fn sum(&self, metric: &str) -> u64 {
        self.counts.get(metric).map_or(0, |by| by.values().sum())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for metric in ["decisions", "origins", "rules", "second_looks"] {
            writeln!(f, "{metric}: {} in all", self.sum(metric))?;
            for (label, count) in self.counts.get(metric).into_iter().flatten() {
                writeln!(f, "{count:>8}  {label}")?;
            }
        }
        let (looks, all) = (self.sum("second_looks"), self.sum("decisions").max(1));
        writeln!(f, "looked at again: {:.2} % of all reviews", 100.0 * looks as f64 / all as f64)?;
        let denied = || self.denials.iter().filter(|(_, line)| !is_reason(line));
        let asked_for = denied().filter(|(account, _)| account == MALLORY).count();
        write!(f, "denied: {asked_for} that stories asked for, {} others", denied().count() - asked_for)
    }
}

/// Metric, values of the labels, and count of a line of the metrics' text.
fn read(line: &str) -> Option<(&str, String, u64)> {
    let line = line.strip_prefix("gitward_webhook_")?;
    let (metric, rest) = line.split_once("_total{")?;
    let (labels, count) = rest.split_once("} ")?;
    let values: Vec<&str> = labels.split('"').skip(1).step_by(2).collect();
    Some((metric, values.join(", "), count.parse().ok()?))
}

/// Whether a line of the log says why something was denied: only where the log is to say so much
/// (`RUST_LOG=info,gitward_webhook=debug`).
fn is_reason(line: &str) -> bool {
    line.contains("DEBUG gitward_webhook::serve: ")
}

/// The account of a line of the log.
fn account(line: &str) -> &str {
    line.split_once("account=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(account, _)| account)
}
