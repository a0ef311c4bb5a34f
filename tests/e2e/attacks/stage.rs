//! The stage of the attacks: what Git declares, who is there, and what defends.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::{Options, Stage};
use serde_json::json;

use crate::Result;
use crate::fixtures::Fixture;
use crate::rounds::Played;

/// Someone with the role of the people.
pub(crate) const PERSON: &str = "paula";

/// A cluster administrator.
pub(crate) const ADMINISTRATOR: &str = "mallory";

const FENCE: &str = include_str!("../../../deploy/fence.yaml");
const PEOPLE: &str = include_str!("../../../deploy/people-rbac.yaml");
const COMMON: &str = include_str!("fixtures/common.yaml");

/// Policies of the fence.
pub(crate) const POLICIES: [&str; 5] =
    ["gitward-namespace", "gitward-trust", "gitward-registration", "gitward-identities", "gitward-control-plane"];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A stage on which Git declares what the attacks need, webhook and reconciler running.
pub(crate) async fn set(cases: &[Played]) -> Result<Stage> {
    let people = [PERSON, ADMINISTRATOR].map(|name| (name.to_owned(), Vec::new())).to_vec();
    let options = Options { people, ..Options::with_nodes(2) };
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), options).await.map_err(text)?;
    plant(&stage, cases)?;
    let (commit, pushed) = stage.push("What is attacked").map_err(text)?;
    if !pushed.success() {
        return Err(pushed.stderr);
    }
    stage.cluster.apply(PEOPLE).await.and_then(|o| o.checked()).map_err(text)?;
    for (role, name) in [("gitward-people", PERSON), ("coupons", PERSON), ("cluster-admin", ADMINISTRATOR)] {
        let (role, binding, user) =
            (format!("--clusterrole={role}"), format!("{role}-{name}"), format!("--user={name}"));
        let line = ["create", "clusterrolebinding", &binding, &role, &user];
        stage.cluster.kubectl(&line).await.and_then(|o| o.checked()).map_err(text)?;
    }
    stage.create_environment().await.map_err(text)?;
    stage.start_reconciler().await.map_err(text)?;
    stage.wait_converged(&commit, Duration::from_secs(150)).await.map_err(text)?;
    stage.start_webhook().await.map_err(text)?;
    fence(&stage).await?;
    settle(&stage, &commit).await?;
    Ok(stage)
}

/// Waits until controllers have made what they make.
async fn settle(stage: &Stage, _commit: &str) -> Result<()> {
    stage.wait_condition("Ready", "True", Duration::from_secs(90)).await.map(|_| ()).or(Ok(()))
}

/// Puts the fence up.
async fn fence(stage: &Stage) -> Result<()> {
    stage.cluster.apply(FENCE).await.and_then(|o| o.checked()).map_err(text)?;
    // Policies are in force a moment after they are made.
    let name = "gitward-probe";
    let probe = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name}});
    let admin = stage.cluster.admin_kubeconfig();
    for _ in 0..100 {
        let tried = ["create", "--dry-run=server", "-f", "-"];
        let output = stage.cluster.kubectl_as(admin, &tried, &probe.to_string()).await.map_err(text)?;
        if !output.success() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the fence does not come into force".to_owned())
}

/// Takes the fence away.
pub(crate) async fn open_the_fence(stage: &Stage) -> Result<()> {
    let line = ["delete", "--ignore-not-found", "-f", "-"];
    let admin = stage.cluster.admin_kubeconfig();
    stage.cluster.kubectl_as(admin, &line, FENCE).await.and_then(|o| o.checked()).map_err(text)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Takes the webhook and its registration away.
pub(crate) async fn without_webhook(stage: &mut Stage) -> Result<()> {
    stage.remove_webhook().await.map_err(text)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

/// Takes the reconciler away, and puts stand-ins without effect where the fence and the
/// registration were, so that attacks on them have something to change.
pub(crate) async fn without_anything(stage: &mut Stage) -> Result<()> {
    stage.kill_reconciler();
    let name = stage.webhook_configuration();
    let mut objects = vec![json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}})];
    for policy in POLICIES {
        objects.push(json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": policy}, "spec": {"failurePolicy": "Ignore", "validations": [{"expression": "true"}],
            "matchConstraints": {"resourceRules": [{"apiGroups": ["nobodys.example.org"], "apiVersions": ["*"],
                "operations": ["CREATE"], "resources": ["things"]}]}}}));
        objects.push(json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": policy},
            "spec": {"policyName": policy, "validationActions": ["Audit"]}}));
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    stage.cluster.apply(&list.to_string()).await.and_then(|o| o.checked()).map_err(text)?;
    Ok(())
}

fn plant(stage: &Stage, cases: &[Played]) -> Result<()> {
    let mut namespaces = BTreeSet::from(["field".to_owned()]);
    stage.work.write("prod/common.yaml", COMMON).map_err(text)?;
    for played in cases {
        let keys: BTreeSet<String> = played.keys().into_iter().collect();
        for (key, fixture) in keys.iter().flat_map(|key| played.case.needs.iter().map(move |f| (key, f))) {
            let file = format!("prod/{key}/{fixture:?}.yaml").to_lowercase();
            stage.work.write(&file, fixture.manifests().replace("NAME", key)).map_err(text)?;
            if *fixture == Fixture::Space {
                namespaces.insert(key.clone());
            }
        }
    }
    let namespaces: Vec<String> = namespaces.into_iter().collect();
    let configuration = include_str!("fixtures/gitward.yaml").replace("NAMESPACES", &namespaces.join(", "));
    stage.work.write("gitward.yaml", configuration).map_err(text)
}
