//! The fence: what no webhook can see through is refused by policies, and the policies themselves,
//! which nothing in the cluster can guard, come back.

use std::time::Duration;

use gitward_test_cluster::{Result, Stage};
use serde_json::Value;

use crate::edits::{self, Editor, MALLORY};
use crate::fleet::fenced_with;

const WITHIN: Duration = Duration::from_secs(60);

const POLICIES: [&str; 5] =
    ["gitward-control-plane", "gitward-identities", "gitward-namespace", "gitward-registration", "gitward-trust"];

/// What an administrator of the cluster tries past the webhook, as a dry run: what refuses it, and
/// what is tried.
const ATTEMPTS: [(&str, &str); 11] = [
    ("gitward-namespace", "create configmap additions-prod-00 -n gitward-system --from-literal=a=b"),
    ("gitward-namespace", "create token gitward-reconciler -n gitward-system"),
    ("gitward-namespace", "delete lease gitward-reconciler-prod -n gitward-system"),
    (
        "gitward-namespace",
        "patch lease gitward-reconciler-prod -n gitward-system --type=merge -p '{\"spec\":{\"holderIdentity\":\"mallory\"}}'",
    ),
    ("gitward-namespace", "create secret generic gitward-webhook-prod -n gitward-system --from-literal=a=b"),
    ("gitward-namespace", "delete serviceaccount gitward-reconciler -n gitward-system"),
    ("gitward-trust", "delete environment.gitward.dev prod"),
    (
        "gitward-trust",
        "patch environment.gitward.dev prod --subresource=status --type=merge -p '{\"status\":{\"commit\":\"x\"}}'",
    ),
    ("gitward-trust", "label namespace gitward-system a=b"),
    ("gitward-registration", "delete validatingwebhookconfiguration gitward-prod"),
    ("gitward-identities", "create token deployment-controller -n kube-system"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_fence_refuses_what_no_webhook_sees_and_comes_back_when_it_is_taken_away() {
    let mut stage = fenced_with(edits::options(), |_| Ok(())).await.unwrap();
    let told = stage.wait_condition("Guarded", "True", WITHIN).await.unwrap();
    assert!(told.contains("ValidatingAdmissionPolicyBinding/gitward-trust"), "{told}");
    assert!(told.contains("ValidatingWebhookConfiguration/gitward-prod"), "{told}");
    attempts_are_refused(&stage).await.unwrap();

    for policy in POLICIES {
        for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
            let before = uid(&stage, kind, policy).await.unwrap();
            as_mallory(&stage, &format!("delete {kind} {policy}")).await.unwrap();
            back(&stage, kind, policy, |o| o["metadata"]["uid"] != before).await;
        }
    }
    let loosened = [
        ("validatingadmissionpolicy gitward-trust", r#"{"spec":{"validations":[{"expression":"true"}]}}"#),
        (
            "validatingadmissionpolicy gitward-namespace",
            r#"{"spec":{"failurePolicy":"Ignore","matchConditions":[{"name":"no","expression":"false"}]}}"#,
        ),
        ("validatingadmissionpolicybinding gitward-registration", r#"{"spec":{"validationActions":["Audit"]}}"#),
    ];
    for (policy, patch) in loosened {
        let (kind, name) = policy.split_once(' ').unwrap();
        let before = spec(&stage, kind, name).await.unwrap();
        as_mallory(&stage, &format!("patch {policy} --type=merge -p '{patch}'")).await.unwrap();
        back(&stage, kind, name, |o| o["spec"] == before).await;
    }
    attempts_are_refused(&stage).await.unwrap();

    without_its_keeper(&mut stage).await;
}

/// With nobody to keep it, the fence stays away, and what it refused succeeds; the Environment says
/// so as soon as somebody looks, and it is put up again when it is kept.
async fn without_its_keeper(stage: &mut Stage) {
    stage.kill_reconciler();
    for policy in POLICIES {
        as_mallory(stage, &format!("delete validatingadmissionpolicybinding {policy}")).await.unwrap();
    }
    for (policy, attempt) in ATTEMPTS {
        // Policies that were just taken away go on for a moment.
        let open = stage.wait_for("the gap in the fence", WITHIN, async || {
            let tried = Editor::new(stage, MALLORY)?.kubectl(&dry(attempt), "").await?;
            Ok(tried.success().then_some(()))
        });
        open.await.unwrap_or_else(|error| panic!("without {policy} this has to succeed: {attempt}: {error}"));
    }
    stage.keep_fence(false);
    stage.start_reconciler().await.unwrap();
    let told = stage.wait_condition("Guarded", "False", WITHIN).await.unwrap();
    assert!(told.contains("ValidatingAdmissionPolicyBinding/gitward-trust is not there"), "{told}");
    stage.kill_reconciler();
    stage.keep_fence(true);
    stage.start_reconciler().await.unwrap();
    stage.wait_condition("Guarded", "True", WITHIN).await.unwrap();
    attempts_are_refused(stage).await.unwrap();
}

/// Tried for real a token works, so everything is a dry run but for tokens, which know none.
fn dry(attempt: &str) -> String {
    if attempt.starts_with("create token") { attempt.to_owned() } else { format!("{attempt} --dry-run=server") }
}

async fn attempts_are_refused(stage: &Stage) -> Result<()> {
    for (policy, attempt) in ATTEMPTS {
        // Policies come into force a moment after they were written.
        let what = format!("{policy} to refuse {attempt}");
        let refused = stage.wait_for(&what, WITHIN, async || {
            let tried = Editor::new(stage, MALLORY)?.kubectl(&dry(attempt), "").await?;
            Ok((!tried.success() && tried.stderr.contains(&format!("'{policy}'"))).then_some(()))
        });
        refused.await?;
    }
    Ok(())
}

async fn as_mallory(stage: &Stage, line: &str) -> Result<String> {
    Editor::new(stage, MALLORY)?.kubectl(line, "").await?.checked()
}

async fn object(stage: &Stage, kind: &str, name: &str) -> Result<Value> {
    Editor::new(stage, MALLORY)?.get(&format!("{kind} {name}")).await
}

async fn uid(stage: &Stage, kind: &str, name: &str) -> Result<Value> {
    Ok(object(stage, kind, name).await?["metadata"]["uid"].clone())
}

async fn spec(stage: &Stage, kind: &str, name: &str) -> Result<Value> {
    Ok(object(stage, kind, name).await?["spec"].clone())
}

async fn back(stage: &Stage, kind: &str, name: &str, is_back: impl Fn(&Value) -> bool) {
    let what = format!("{kind} {name} to come back");
    let came = stage.wait_for(&what, WITHIN, async || {
        let live = object(stage, kind, name).await?;
        Ok((live.is_object() && is_back(&live)).then_some(()))
    });
    came.await.unwrap();
}
