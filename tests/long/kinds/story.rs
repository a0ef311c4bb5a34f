//! The story: converge, stay, deny, bring back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::StreamExt;
use gitward_test_cluster::{Options, Stage};
use kube::Client;
use serde_json::Value;

use crate::kinds::requests::{Chosen, Outcome, content, read, replace};
use crate::kinds::rounds::{self, Target};
use crate::kinds::schema::Schemas;
use crate::kinds::tally::{Fate, Tally};
use crate::kinds::view::{Key, View};
use crate::kinds::{Result, data, generate, relearning};

/// Requests under way at once.
const CONCURRENT: usize = 12;

/// How long a converged cluster is watched.
const CALM: Duration = Duration::from_secs(5);

/// Kinds that no webhook is ever asked about: the API server asks none about those of admission, and
/// gitward's leaves Leases alone, since the control plane itself lives by them.
const UNASKED: [&str; 7] = [
    "Lease",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// Kinds to which the edits are confined with the webhook gone, for whoever looks for something.
const ONLY: &str = "GITWARD_KINDS_ONLY";

/// Kinds that decide what others look like: they are edited when all others are done.
const SHAPING: [&str; 9] = [
    "CustomResourceDefinition",
    "IngressClass",
    "LimitRange",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Plays the whole story.
///
/// # Errors
/// What went otherwise than it should.
pub(crate) async fn play(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let (mut stage, commit) = set(folder).await?;
    let result = acts(&mut stage, &commit, began).await;
    if let Ok(keep) = std::env::var("GITWARD_KEEP") {
        let _ = std::fs::copy(stage.reconciler_log(), format!("{keep}/reconciler.log"));
        let _ = std::fs::copy(stage.webhook_log(), format!("{keep}/webhook.log"));
    }
    result
}

/// A stage whose repository declares every manifest, webhook and reconciler running.
async fn set(folder: &Path) -> Result<(Stage, String)> {
    let options = Options {
        runtime_config: vec!["certificates.k8s.io/v1beta1/clustertrustbundles=true".to_owned()],
        feature_gates: vec!["ClusterTrustBundle=true".to_owned()],
        ..Options::with_nodes(2)
    };
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), options).await.map_err(text)?;
    stage.install_hooks().map_err(text)?;
    for (node, zone) in [("node-0", "za"), ("node-1", "zb")] {
        let labels = ["topology.kubernetes.io/region=ra", &format!("topology.kubernetes.io/zone={zone}")];
        let labelled = stage.cluster.kubectl(&[&["label", "node", node][..], &labels].concat()).await.map_err(text)?;
        if !labelled.success() {
            return Err(labelled.stderr);
        }
    }
    let documents = data::documents(folder, &stage.cluster.authority().map_err(text)?);
    stage.work.write("gitward.yaml", data::configuration(&documents)).map_err(text)?;
    let all: Vec<&str> = documents.iter().map(|d| d.text.trim_end()).collect();
    stage.work.write("prod/all.yaml", all.join("\n---\n") + "\n").map_err(text)?;
    let (commit, pushed) = stage.push("Every kind").map_err(text)?;
    if !pushed.success() {
        return Err(pushed.stderr);
    }
    stage.create_environment().await.map_err(text)?;
    stage.start_reconciler().await.map_err(text)?;
    stage.start_webhook().await.map_err(text)?;
    Ok((stage, commit))
}

async fn acts(stage: &mut Stage, commit: &str, began: Instant) -> Result<()> {
    let message = stage.wait_converged(commit, Duration::from_secs(60)).await.map_err(text)?;
    println!("{:?}: {message}", began.elapsed());
    let client = stage.cluster.client().await.map_err(text)?;
    let declared = declared(stage).await?;
    let mut kinds: Vec<(String, String)> =
        declared.iter().map(|(version, key)| (version.clone(), key.0.clone())).collect();
    kinds.sort();
    kinds.dedup();
    let view = View::open(client.clone(), &kinds).await?;
    let keys: Vec<Key> = declared.into_iter().map(|(_, key)| key).collect();
    let mut wrong = stays(&view, &keys).await;
    wrong.extend(denials(stage, "system:")?);
    println!("{:?}: watched for {CALM:?}", began.elapsed());

    let mut tally = Tally::default();
    let schemas = Schemas::read(&client, &kinds).await?;
    let learner =
        stage.cluster.kubeconfig_for_service_account("gitward-system", "gitward-reconciler").await.map_err(text)?;
    let learner = stage.cluster.client_for(learner).await.map_err(text)?;
    let targets = generate::edits(&learner, &view, &schemas, &keys, &mut tally).await?;
    let made: usize = targets.iter().map(|t| t.edits.len()).sum();
    println!("{:?}: {made} edits of {} objects", began.elapsed(), targets.len());

    deny(&client, &view, &targets, &mut tally).await?;
    wrong.extend(tally.let_through.iter().map(|e| format!("admission let through: {e}")));
    println!("{:?}: {} denied", began.elapsed(), tally.denied);

    stage.remove_webhook().await.map_err(text)?;
    let only = std::env::var(ONLY).ok();
    let wanted = |t: &Target| only.as_ref().is_none_or(|o| o.split(',').any(|k| k == t.key.0));
    let targets: Vec<Target> = targets.into_iter().filter(wanted).collect();
    let before = contents(&client, &view, &keys).await?;
    let (shaping, others): (Vec<_>, Vec<_>) = targets.into_iter().partition(|t| SHAPING.contains(&t.key.0.as_str()));
    for (targets, concurrent) in [(others, 64), (shaping, 4)] {
        let rounds = targets.into_iter().map(|target| rounds::all(&client, &view, target));
        let results: Vec<_> = futures::stream::iter(rounds).buffer_unordered(concurrent).collect().await;
        for fates in results {
            tally.fates.extend(fates?);
        }
        println!("{:?}: {} edits made", began.elapsed(), tally.fates.len());
    }
    wrong.extend(
        tally
            .shortcomings()
            .into_iter()
            .filter(|s| reason(s).is_none())
            .map(|(key, edit, fate)| format!("{} {}: {edit}: {fate:?}", key.0, key.2)),
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = contents(&client, &view, &keys).await?;
    wrong.extend(
        keys.iter().filter_map(|k| Some(format!("{k:?} is not as it was: {}", changed(before.get(k)?, after.get(k))?))),
    );
    wrong.extend(relearning::play(stage, &client, &view).await?);
    println!("{:?}: a mutator came and went", began.elapsed());
    if let Ok(keep) = std::env::var("GITWARD_KEEP") {
        let _ = std::fs::write(format!("{keep}/table.txt"), tally.table());
    }
    println!("{:?}: {}", began.elapsed(), tally.line());
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} things are wrong:\n{}", wrong.len(), wrong.join("\n"))) }
}

