//! The runtime gate: with the webhook gone the same edits get in, are reverted, and are told.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;

use crate::edits::{self, EDITS, Edit, Editor, MALLORY, Names, Then};
use crate::fleet::converged_with;
use crate::picture;

/// How long a revert, or the Event about it, may take before the test gives it up. (What it took is
/// printed.)
const GIVE_UP: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_get_in_are_reverted_and_told() {
    let (mut stage, _) = converged_with(edits::options(), edits::plant).await.unwrap();
    edits::empower(&stage).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    stage.remove_webhook().await.unwrap();

    let mallory = Editor::new(&stage, MALLORY).unwrap();
    let story = Story { client: stage.cluster.client().await.unwrap(), mallory };
    let mut failures = Vec::new();
    for (n, edit) in EDITS.iter().enumerate().filter(|(_, e)| e.then != Then::Nothing) {
        match story.play(edit, n).await {
            Ok(took) => println!("{:>6} ms  {}", took.as_millis(), edit.name),
            Err(why) => {
                println!("NOT AS IT MUST BE: {}", edit.name);
                failures.push(format!("{}: {why}", edit.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

struct Story<'a> {
    client: Client,
    mallory: Editor<'a>,
}

impl Story<'_> {
    /// Makes one edit, and waits until it is undone and told: the time from the edit's success on.
    async fn play(&self, edit: &Edit, n: usize) -> Result<Duration, String> {
        let names = self.mallory.names(n).await.unwrap();
        let object = names.fill(edit.object);
        let before = picture::get(&self.client, &object).await.unwrap();
        let told = self.events().await;
        let output = self.mallory.make(edit, n).await.unwrap();
        let started = Instant::now();
        if !output.success() {
            return Err(format!("it did not get in: {}", output.stderr));
        }
        let undone = self.wait(async || self.is_undone(edit, &object, &before).await).await;
        undone.map_err(|why| format!("it was not put right: {why}"))?;
        let took = started.elapsed();
        let telling = if edit.then == Then::Stays { "LeftAlone" } else { "Diverged" };
        self.wait(async || self.is_told(edit, &names, telling, &told).await).await?;
        Ok(took)
    }

    /// Asks until there is no objection; the last one if it takes too long.
    async fn wait(&self, mut objection: impl AsyncFnMut() -> Result<(), String>) -> Result<(), String> {
        let started = Instant::now();
        loop {
            match objection().await {
                Err(why) if started.elapsed() > GIVE_UP => return Err(why),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn is_undone(&self, edit: &Edit, object: &str, before: &Value) -> Result<(), String> {
        let live = picture::get(&self.client, object).await.map_err(|e| e.to_string())?;
        match edit.then {
            Then::Gone if live.is_null() || !live["metadata"]["deletionTimestamp"].is_null() => Ok(()),
            Then::Stays if !live.is_null() => Ok(()),
            Then::Back if !live.is_null() => {
                let same_object = live["metadata"]["uid"] == before["metadata"]["uid"];
                let (was, is) = (comparable(before, same_object), comparable(&live, same_object));
                if was != is {
                    return Err(format!("\n  was {was}\n  is  {is}"));
                }
                strangers(&live)
            }
            _ => Err(format!("it is {}", picture::plain(live))),
        }
    }

    /// Whether an Event of this reason about the object is there that was not there before.
    async fn is_told(&self, edit: &Edit, names: &Names, reason: &str, before: &HashSet<String>) -> Result<(), String> {
        let object = names.fill(edit.object);
        let name = object.split(' ').next().and_then(|o| o.split('/').nth(1)).unwrap_or_default();
        let events = picture::list(&self.client, "", "v1", "Event").await.map_err(|e| e.to_string())?;
        let about =
            events.iter().filter(|e| e["involvedObject"]["name"] == name && e["source"]["component"] == "gitward");
        let mut new = about.filter(|e| !before.contains(e["metadata"]["uid"].as_str().unwrap_or_default()));
        let event = new.find(|e| e["reason"] == reason && e["type"] == "Warning");
        event.map(|_| ()).ok_or_else(|| format!("no Event {reason} about {name}"))
    }

    async fn events(&self) -> HashSet<String> {
        let events = picture::list(&self.client, "", "v1", "Event").await.unwrap();
        events.iter().filter_map(|e| e["metadata"]["uid"].as_str().map(str::to_owned)).collect()
    }
}

/// What of an object has to be as it was. Another object of the same content has other allocations.
fn comparable(object: &Value, same_object: bool) -> Value {
    let mut object = picture::plain(object.clone());
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["generation", "uid", "creationTimestamp"] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        // It counts the templates that the Deployment had.
        annotations.remove("deployment.kubernetes.io/revision");
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    if !same_object && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    object
}

/// Whether anybody but gitward and the controllers owns a field by an update. (Whoever applied values
/// that are Git's own shares them: nothing comes of it, as another story tells.)
fn strangers(object: &Value) -> Result<(), String> {
    let managers = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let stranger = managers
        .iter()
        .find(|m| m["operation"] == "Update" && m["manager"].as_str().is_some_and(|name| name.starts_with("kubectl")));
    stranger.map_or(Ok(()), |m| Err(format!("fields are still owned by {m}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_field_by_applying_it_keeps_nothing() {
    let (mut stage, _) = converged_with(edits::options(), edits::plant).await.unwrap();
    edits::empower(&stage).await.unwrap();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    let client = stage.cluster.client().await.unwrap();
    let env = async || picture::get(&client, "deployment/app-0 -n shop").await.map(environment_variables);
    // Git's own value, under a field manager of one's own: the gate has nothing against it.
    let applied = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"app-0","namespace":"shop"},
        "spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"MODE","value":"production"}]}]}}}}"#;
    let apply = "apply --server-side --field-manager=mine -f -";
    mallory.kubectl(apply, applied).await.unwrap().checked().unwrap();

    let without = stage.work.read("prod/apps/app-0.yaml").unwrap();
    let without = without.replace("        env:\n        - name: MODE\n          value: production\n", "");
    stage.work.write("prod/apps/app-0.yaml", without).unwrap();
    let (commit, pushed) = stage.push("No mode any more").unwrap();
    assert!(pushed.success(), "{}", pushed.stderr);
    stage.wait_converged(&commit, Duration::from_secs(60)).await.unwrap();
    assert_eq!(env().await.unwrap(), Value::Null);

    // And with the gate away, applying it again keeps it no longer.
    stage.remove_webhook().await.unwrap();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    mallory.kubectl(apply, applied).await.unwrap().checked().unwrap();
    stage.wait_for("the revert", GIVE_UP, async || Ok(env().await?.is_null().then_some(()))).await.unwrap();
}

fn environment_variables(deployment: Value) -> Value {
    deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone()
}
