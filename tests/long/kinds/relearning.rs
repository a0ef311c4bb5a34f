//! A mutator that Git does not know comes into force: nothing is learnt from it, an alert names it,
//! no commit is followed by its grace, and what it changed comes back when it is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use gitward_test_cluster::Stage;
use kube::Client;
use serde_json::{Value, json};

use crate::kinds::Result;
use crate::kinds::edits::Edit;
use crate::kinds::requests::{Chosen, Outcome, read, replace};
use crate::kinds::view::{Key, View};

/// Marks what it changes.
const MUTATOR: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: stray}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE], resourceNames: [cm-min]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {"stray.example/mutated": "yes"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: stray}
spec: {policyName: stray}
"#;

const MARK: &str = "/metadata/labels/stray.example~1mutated";

/// Longest time for anything here: reverts against a mutator are slowed down as a fight.
const WITHIN: Duration = Duration::from_secs(30);

fn victim() -> Key {
    ("ConfigMap".to_owned(), "exp".to_owned(), "cm-min".to_owned())
}

fn edit() -> Chosen {
    let path = ["data", "a"].map(str::to_owned).to_vec();
    (Edit { what: "change", path, values: vec![] }, json!("stray"))
}

/// Plays it; what went wrong.
pub(crate) async fn play(stage: &Stage, client: &Client, view: &View) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let from = view.count();
    let before = published(client).await?;
    let applied = stage.cluster.apply(MUTATOR).await.map_err(|e| e.to_string())?;
    if !applied.success() {
        return Err(applied.stderr);
    }
    in_force(client, view).await?;
    let path = view.path(&victim());
    if !matches!(replace(client, &path, None, &[edit()], false).await?, Outcome::Taken(_)) {
        return Err("the edit is not taken".to_owned());
    }
    let about = |kind: &str, reason: &str| view.alerts(from).iter().any(|a| a.about.0 == kind && a.reason == reason);
    let told = || about("MutatingAdmissionPolicy", "UnknownMutator") && about("ConfigMap", "Diverged");
    if view.until(WITHIN, told).await.is_none() {
        wrong.push(format!("no alert names the mutator: {:?}", view.alerts(from)));
    }
    let value = |pointer: &str| view.object(&victim()).and_then(|o| o.pointer(pointer).cloned());
    if view.until(WITHIN, || value("/data/a") == Some(json!("b"))).await.is_none() {
        wrong.push("what was changed along with the mutation does not come back".to_owned());
    }
    if published(client).await? != before {
        wrong.push("something was learnt from the mutator".to_owned());
    }
    wrong.extend(commit_waits(stage).await?);
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        stage.cluster.kubectl(&["delete", kind, "stray"]).await.map_err(|e| e.to_string())?;
    }
    if view.until(WITHIN, || value(MARK).is_none()).await.is_none() {
        wrong.push("what the mutator changed does not come back when it is gone".to_owned());
    }
    let head = stage.work.git(&["rev-parse", "HEAD"]).map_err(|e| e.to_string())?.stdout.trim().to_owned();
    if let Err(error) = stage.wait_converged(&head, Duration::from_secs(90)).await {
        wrong.push(format!("the commit does not converge without the mutator: {error}"));
    }
    Ok(wrong)
}

/// A commit is refused as a whole while the mutator is in force.
async fn commit_waits(stage: &Stage) -> Result<Vec<String>> {
    let all = stage.work.read("prod/all.yaml").map_err(|e| e.to_string())?;
    let more = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: exp, name: cm-later}, data: {a: b}}\n";
    stage.work.write("prod/all.yaml", all + more).map_err(|e| e.to_string())?;
    let (_, pushed) = stage.push("One more").map_err(|e| e.to_string())?;
    if !pushed.success() {
        return Err(pushed.stderr);
    }
    match stage.wait_condition("Converged", "False", WITHIN).await {
        Ok(message) if message.contains("MutatingAdmissionPolicy") && message.contains("stray") => Ok(vec![]),
        Ok(message) => Ok(vec![format!("the commit is refused for another reason: {message}")]),
        Err(error) => Ok(vec![format!("a commit is followed under an unknown mutator: {error}")]),
    }
}

/// Waits until the API server mutates by it.
async fn in_force(client: &Client, view: &View) -> Result<()> {
    for _ in 0..100 {
        let outcome = replace(client, &view.path(&victim()), None, &[edit()], true).await?;
        if matches!(outcome, Outcome::Taken(o) if o.pointer(MARK).is_some()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the mutator does not come into force".to_owned())
}

/// What was learnt, as it is published.
async fn published(client: &Client) -> Result<BTreeMap<String, Value>> {
    let list = read(client, "/api/v1/namespaces/gitward-system/configmaps").await?.unwrap_or_default();
    let items = list["items"].as_array().into_iter().flatten();
    Ok(items.map(|o| (o["metadata"]["name"].to_string(), o["data"].clone())).collect())
}
