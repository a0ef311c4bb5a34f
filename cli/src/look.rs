//! What `trace`, `diff` and `status` have in common: which cluster, which environment, which clone,
//! and how it is written.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use gitward_core::report::harmless;
use gitward_sight::{InForce, Shown, Sight};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::{output, start};

/// Which cluster and environment, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct LookArgs {
    /// Name of the Environment; it need not be named where the cluster has only one.
    #[arg(long, env = "GITWARD_ENVIRONMENT", value_parser = start::environment)]
    pub(crate) environment: Option<String>,
    /// Kubeconfig file; without it what kubectl would use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How it is written.
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// How what is seen is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

impl LookArgs {
    /// A client with the rights of whoever looks.
    pub(crate) async fn client(&self) -> anyhow::Result<kube::Client> {
        start::client(self.kubeconfig.as_deref()).await
    }

    /// The environment as it is held against a clone.
    pub(crate) async fn sight(&self, clone: &std::path::Path) -> anyhow::Result<Sight> {
        Ok(Sight::open(self.client().await?, self.environment.as_deref(), clone).await?)
    }

    /// Writes what was seen.
    pub(crate) fn write<T: Serialize>(&self, seen: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        match self.output {
            Format::Text => output::print(&text(seen)),
            Format::Json => output::print(&format!("{}\n", serde_json::to_string_pretty(seen)?)),
        }
    }
}

/// Runs a look to its end. What is only read needs one thread; what the libraries have to say is left
/// out unless RUST_LOG asks for it.
pub(crate) fn run<T>(look: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let quiet = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    // An error means that one is installed already.
    let _ = tracing_subscriber::fmt().with_env_filter(quiet).with_writer(std::io::stderr).try_init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(look)
}

/// `environment prod at commit d57baabb89b0 by Ada <ada@example.org>`, and what has to be borne in
/// mind.
pub(crate) fn held_against(in_force: &InForce) -> String {
    let InForce { environment, commit, notes } = in_force;
    let head = format!("environment {environment} at commit {} by {}", commit.short(), harmless(&commit.author));
    let notes = notes.iter().map(|note| format!("\nnote: {}", harmless(note)));
    std::iter::once(head).chain(notes).collect()
}

/// Longest value that a line shows, in characters.
const SHOWN: usize = 80;

/// A value in a line, cut short and harmless.
pub(crate) fn value(shown: &Shown) -> String {
    let text = shown.to_string();
    let text = harmless(&text);
    if text.chars().count() <= SHOWN {
        return text.into_owned();
    }
    format!("{}…", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_one_harmless_line() {
        assert_eq!(value(&Shown::Value(json!("a\nb\u{9b}31m"))), "\"a\\nb\\u{9b}31m\"");
        assert_eq!(value(&Shown::Value(json!("x".repeat(200)))).chars().count(), SHOWN + 1);
        assert_eq!(value(&Shown::Hidden), "(value hidden)");
    }
}
