//! What is tried behind Git's back: denied by the admission gate, and reverted where it got in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use super::{Play, expect, short};
use crate::demo::edits::Edit;
use crate::demo::sight::{Sight, Target, content};

/// How long a revert may take before the play calls it missing.
const REVERTED_WITHIN: Duration = Duration::from_secs(30);

/// How long the API server may take to notice that a webhook configuration came or went.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// How long it is watched that nobody brings the webhook configuration back.
const STAYS_GONE: Duration = Duration::from_millis(1500);

/// How long an alert may take to become an Event.
const TOLD_WITHIN: Duration = Duration::from_secs(15);

impl Play<'_> {
    pub(super) async fn denied_edits(&mut self) -> anyhow::Result<()> {
        self.say.act("3. Edits behind Git's back are denied");
        self.say.tell("Alice is cluster-admin: RBAC allows her everything. The admission gate asks where it says so.");
        for (n, edit) in self.edits()?.iter().enumerate() {
            self.say.tell(&format!("\n3.{} {}", n + 1, edit.what));
            self.denied(edit).await?;
        }
        Ok(())
    }

    async fn denied(&self, edit: &Edit) -> anyhow::Result<()> {
        let before = edit.target.get(&self.client).await?;
        let output = self.kubectl(&edit.arguments()).await?;
        let refused = !output.success() && output.stderr.contains("denied the request");
        expect(refused, format!("the admission gate denies {}", edit.what), &output.stderr)?;
        let tip = self.tip()?;
        for named in edit.denial_names.iter().map(String::as_str).chain([short(&tip)]) {
            expect(output.stderr.contains(named), format!("the denial names {named}"), &output.stderr)?;
        }
        let after = edit.target.get(&self.client).await?;
        let state = |object: &Option<Value>| object.as_ref().map(|o| (o["metadata"]["uid"].clone(), content(o)));
        expect(state(&before) == state(&after), "the object is as it was", written(after.as_ref()))?;
        expect(!(edit.is_in)(after.as_ref()), "the edit is not in the cluster", written(after.as_ref()))?;
        self.say.holds(&match after {
            Some(_) => format!("denied: {} {} is as it was", edit.target.kind, edit.target.name),
            None => format!("denied: there is no {} {}", edit.target.kind, edit.target.name),
        });
        Ok(())
    }

    pub(super) async fn reverted_edits(&mut self) -> anyhow::Result<()> {
        if self.gated {
            self.say.act("4. Where the gate is gone, edits get in and are reverted");
            self.configuration_comes_back().await?;
            self.gate_goes().await?;
        } else {
            self.say.act("4. Edits behind Git's back get in and are reverted");
        }
        for (n, edit) in self.edits()?.iter().enumerate() {
            self.say.tell(&format!("\n4.{} {}", n + 1, edit.what));
            self.reverted(edit).await?;
        }
        if self.gated {
            self.gate_returns().await?;
        }
        Ok(())
    }

    fn registration(&self) -> Target {
        let name = self.stage.webhook_configuration();
        Target {
            api_version: "admissionregistration.k8s.io/v1",
            kind: "ValidatingWebhookConfiguration",
            namespace: String::new(),
            name,
        }
    }

    async fn delete_registration(&self) -> anyhow::Result<()> {
        let name = self.stage.webhook_configuration();
        let output = self.kubectl(&["delete", "validatingwebhookconfiguration", &name]).await?;
        expect(output.success(), "Alice may delete the webhook configuration", &output.stderr)
    }

    async fn configuration_comes_back(&self) -> anyhow::Result<()> {
        self.say.tell("No webhook is asked about webhook configurations, so Alice can take the gate away.\n");
        let mut sight = Sight::of(&self.registration(), &self.client).await?;
        self.delete_registration().await?;
        let gone = sight.next(NOTICED_WITHIN, |object| object.is_none()).await.context("the deletion was not seen")?;
        let back = sight.next(NOTICED_WITHIN, |object| object.is_some()).await;
        expect(back.is_some(), "the webhook puts its configuration back", "it stays away")?;
        self.say
            .holds(&format!("back {} after the deletion: the webhook watches its own configuration", ms(gone, back)));
        Ok(())
    }

    async fn gate_goes(&mut self) -> anyhow::Result<()> {
        self.say.tell("\nSo the webhook's process is killed as well; only then the deletion lasts.\n");
        self.stage.kill_webhook();
        self.delete_registration().await?;
        tokio::time::sleep(STAYS_GONE).await;
        let found = self.registration().get(&self.client).await?;
        expect(found.is_none(), "the webhook configuration stays away", "it came back")?;
        self.gate_is(false).await?;
        self.say.holds("the gate is open: only the reconciler is left");
        Ok(())
    }

    async fn gate_returns(&mut self) -> anyhow::Result<()> {
        self.say.tell("\nThe webhook is started again.\n");
        self.stage.start_webhook().await?;
        let found = self.registration().get(&self.client).await?;
        expect(found.is_some(), "the webhook configuration is back", "it is not there")?;
        self.gate_is(true).await?;
        self.say.holds(&format!("{} is back, and edits are denied again:\n", self.stage.webhook_configuration()));
        let edits = self.edits()?;
        self.denied(edits.first().context("there are no edits")?).await
    }

    /// Waits until the API server asks the webhook, or asks it no more: a dry run changes nothing.
    async fn gate_is(&self, closed: bool) -> anyhow::Result<()> {
        let what = if closed { "the API server to ask the webhook" } else { "the API server to ask no webhook" };
        let waited = self.stage.wait_for(what, NOTICED_WITHIN, async || {
            let output = self.stage.cluster.kubectl_as(&self.alice, &self.probe(), "").await?;
            let is_so = if closed { output.stderr.contains("denied the request") } else { output.success() };
            Ok(is_so.then_some(()))
        });
        Ok(waited.await?)
    }

    /// A dry run that the gate denies.
    pub(in crate::demo) fn probe(&self) -> [&'static str; 6] {
        ["-n", self.fleet.shop(), "create", "configmap", "gitward-demo-probe", "--dry-run=server"]
    }

    async fn reverted(&self, edit: &Edit) -> anyhow::Result<()> {
        let told: BTreeSet<String> = self.events(&edit.target).await?.into_iter().map(|(id, _)| id).collect();
        let mut sight = Sight::of(&edit.target, &self.client).await?;
        let before = sight.before.as_ref().map(content);
        let output = self.kubectl(&edit.arguments()).await?;
        expect(output.success(), format!("{} gets in", edit.what), &output.stderr)?;
        let came = sight.next(NOTICED_WITHIN, edit.is_in).await;
        expect(came.is_some(), "the edit is in the cluster", "it was not seen there")?;
        let back = sight.next(REVERTED_WITHIN, |object| object.map(content) == before).await;
        if back.is_none() {
            let seen = edit.target.get(&self.client).await?;
            expect(false, "the object is as it was", written(seen.as_ref()))?;
        }
        self.alert(edit, &told).await?;
        let came = came.context("seen above")?;
        self.say.holds(&format!("reverted {} after the edit was accepted", ms(came, back)));
        Ok(())
    }

    /// Waits for the Events of a divergence and its revert, and tells them.
    async fn alert(&self, edit: &Edit, told: &BTreeSet<String>) -> anyhow::Result<()> {
        let deadline = Instant::now() + TOLD_WITHIN;
        loop {
            let events = self.events(&edit.target).await?;
            let new: Vec<Event> = events.into_iter().filter(|(id, _)| !told.contains(id)).map(|(_, e)| e).collect();
            let has = |reason: &str| new.iter().any(|e| e.reason.as_deref() == Some(reason));
            if has("Diverged") && has("Reverted") {
                new.iter().for_each(|event| self.say.quote(&line(event)));
                return Ok(());
            }
            let seen = new.iter().map(line).collect::<Vec<_>>().join("\n");
            expect(Instant::now() < deadline, "an alert tells the divergence and its revert", seen)?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// gitward's Events about an object, in the order in which they were written.
    async fn events(&self, target: &Target) -> anyhow::Result<Vec<(String, Event)>> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &target.namespace);
        let about = format!("involvedObject.name={},involvedObject.kind={},source=gitward", target.name, target.kind);
        let mut events = api.list(&ListParams::default().fields(&about)).await?.items;
        let version = |e: &Event| e.metadata.resource_version.as_deref().and_then(|v| v.parse::<u64>().ok());
        events.sort_by_key(version);
        Ok(events.into_iter().map(|e| (e.metadata.uid.clone().unwrap_or_default(), e)).collect())
    }
}

/// An object's content as a failed step shows it.
fn written(object: Option<&Value>) -> String {
    object.map_or_else(|| "no such object".to_owned(), |object| content(object).to_string())
}

/// An Event in a line.
pub(in crate::demo) fn line(event: &Event) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    format!("{} {}: {}", text(&event.type_), text(&event.reason), text(&event.message))
}

fn ms(from: Instant, to: Option<Instant>) -> String {
    format!("{} ms", to.map_or(0, |to| to.saturating_duration_since(from).as_millis()))
}