/// Why an edit may have another end than alert and revert.
fn reason((key, edit, fate): &(Key, String, Fate)) -> Option<&'static str> {
    const HEALED: &str = "its controller put it right before anybody saw it";
    let healed = match key.0.as_str() {
        "Deployment" => edit.contains("deployment.kubernetes.io/revision"),
        "PersistentVolumeClaim" => edit.contains("storage-provisioner"),
        "Secret" => key.2 == "sec-satok" && edit.contains(" data."),
        _ => false,
    };
    match (key.0.as_str(), fate) {
        (_, Fate::Unnamed(_)) if healed => Some(HEALED),
        ("PersistentVolumeClaim", Fate::Alerted) if edit.contains("spec.volumeName") => {
            Some("the API server lets nobody change it, and a claim may hold data: it is not made anew")
        }
        ("PersistentVolume", Fate::Alerted) if edit.contains("spec.claimRef.resourceVersion") => {
            Some("taken away: what version the claim had when it was bound is known to nobody any more")
        }
        ("PersistentVolume", Fate::Alerted) if edit.contains("spec.claimRef.") => {
            Some("the binder answers to it as well: slowed down as a fight of the two")
        }
        _ => None,
    }
}

/// Version and key of every declared object that is there.
async fn declared(stage: &Stage) -> Result<Vec<(String, Key)>> {
    let text = stage.work.read("prod/all.yaml").map_err(text)?;
    let (manifests, problems) = gitward_core_manifests(&text);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(manifests)
}

fn gitward_core_manifests(text: &str) -> (Vec<(String, Key)>, String) {
    let mut found = Vec::new();
    for part in text.split("\n---\n") {
        let field = |before: &str, after: &[char]| {
            let start = part.find(before)? + before.len();
            let rest = &part[start..];
            Some(rest[..rest.find(after)?].trim().to_owned())
        };
        let metadata = field("metadata: {", &['}']).unwrap_or_default() + ",";
        let of_metadata = |name: &str| {
            let start = metadata.find(name)? + name.len();
            let rest = &metadata[start..];
            Some(rest[..rest.find(',')?].trim().to_owned())
        };
        let (Some(version), Some(kind), Some(name)) =
            (field("apiVersion: ", &[',', '\n']), field("kind: ", &[',', '\n']), of_metadata("name: "))
        else {
            return (found, format!("cannot read {part}"));
        };
        found.push((version, (kind, of_metadata("namespace: ").unwrap_or_default(), name)));
    }
    (found, String::new())
}

/// Nothing of what Git declares changes, and nobody raises an alarm.
async fn stays(view: &View, keys: &[Key]) -> Vec<String> {
    let spec = |key: &Key| {
        view.object(key).map(|o| {
            let mut o = content(&o);
            // A list leaves out what kind its objects are of, and news of them does not.
            if let Some(fields) = o.as_object_mut() {
                fields.retain(|name, _| !["status", "apiVersion", "kind"].contains(&name.as_str()));
            }
            (o, view.object(key).map(|o| o["metadata"]["resourceVersion"].clone()))
        })
    };
    // What has just been made is still being filled in by controllers.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (from, before) = (view.count(), keys.iter().map(spec).collect::<Vec<_>>());
    tokio::time::sleep(CALM).await;
    let mut wrong = Vec::new();
    for (key, before) in keys.iter().zip(before) {
        let now = spec(key);
        let content = |s: &Option<(Value, Option<Value>)>| s.as_ref().map(|s| s.0.clone());
        if content(&now) != content(&before) {
            wrong.push(format!("{key:?} changed by itself: {before:?} {now:?}"));
        }
    }
    let alarms = |a: &crate::kinds::view::Alert| {
        matches!(a.reason.as_str(), "Diverged" | "Reverted" | "Fight" | "Failed" | "LeftAlone")
    };
    wrong.extend(view.alerts(0).iter().filter(|a| alarms(a)).map(|a| format!("alarm before any edit: {a:?}")));
    wrong.extend(view.alerts(from).iter().filter(|a| alarms(a)).map(|a| format!("alarm in the calm: {a:?}")));
    wrong
}

