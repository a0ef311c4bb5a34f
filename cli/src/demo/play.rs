//! The play itself: five acts, each of which is checked against what the repository and the
//! cluster say afterwards.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gitward_test_cluster::{BRANCH, Output, Stage, TestCluster};
use kube::Client;
use serde_json::Value;

use super::edits::{Edit, edits};
use super::fleet::{BASKET, Fleet, WEB};
use super::narrator::Narrator;
use super::sight::Target;

mod behind_git;
mod opening;
mod through_git;

pub(super) use behind_git::line;

/// How long a commit may take until the cluster is as it says. Images are simulated or absent, so
/// nothing waits for a download.
const CONVERGES_WITHIN: Duration = Duration::from_secs(120);

/// Something did not do what the play says that it does.
#[derive(Debug)]
pub(super) struct Missed {
    expected: String,
    seen: String,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected: {}\n    seen: {}", self.expected, self.seen.trim_end().replace('\n', "\n    "))
    }
}

impl std::error::Error for Missed {}

/// An error unless something holds.
fn expect(holds: bool, expected: impl Into<String>, seen: impl Into<String>) -> anyhow::Result<()> {
    if holds { Ok(()) } else { Err(Missed { expected: expected.into(), seen: seen.into() }.into()) }
}

/// The stage and who is on it.
pub(super) struct Play<'a> {
    pub(super) stage: &'a mut Stage<TestCluster>,
    pub(super) fleet: Fleet,
    pub(super) say: Narrator,
    /// Kubeconfig of somebody with all rights, whose edits are judged as everybody's are.
    pub(super) alice: PathBuf,
    /// The administrator's client, to see what is so.
    pub(super) client: Client,
    /// Whether the API server reaches the webhook.
    pub(super) gated: bool,
}

impl Play<'_> {
    /// Plays all acts.
    pub(super) async fn all(&mut self) -> anyhow::Result<()> {
        self.opening().await?;
        self.wrong_push().await?;
        self.corrected_push().await?;
        if self.gated {
            self.denied_edits().await?;
        } else {
            self.say.act("3. Edits behind Git's back: left out");
            self.say.tell("The API server cannot reach this machine, so there is no admission gate to deny them.");
        }
        self.reverted_edits().await?;
        self.changes_and_removals().await
    }

    fn edits(&self) -> anyhow::Result<Vec<Edit>> {
        Ok(edits(self.fleet, &self.stage.work.read(WEB)?))
    }

    /// Runs `kubectl` as Alice, and tells it.
    async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.say.command("kubectl", arguments);
        let output = self.stage.cluster.kubectl_as(&self.alice, arguments, "").await?;
        self.say.quote(&output.stdout);
        self.say.quote(&output.stderr);
        Ok(output)
    }

    /// Commits and pushes, and tells it.
    fn push(&self, message: &str) -> anyhow::Result<(String, Output)> {
        let (commit, output) = self.stage.push(message)?;
        self.say.command("git", &["commit", "-m", message]);
        self.say.command("git", &["push", "origin", "HEAD"]);
        self.say.quote(&output.stderr);
        Ok((commit, output))
    }

    /// Pushes what has to be accepted, and waits until the cluster is as it says.
    async fn push_and_converge(&self, message: &str) -> anyhow::Result<String> {
        let (commit, output) = self.push(message)?;
        expect(output.success(), "the push is accepted", &output.stderr)?;
        self.say.holds(&format!("accepted: {BRANCH} is at {}", short(&commit)));
        self.converged(&commit).await?;
        Ok(commit)
    }

    async fn converged(&self, commit: &str) -> anyhow::Result<()> {
        let report = self.stage.wait_converged(commit, CONVERGES_WITHIN).await?;
        self.say.holds(&format!("converged: {report}"));
        if self.fleet == Fleet::Own {
            let ready = self.stage.wait_for("everything to get ready", CONVERGES_WITHIN, async || {
                let environment = self.stage.environment().await?;
                let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let told = |c: &Value| c["message"].as_str().unwrap_or_default().to_owned();
                let ready = conditions.iter().find(|c| c["type"] == "Ready" && c["status"] == "True").map(told);
                Ok(ready.filter(|message| message.contains(short(commit))))
            });
            self.say.holds(&format!("ready: {}", ready.await?));
        }
        Ok(())
    }

    /// The commit that the host has for the branch.
    fn tip(&self) -> anyhow::Result<String> {
        let tip = self.stage.repository.git(&["rev-parse", &format!("refs/heads/{BRANCH}")])?.checked()?;
        Ok(tip.trim().to_owned())
    }

    fn in_shop(&self, api_version: &'static str, kind: &'static str, name: &str) -> Target {
        Target { api_version, kind, namespace: self.fleet.shop().to_owned(), name: name.to_owned() }
    }

    fn baskets(&self) -> [Target; 2] {
        [self.in_shop("apps/v1", "Deployment", "basket"), self.in_shop("v1", "Service", "basket")]
    }

    fn write_basket(&self, text: &str) -> anyhow::Result<()> {
        Ok(self.stage.work.write(BASKET, text)?)
    }
}

/// A commit's id as people read it.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
