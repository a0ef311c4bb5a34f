//! Modes: whoever only observes changes nothing and is told everything; who suspends is left alone; who
//! enforces gets back what Git says.

use std::time::Duration;

use gitward_test_cluster::Stage;
use serde_json::Value;

use crate::edits::{self, Editor, MALLORY};
use crate::fleet::{gitward, plant};

const WITHIN: Duration = Duration::from_secs(120);

/// How long it is watched that nothing happens.
const QUIET: Duration = Duration::from_secs(3);

const IMAGE: &str = "set image deployment/web -n shop web=example.org/evil:1";
const STRANGER: &str = "create configmap stranger -n shop --from-literal=a=b";

#[tokio::test(flavor = "multi_thread")]
async fn only_who_enforces_changes_anything() {
    let scene = Scene::observe_an_empty_cluster().await;
    scene.switch("observe", "enforce").await;
    scene.stage.wait_condition("Ready", "True", WITHIN).await.unwrap();
    let image = scene.image().await;

    scene.switch("enforce", "observe").await;
    for edit in [IMAGE, STRANGER] {
        let output = scene.edit(edit).await;
        assert!(output.contains("Warning:") && output.contains("gitward"), "{edit}: {output}");
    }
    scene.told("Deployment/web in shop is not what Git declares").await;
    scene.told("ConfigMap/stranger in shop is not declared in Git").await;
    scene.nothing_is_undone().await;

    scene.switch("observe", "suspended").await;
    let output = scene.edit("set image deployment/web -n shop web=example.org/evil:2").await;
    assert!(!output.contains("Warning:"), "{output}");
    scene.nothing_is_undone().await;

    scene.switch("suspended", "enforce").await;
    let undone = scene.stage.wait_for("what Git says", WITHIN, async || {
        let back = scene.image().await == image && scene.get("configmap/stranger").await.is_null();
        Ok(back.then_some(()))
    });
    undone.await.unwrap();
    let mallory = Editor::new(&scene.stage, MALLORY).unwrap();
    let denied = mallory.kubectl(IMAGE, "").await.unwrap();
    assert!(!denied.success() && denied.stderr.contains("gitward.dev\" denied"), "{}", denied.stderr);
}

struct Scene {
    stage: Stage,
}

impl Scene {
    /// Both gates run over a cluster that has nothing of what Git declares.
    async fn observe_an_empty_cluster() -> Self {
        let mut stage = Stage::set(gitward(), edits::options()).await.unwrap();
        stage.install_hooks().unwrap();
        edits::empower(&stage).await.unwrap();
        plant(&stage);
        set_mode(&stage, "enforce", "observe");
        let (commit, pushed) = stage.push("Only look").unwrap();
        pushed.checked().unwrap();
        stage.create_environment().await.unwrap();
        stage.start_reconciler().await.unwrap();
        stage.start_webhook().await.unwrap();
        let scene = Self { stage };
        scene.observed(&commit).await;
        let namespace = scene.stage.cluster.kubectl(&["get", "namespace", "shop"]).await.unwrap();
        assert!(!namespace.success(), "something was written");
        scene
    }

    /// Waits until a commit was looked at, and no more.
    async fn observed(&self, commit: &str) {
        let looked = self.stage.wait_for("a commit to be observed", WITHIN, async || {
            let environment = self.stage.environment().await?;
            let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let converged = conditions.iter().find(|c| c["type"] == "Converged");
            let message = converged.and_then(|c| c["message"].as_str()).unwrap_or_default();
            Ok(message.contains(&commit[..12]).then(|| message.to_owned()))
        });
        looked.await.unwrap();
    }

    async fn switch(&self, from: &str, to: &str) {
        set_mode(&self.stage, from, to);
        let (commit, pushed) = self.stage.push(to).unwrap();
        pushed.checked().unwrap();
        if to == "enforce" {
            self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        } else {
            self.observed(&commit).await;
        }
        // The webhook has it no later than it asks again.
        self.stage
            .wait_for("the webhook to follow", WITHIN, async || {
                let log = std::fs::read_to_string(self.stage.webhook_log()).unwrap_or_default();
                Ok(log.contains(&format!("commit in force commit={commit}")).then_some(()))
            })
            .await
            .unwrap();
    }

    /// Makes an edit that has to get in; all that `kubectl` said.
    async fn edit(&self, line: &str) -> String {
        let output = Editor::new(&self.stage, MALLORY).unwrap().kubectl(line, "").await.unwrap();
        assert!(output.success(), "{line}: {}", output.stderr);
        format!("{}{}", output.stdout, output.stderr)
    }

    async fn get(&self, object: &str) -> Value {
        Editor::new(&self.stage, MALLORY).unwrap().get(&format!("{object} -n shop")).await.unwrap()
    }

    async fn image(&self) -> Value {
        self.get("deployment/web").await["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    }

    async fn told(&self, what: &str) {
        let told = self.stage.wait_for(what, WITHIN, async || {
            Ok(std::fs::read_to_string(self.stage.reconciler_log()).unwrap_or_default().contains(what).then_some(()))
        });
        told.await.unwrap();
    }

    async fn nothing_is_undone(&self) {
        tokio::time::sleep(QUIET).await;
        assert!(self.image().await.as_str().is_some_and(|i| i.contains("evil")), "the image was put back");
        assert!(self.get("configmap/stranger").await.is_object(), "the stranger was removed");
    }
}

/// Rewrites the mode; `enforce` is what stands there without one.
fn set_mode(stage: &Stage, from: &str, to: &str) {
    let text = stage.work.read("gitward.yaml").unwrap();
    let line = |mode: &str| if mode == "enforce" { String::new() } else { format!("  mode: {mode}\n") };
    let (before, after) = (format!("  path: prod\n{}", line(from)), format!("  path: prod\n{}", line(to)));
    assert!(text.contains(&before), "{text}");
    stage.work.write("gitward.yaml", text.replacen(&before, &after, 1)).unwrap();
}
