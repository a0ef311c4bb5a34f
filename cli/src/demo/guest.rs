//! The demo in a cluster that others use too: it looks before it writes, asks, and takes everything
//! back.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use gitward_test_cluster::{Binaries, Cluster, Error, Output, Program, Progress, Sources, Stage, TestCluster};

use crate::fault::Fault;

use super::fleet::Fleet;
use super::gitward;
use super::narrator::Narrator;

/// Everything that the demo makes outside its namespaces, and these; in the order in which it is
/// taken back. What is within goes with it.
const OURS: [&str; 12] = [
    // First, so that nothing that follows is judged.
    "validatingwebhookconfiguration/gitward-demo",
    "namespace/gitward-demo-shop",
    "namespace/gitward-demo-data",
    "customresourcedefinition/coupons.shop.example.org",
    "customresourcedefinition/environments.gitward.dev",
    "customresourcedefinition/breakglasses.gitward.dev",
    "clusterrolebinding/gitward-demo-people",
    "clusterrolebinding/gitward-webhook",
    "clusterrolebinding/gitward-reconciler",
    "clusterrole/gitward-webhook",
    "clusterrole/gitward-reconciler",
    "namespace/gitward-system",
];

/// How long `kubectl` waits for an answer.
const ANSWERS_WITHIN: &str = "--request-timeout=20s";

/// How long the cluster may take to remove what is taken back.
const GONE_WITHIN: &str = "--timeout=180s";

/// The demo in a cluster of others.
pub(super) struct Guest {
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    cluster: Cluster,
}

impl Guest {
    /// Looks whether the demo can be in a cluster without being in anybody's way, and asks for
    /// leave. Writes nothing.
    pub(super) async fn arrive(kubeconfig: &Path, yes: bool, say: Narrator) -> anyhow::Result<Self> {
        // Before a program is looked for, perhaps built.
        cluster(kubeconfig, Path::new("kubectl"))?;
        let kubectl = kubectl(say).await?;
        let cluster = cluster(kubeconfig, &kubectl)?;
        let guest = Self { kubeconfig: kubeconfig.to_owned(), kubectl, cluster };
        let version = guest.reach().await?;
        guest.needs_rights().await?;
        guest.needs_room().await?;
        guest.ask(&version, yes, say).await?;
        Ok(guest)
    }

    /// The version of the API server.
    async fn reach(&self) -> anyhow::Result<String> {
        let answer = self.cluster.kubectl(&["get", "--raw", "/version", ANSWERS_WITHIN]).await?;
        if !answer.success() {
            let why = answer.stderr.lines().last().unwrap_or_default();
            let message = format!("the cluster of {} does not answer: {why}", self.kubeconfig.display());
            let hint = "check that its API server runs and that the kubeconfig's current context is right";
            return Err(Fault::new(message, hint).into());
        }
        let version: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
        Ok(version["gitVersion"].as_str().unwrap_or("of unknown version").to_owned())
    }

    async fn needs_rights(&self) -> anyhow::Result<()> {
        let answer = self.cluster.kubectl(&["auth", "can-i", "*", "*", "--all-namespaces", ANSWERS_WITHIN]).await?;
        if answer.stdout.trim() == "yes" {
            return Ok(());
        }
        let message = "this account may not do everything in the cluster, and the demo installs CRDs and cluster roles";
        Err(Fault::new(message, "use a kubeconfig with the rights of cluster-admin").into())
    }

    async fn needs_room(&self) -> anyhow::Result<()> {
        let there = self.there().await?;
        if there.is_empty() {
            return Ok(());
        }
        let message = format!("the cluster has what the demo would make: {}", there.join(", "));
        let hint = format!(
            "gitward may be installed here, and then the demo needs another cluster; if a demo that was killed left it, \
             remove it: kubectl delete {}",
            there.join(" ")
        );
        Err(Fault::new(message, hint).into())
    }

    /// Which of the objects that the demo makes are there.
    async fn there(&self) -> anyhow::Result<Vec<String>> {
        let options = ["--ignore-not-found", "--output=name", ANSWERS_WITHIN];
        let found = self.cluster.kubectl(&[&["get"], &OURS[..], &options[..]].concat()).await?.checked()?;
        Ok(found.split_whitespace().map(str::to_owned).collect())
    }

