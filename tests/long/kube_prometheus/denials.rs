//! What the webhook denied, from its log.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gitward_test_cluster::Stage;

/// Denials by account.
pub(crate) struct Denials {
    log: PathBuf,
    told: usize,
}

impl Denials {
    pub(crate) fn of(stage: &Stage) -> Self {
        Self { log: stage.webhook_log(), told: 0 }
    }

    fn lines(&self) -> Vec<(String, String)> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let denied = log.lines().filter(|l| l.contains("decision=Denied"));
        denied.map(|l| (account(l).to_owned(), l.to_owned())).collect()
    }

    /// Prints those that came since it last did.
    pub(crate) fn tell_new(&mut self) {
        let lines = self.lines();
        for (_, line) in &lines[self.told..] {
            println!("denied: {line}");
        }
        self.told = lines.len();
    }

    /// Fails if any other account than this one was ever denied anything.
    pub(crate) fn none_but(&self, attacker: &str) -> Result<(), String> {
        let others: Vec<String> = self.lines().into_iter().filter(|(a, _)| a != attacker).map(|(_, l)| l).collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(format!("{} requests were denied that should not have been:\n{}", others.len(), others.join("\n")))
    }

    /// How many by account.
    pub(crate) fn counts(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (account, _) in self.lines() {
            *counts.entry(account).or_default() += 1;
        }
        if counts.is_empty() { "none".to_owned() } else { format!("{counts:?}") }
    }
}

fn account(line: &str) -> &str {
    line.split_once("account=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(account, _)| account)
}
