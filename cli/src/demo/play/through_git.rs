//! What goes through Git: a rejected push, its correction, a change and a removal.

use std::time::Duration;

use gitward_test_cluster::BRANCH;

use super::{Play, expect, short};
use crate::demo::fleet::{BASKET, WEB, place};

/// What the rejection has to name.
const REJECTION: [&str; 5] = ["schema/unknown-field", "policy/team", "policy/image-tag", "| ", "fix:"];

const IMAGE: &str = "registry.example.org/shop/web:1.4.2";
const NEW_IMAGE: &str = "registry.example.org/shop/web:1.5.0";

/// How long Pods may take to go after their Deployment went.
const GONE_WITHIN: Duration = Duration::from_secs(60);

impl Play<'_> {
    pub(super) async fn wrong_push(&mut self) -> anyhow::Result<()> {
        self.say.act("1. A push with mistakes is rejected");
        self.say.tell("The shop gets a basket: one more Deployment, with a field misspelt, an image without a");
        self.say.tell("version and no team to call at night. The Git server's hook judges the push.\n");
        let (text, before) = (self.fleet.wrong_basket(), self.tip()?);
        self.write_basket(&text)?;
        let (commit, output) = self.push("A basket for the shop")?;
        expect(!output.success(), "the push is rejected", "it was accepted")?;
        let place = place(BASKET, &text, "spec:", "replcas").unwrap_or_default();
        for named in REJECTION.into_iter().chain([place.as_str()]) {
            expect(output.stderr.contains(named), format!("the rejection names {named}"), &output.stderr)?;
        }
        let after = self.tip()?;
        expect(after == before, format!("{BRANCH} stays at {before}"), format!("it is at {after}"))?;
        for basket in self.baskets() {
            let found = basket.get(&self.client).await?;
            expect(found.is_none(), format!("there is no {} basket", basket.kind), "there is one")?;
        }
        let (kept, refused) = (short(&before), short(&commit));
        self.say.holds(&format!("rejected: {BRANCH} is still at {kept}, and nothing of {refused} is in the cluster"));
        Ok(())
    }

    pub(super) async fn corrected_push(&mut self) -> anyhow::Result<()> {
        self.say.act("2. The corrected push is accepted and converges");
        self.stage.work.git(&["reset", "--quiet", "--soft", "HEAD~1"])?.checked()?;
        self.write_basket(&self.fleet.basket())?;
        let diff = ["diff", "--unified=0", "--", BASKET];
        self.say.command("git", &diff);
        self.say.quote(&self.stage.work.git(&diff)?.checked()?);
        self.push_and_converge("A basket for the shop").await?;
        for basket in self.baskets() {
            let found = basket.get(&self.client).await?;
            expect(found.is_some(), format!("there is a {} basket", basket.kind), "there is none")?;
        }
        self.say.holds("the basket's Deployment and Service are in the cluster");
        Ok(())
    }

    pub(super) async fn changes_and_removals(&mut self) -> anyhow::Result<()> {
        self.say.act("5. What changes in Git changes in the cluster");
        self.say.tell("The way to another image is a commit.\n");
        let web = self.stage.work.read(WEB)?;
        self.stage.work.write(WEB, web.replace(IMAGE, NEW_IMAGE))?;
        self.push_and_converge("Serve the shop's new front").await?;
        let live = self.in_shop("apps/v1", "Deployment", "web").get(&self.client).await?.unwrap_or_default();
        let image = live["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        expect(image == NEW_IMAGE, format!("the Deployment web runs {NEW_IMAGE}"), image.to_string())?;
        self.say.holds(&format!("the Deployment web runs {NEW_IMAGE}"));

        self.say.tell("\nAnd the way out of the cluster is out of Git.\n");
        self.stage.work.remove(BASKET)?;
        self.push_and_converge("No basket after all").await?;
        for basket in self.baskets() {
            let found = basket.get(&self.client).await?;
            expect(found.is_none(), format!("the {} basket is pruned", basket.kind), "it is there")?;
        }
        self.say.holds("pruned: the basket's Deployment and Service are gone from the cluster");
        self.pods_go("app=basket").await?;
        self.say.holds("its Pods are gone, too");
        Ok(())
    }

    async fn pods_go(&self, label: &str) -> anyhow::Result<()> {
        let arguments = ["-n", self.fleet.shop(), "get", "pods", "-l", label, "-o", "name"];
        let gone = self.stage.wait_for("the basket's Pods to go", GONE_WITHIN, async || {
            let pods = self.stage.cluster.kubectl(&arguments).await?.checked()?;
            Ok(pods.trim().is_empty().then_some(()))
        });
        Ok(gone.await?)
    }
}