/// Requests of these accounts that the webhook denied.
fn denials(stage: &Stage, accounts: &str) -> Result<Vec<String>> {
    let log = std::fs::read_to_string(stage.webhook_log()).map_err(text)?;
    let of = format!("account=\"{accounts}");
    Ok(log
        .lines()
        .filter(|l| l.contains("decision=Denied") && l.contains(&of))
        .map(|l| format!("denied: {l}"))
        .collect())
}

/// Every edit is denied.
async fn deny(client: &Client, view: &View, targets: &[Target], tally: &mut Tally) -> Result<()> {
    let all = targets.iter().flat_map(|target| target.edits.iter().map(move |edit| (&target.key, edit)));
    let tried = all.map(|(key, chosen): (&Key, &Chosen)| async move {
        let dry_run = UNASKED.contains(&key.0.as_str());
        let outcome = replace(client, &view.path(key), None, std::slice::from_ref(chosen), dry_run).await?;
        Ok((key, chosen, outcome))
    });
    let results: Vec<Result<_>> = futures::stream::iter(tried).buffer_unordered(CONCURRENT).collect().await;
    for result in results {
        let (key, (edit, value), outcome) = result?;
        match outcome {
            Outcome::Denied => tally.denied += 1,
            Outcome::Taken(_) if UNASKED.contains(&key.0.as_str()) => tally.unasked += 1,
            Outcome::Taken(_) => tally.let_through.push(format!("{} {}: {edit} = {value}", key.0, key.2)),
            Outcome::NoOp | Outcome::Refused | Outcome::Gone => {}
        }
    }
    Ok(())
}

/// Every declared object without what writes and controllers change.
async fn contents(client: &Client, view: &View, keys: &[Key]) -> Result<BTreeMap<Key, Value>> {
    let mut contents = BTreeMap::new();
    for key in keys {
        let Some(live) = read(client, &view.path(key)).await? else { continue };
        let mut live = content(&live);
        live.as_object_mut().map(|o| o.remove("status"));
        if let Some(metadata) = live["metadata"].as_object_mut() {
            metadata.remove("creationTimestamp");
            metadata.remove("uid");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove("deployment.kubernetes.io/revision");
                annotations.remove("deprecated.daemonset.template.generation");
            }
        }
        made_anew(&mut live);
        contents.insert(key.clone(), live);
    }
    Ok(contents)
}

/// Blurs what is drawn anew with every creation: the uids of Jobs, the nodes and token volumes of
/// Pods, the token of an account, and which of several volumes that suit it a claim is bound to.
fn made_anew(live: &mut Value) {
    match live["kind"].as_str() {
        Some("Job") => {
            for path in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
                if let Some(labels) = live.pointer_mut(path).and_then(Value::as_object_mut) {
                    labels.retain(|label, _| !label.ends_with("controller-uid"));
                }
            }
        }
        Some("Pod") => {
            if let Some(spec) = live["spec"].as_object_mut() {
                spec.remove("nodeName");
            }
            if let Some(labels) = live["metadata"]["labels"].as_object_mut() {
                labels.retain(|label, _| !label.starts_with("topology.kubernetes.io/"));
            }
            blur_token_volumes(live);
        }
        Some("PersistentVolume" | "PersistentVolumeClaim") => {
            if let Some(spec) = live["spec"].as_object_mut() {
                spec.retain(|field, _| field != "claimRef" && field != "volumeName");
            }
            if let Some(metadata) = live["metadata"].as_object_mut() {
                let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
                let bound = |name: &str| name.starts_with("pv.kubernetes.io/b");
                if annotations.is_some_and(|a| (a.retain(|name, _| !bound(name)), a.is_empty()).1) {
                    metadata.remove("annotations");
                }
            }
        }
        Some("Secret") => {
            if let Some(data) = live["data"].as_object_mut() {
                data.remove("token");
            }
        }
        _ => {}
    }
}

fn blur_token_volumes(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("kube-api-access-") => "kube-api-access".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(blur_token_volumes),
        Value::Object(fields) => fields.values_mut().for_each(blur_token_volumes),
        _ => {}
    }
}

/// What is different of an object, if anything.
fn changed(before: &Value, after: Option<&Value>) -> Option<String> {
    let Some(after) = after else { return Some("it is gone".to_owned()) };
    let patch = json_patch::diff(before, after);
    (!patch.0.is_empty()).then(|| patch.to_string())
}