    async fn ask(&self, version: &str, yes: bool, say: Narrator) -> anyhow::Result<()> {
        let server = self.server().await?;
        say.act(&format!("The demo in the cluster {server} (Kubernetes {version})"));
        say.tell("It would make these, and remove them with all that is in them at the end:\n");
        OURS.iter().for_each(|ours| say.tell(&format!("  {ours}")));
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let message = "the demo asks before it writes to a cluster, and nobody is there to answer";
            return Err(Fault::new(message, "give --yes if this is the cluster that you mean").into());
        }
        say.tell("\nGo on? [y/N]");
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
        });
        match answer.await??.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Fault::new("nothing was done", "without --kubeconfig the demo makes a cluster of its own").into()),
        }
    }

    async fn server(&self) -> anyhow::Result<String> {
        let path = "jsonpath={.clusters[0].cluster.server}";
        Ok(self.cluster.kubectl(&["config", "view", "--output", path]).await?.checked()?)
    }

    /// Sets the stage in the cluster.
    pub(super) async fn stage(&self) -> anyhow::Result<Stage<TestCluster>> {
        let cluster = Cluster::from_kubeconfig(&self.kubeconfig, &self.kubectl)?;
        let cluster = TestCluster::External(Box::new(cluster));
        let stage = Stage::set_on(cluster, &gitward()?, Fleet::Guest.environment()).await?;
        stage.cluster.apply(Fleet::crd()).await?.checked()?;
        Ok(stage)
    }

    /// Takes everything back. The processes of the demo have ended by now.
    pub(super) async fn leave(&self, say: Narrator) -> anyhow::Result<()> {
        say.act("Taking everything back");
        let mut output = self.delete(&OURS[..1]).await?;
        if output.success() {
            output = self.delete(&OURS[1..]).await?;
            // What gitward told about objects without a namespace lives elsewhere.
            let told = ["events", "--namespace=default", "--field-selector=source=gitward"];
            self.cluster.kubectl(&[&["delete"], &told[..]].concat()).await?;
        }
        say.quote(&output.stdout);
        let there = self.there().await?;
        if output.success() && there.is_empty() {
            say.holds("nothing of the demo is left in the cluster");
            return Ok(());
        }
        let message = format!("the cluster still has {}: {}", there.join(", "), output.stderr.trim());
        Err(Fault::new(message, format!("remove it: kubectl delete {}", there.join(" "))).into())
    }

    async fn delete(&self, what: &[&str]) -> anyhow::Result<Output> {
        Ok(self.cluster.kubectl(&[&["delete", "--ignore-not-found", GONE_WITHIN], what].concat()).await?)
    }
}

fn cluster(kubeconfig: &Path, kubectl: &Path) -> anyhow::Result<Cluster> {
    Cluster::from_kubeconfig(kubeconfig, kubectl).map_err(|error| match error {
        Error::Kubeconfig { path, why } => Fault::new(
            format!("{} cannot be used as a kubeconfig: {why}", path.display()),
            "give the file that `kubectl --kubeconfig FILE get namespaces` works with",
        )
        .into(),
        other => anyhow::Error::from(other),
    })
}

/// `kubectl` alone of all the programs.
async fn kubectl(say: Narrator) -> anyhow::Result<PathBuf> {
    let provided = tokio::task::spawn_blocking(move || {
        let progress = Progress::to(move |line| say.progress(line));
        let binaries = Binaries::provide(&[Program::Kubectl], &Sources::from_env(), &progress)?;
        binaries.path(Program::Kubectl).map(Path::to_owned)
    });
    Ok(provided.await.context("looking for kubectl")??)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kind/name` of an object, unless it has a namespace.
    fn cluster_scoped(document: &str) -> Option<String> {
        let kind = document.lines().find_map(|line| line.strip_prefix("kind: "))?;
        let metadata = document.lines().skip_while(|line| *line != "metadata:").skip(1);
        let metadata: Vec<&str> = metadata.take_while(|line| line.starts_with(' ')).collect();
        let field = |name: &str| metadata.iter().find_map(|line| line.strip_prefix(name));
        let name = field("  name: ")?;
        field("  namespace: ").is_none().then(|| format!("{}/{name}", kind.to_lowercase()))
    }

    #[test]
    fn all_of_deploy_is_taken_back() {
        let documents = gitward_test_cluster::DEPLOY.into_iter().flat_map(|manifest| manifest.split("\n---\n"));
        let objects: Vec<String> = documents.filter_map(cluster_scoped).collect();
        assert!(objects.len() >= 6, "{objects:?}");
        for object in objects {
            assert!(OURS.contains(&object.as_str()), "{object}");
        }
    }

    #[test]
    fn the_registration_goes_before_anything_that_it_guards() {
        assert_eq!(OURS[0], format!("validatingwebhookconfiguration/gitward-{}", Fleet::Guest.environment()));
        for namespace in Fleet::Guest.namespaces() {
            assert!(OURS.contains(&format!("namespace/{namespace}").as_str()));
        }
    }
}
