//! Before the first act: the repository is pushed, gitward starts, and the cluster is as Git says.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context;
use gitward_test_cluster::{Stage, TestCluster};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::UdpSocket;

use super::{Play, expect};
use crate::demo::fleet::Fleet;
use crate::demo::narrator::Narrator;
use crate::demo::{ALICE, PEOPLE};

/// What makes Alice cluster-admin.
const CLUSTER_ADMIN: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gitward-demo-people}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: gitward-demo-people}]
";

/// How long the API server may take to ask a webhook that it does not reach.
const TRIED_WITHIN: Duration = Duration::from_secs(30);

/// An address of nobody (TEST-NET-1, RFC 5737): the way there is the default route.
const NOBODY: &str = "192.0.2.1:9";

impl<'a> Play<'a> {
    /// Makes Alice, and everything ready to play.
    pub(in crate::demo) async fn new(
        stage: &'a mut Stage<TestCluster>,
        fleet: Fleet,
        say: Narrator,
    ) -> anyhow::Result<Self> {
        stage.cluster.apply(CLUSTER_ADMIN).await?.checked()?;
        let alice = stage.cluster.person_kubeconfig(ALICE, &[PEOPLE])?;
        let client = stage.cluster.client().await?;
        Ok(Self { stage, fleet, say, alice, client, gated: false })
    }

    pub(super) async fn opening(&mut self) -> anyhow::Result<()> {
        self.say.act("0. A shop in Git, and gitward between Git and the cluster");
        self.stage.install_hooks()?;
        let files = self.fleet.files();
        for (path, text) in &files {
            self.stage.work.write(path, text)?;
        }
        let namespaces = self.fleet.namespaces().join(" and ");
        self.say.tell(&format!("{} files declare all that may run in the namespaces {namespaces}.\n", files.len()));
        let (commit, output) = self.push("The whole shop")?;
        expect(output.success(), "the push is accepted", &output.stderr)?;
        self.say.tell("\nThe hooks let it in. Now the reconciler and the webhook are started.\n");
        self.stage.create_environment().await?;
        self.stage.start_reconciler().await?;
        if self.fleet == Fleet::Own {
            self.stage.start_webhook().await?;
            self.gated = true;
            return self.converged(&commit).await;
        }
        self.converged(&commit).await?;
        self.gated = self.gate_by_trying().await?;
        if !self.gated {
            self.say.tell("  The API server cannot reach this machine: the demo goes on without the webhook.");
        }
        Ok(())
    }

    /// Starts the webhook at each address of this machine by which the API server may reach it,
    /// until it does.
    async fn gate_by_trying(&mut self) -> anyhow::Result<bool> {
        for address in self.addresses().await {
            self.say.progress(&format!("trying whether the API server reaches the webhook at {address}"));
            self.stage.reach_webhook_at(address);
            if let Err(error) = self.stage.start_webhook().await {
                self.say.quote(&error.to_string());
            } else if self.is_asked().await? {
                self.say.holds(&format!("the API server asks the webhook at {address}"));
                return Ok(true);
            }
            self.stage.kill_webhook();
            let name = self.stage.webhook_configuration();
            let delete = ["delete", "--ignore-not-found", "validatingwebhookconfiguration", &name];
            self.stage.cluster.kubectl(&delete).await?.checked()?;
        }
        Ok(false)
    }

    /// Whether the API server gets an answer of the webhook.
    async fn is_asked(&self) -> anyhow::Result<bool> {
        let asked = self.stage.wait_for("an answer of the webhook", TRIED_WITHIN, async || {
            let said = self.stage.cluster.kubectl_as(&self.alice, &self.probe(), "").await?.stderr;
            if said.contains("failed calling webhook") {
                self.say.quote(&said);
                return Ok(Some(false));
            }
            Ok(said.contains("denied the request").then_some(true))
        });
        Ok(asked.await?)
    }

    /// Addresses of this machine, the likeliest first.
    async fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        let server = self.api_server().await.unwrap_or_default();
        for peer in [server.as_str(), NOBODY] {
            if let Ok(address) = towards(peer).await
                && !addresses.contains(&address)
            {
                addresses.push(address);
            }
        }
        addresses
    }

    /// Host and port of the API server.
    async fn api_server(&self) -> anyhow::Result<String> {
        let file = Kubeconfig::read_from(self.stage.cluster.admin_kubeconfig())?;
        let url = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?.cluster_url;
        let host = url.host().context("the API server has no host")?;
        Ok(format!("{host}:{}", url.port_u16().unwrap_or(443)))
    }
}

/// The address of this machine on the way to a peer. Nothing is sent.
async fn towards(peer: &str) -> anyhow::Result<IpAddr> {
    let peer = tokio::net::lookup_host(peer).await?.next().context("it has no address")?;
    let socket = UdpSocket::bind(if peer.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }).await?;
    socket.connect(peer).await?;
    Ok(socket.local_addr()?.ip())
}
