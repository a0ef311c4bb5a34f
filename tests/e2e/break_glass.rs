//! Break-glass: whom Git names may change by hand what Git says, for a while and with a reason; it is
//! told, and undone when it ends. So is told which exemptions are over, and which nobody uses.

use std::time::Duration;

use gitward_test_cluster::{Result, Stage, WorkTree};
use serde_json::Value;

use crate::edits::{self, Editor, MALLORY, SRE};
use crate::fleet::fenced_with;
use crate::picture;

const WITHIN: Duration = Duration::from_secs(60);

/// Follows the exemption of the demo.
const DECLARATION: &str = "
- name: debug
  accounts: [sre]
  kinds: [Pod]
  namespaces: [shop]
  reason: a look into a Pod leaves nothing in the cluster
- name: migration
  accounts: [sre]
  kinds: [Job.batch]
  until: 2020-01-01T00:00:00Z
  reason: long done
breakGlass:
- name: on-call
  accounts: [sre]
  namespaces: [shop]
  maximum: 1h
";

const HOTFIX: &str = "set image deployment/web -n shop web=registry.example.org/shop/web:hotfix";

fn glass(reason: &str, duration: &str) -> String {
    format!(
        "apiVersion: gitward.dev/v1alpha1\nkind: BreakGlass\nmetadata: {{name: fire}}\nspec:\n  environment: prod\n  \
         declaration: on-call\n  reason: {reason}\n  duration: {duration}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_git_names_may_repair_by_hand_and_it_is_undone_at_the_end() {
    let mut stage = set().await.unwrap();
    let (sre, mallory) = (Editor::new(&stage, SRE).unwrap(), Editor::new(&stage, MALLORY).unwrap());
    denied(&sre, HOTFIX, "", "registry.example.org/shop/web:1.4.2").await;

    an_exemption_that_is_over(&stage).await;
    let unused = ["restarts at gitward.yaml:", "debug at gitward.yaml:", "glass on-call at gitward.yaml:"];
    told_of_exemptions(&stage, &unused, &[]).await;

    denied(&mallory, "create -f -", &glass("mine", "30m"), "mallory is none of those who may by gitward.yaml:").await;
    denied(&sre, "create -f -", &glass("the shop is down", "2h"), "spec.duration is longer than").await;
    sre.kubectl("create -f -", &glass("the shop is down", "30m")).await.unwrap().checked().unwrap();
    until(&stage, "breakglass fire", "its receipt", |g| g["status"]["receipt"]["account"] == "sre").await;
    let told = stage.wait_condition("BreakGlass", "True", WITHIN).await.unwrap();
    assert!(told.contains("sre broke the glass fire (on-call at gitward.yaml:"), "{told}");
    assert!(told.contains("the shop is down"), "{told}");

    // It is for its author and its namespace alone, and what was asked for is not stretched.
    denied(&mallory, HOTFIX, "", "registry.example.org/shop/web:1.4.2").await;
    denied(&sre, "create configmap debug -n data --from-literal=a=b", "", "not declared in Git").await;
    denied(&sre, "patch breakglass fire --type=merge -p '{\"spec\":{\"duration\":\"1h\"}}'", "", "cannot be changed")
        .await;
    // The one leaves something in the cluster, the other does not; no kubelet is there to answer it.
    sre.kubectl("rollout restart deployment/checkout -n shop", "").await.unwrap().checked().unwrap();
    let looked_into = sre.kubectl("exec -n shop deployment/checkout -- true", "").await.unwrap();
    assert!(!looked_into.stderr.contains("denied the request"), "{}", looked_into.stderr);
    let passed = sre.kubectl(HOTFIX, "").await.unwrap();
    assert!(passed.success() && passed.stderr.contains("break-glass fire"), "{}", passed.stderr);
    sre.kubectl("create configmap debug -n shop --from-literal=a=b", "").await.unwrap().checked().unwrap();
    sre.kubectl("create deployment helper -n shop --image=registry.example.org/helper:1", "")
        .await
        .unwrap()
        .checked()
        .unwrap();
    for rolled in ["deployment/web", "deployment/helper"] {
        let status = format!("rollout status {rolled} -n shop --timeout=60s");
        sre.kubectl(&status, "").await.unwrap().checked().unwrap();
    }

    // Git goes on, and leaves alone what is being repaired, though it says something else of it by now.
    let web = stage.work.read("prod/shop/web.yaml").unwrap().replace("replicas: 2", "replicas: 3");
    stage.work.write("prod/shop/web.yaml", web).unwrap();
    stage
        .work
        .write("prod/shop/later.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, namespace: shop}\n")
        .unwrap();
    let (commit, pushed) = stage.push("Life goes on").unwrap();
    assert!(pushed.success(), "{}", pushed.stderr);
    stage.wait_converged(&commit, WITHIN).await.unwrap();
    assert_eq!(image(&stage).await, "registry.example.org/shop/web:hotfix");
    told_of_exemptions(&stage, &["migration at gitward.yaml:"], &unused).await;
    for kept in ["configmap/debug -n shop", "deployment/helper -n shop", "configmap/later -n shop"] {
        assert!(sre.get(kept).await.unwrap().is_object(), "{kept}");
    }

    sre.kubectl("delete breakglass fire", "").await.unwrap().checked().unwrap();
    until(&stage, "deployment/web -n shop", "the image and the replicas of Git", |d| {
        web_image(d) == "registry.example.org/shop/web:1.4.2" && d["spec"]["replicas"] == 3
    })
    .await;
    for gone in ["configmap/debug -n shop", "deployment/helper -n shop"] {
        until(&stage, gone, "its removal", Value::is_null).await;
    }
    stage.wait_condition("BreakGlass", "False", WITHIN).await.unwrap();
    forged(&mut stage).await;
}

/// It is told in an Event and in the Environment, with its line in Git.
async fn an_exemption_that_is_over(stage: &Stage) {
    let event = async || {
        let selector = "--field-selector=involvedObject.kind=Environment,reason=Expired";
        let events =
            stage.cluster.kubectl(&["get", "events", "-n", "default", selector, "-o", "json"]).await?.checked()?;
        let events: Value = serde_json::from_str(&events).unwrap_or_default();
        Ok(events["items"][0]["message"].as_str().map(str::to_owned))
    };
    let event = stage.wait_for("the Event of an exemption that is over", WITHIN, event).await.unwrap();
    let said = "exemption \"migration\" holds no more since 2020-01-01T00:00:00Z [config/expired]; to do: remove";
    assert!(event.starts_with("gitward.yaml:") && event.contains(said), "{event}");
    told_of_exemptions(stage, &["migration at gitward.yaml:", "holds no more since 2020-01-01T00:00:00Z"], &[]).await;
}

/// Waits until the Environment says all of these of its exemptions, and none of those.
async fn told_of_exemptions(stage: &Stage, all: &[&str], none: &[&str]) {
    let told = async || {
        let message = stage.wait_condition("ExemptionsInUse", "False", WITHIN).await?;
        let has = |part: &&str| message.contains(part);
        Ok((all.iter().all(has) && !none.iter().any(has)).then_some(message))
    };
    let message = stage.wait_for(&format!("{all:?} and not {none:?}"), WITHIN, told).await.unwrap();
    println!("exemptions: {message}");
}

/// Nobody judged it: with the webhook gone anybody may make one, and it lets nothing through.
async fn forged(stage: &mut Stage) {
    stage.kill_webhook();
    // The fence keeps the registration, so it goes first.
    stage.kill_reconciler();
    stage
        .cluster
        .kubectl(&["delete", "validatingadmissionpolicybinding", "gitward-registration"])
        .await
        .unwrap()
        .checked()
        .unwrap();
    stage
        .wait_for("the registration's removal", WITHIN, async || Ok(stage.unregister_webhook().await.ok()))
        .await
        .unwrap();
    stage.start_reconciler().await.unwrap();
    stage.wait_condition("Guarded", "False", WITHIN).await.unwrap();

    let mallory = Editor::new(stage, MALLORY).unwrap();
    mallory.kubectl("create -f -", &glass("mine", "1h")).await.unwrap().checked().unwrap();
    let uid = mallory.get("breakglass fire").await.unwrap()["metadata"]["uid"].clone();
    let receipt =
        format!(r#"{{"status":{{"receipt":{{"uid":{uid},"account":"mallory","until":"2099-01-01T00:00:00Z"}}}}}}"#);
    let patch = format!("patch breakglass fire --subresource=status --type=merge -p '{receipt}'");
    denied(&mallory, &patch, "", "only gitward says how").await;
    mallory.kubectl(HOTFIX, "").await.unwrap().checked().unwrap();
    until(stage, "deployment/web -n shop", "the image of Git", |d| {
        web_image(d) == "registry.example.org/shop/web:1.4.2"
    })
    .await;
}

async fn set() -> Result<Stage> {
    let declare = |work: &WorkTree| {
        let configuration = work.read("gitward.yaml")?;
        work.write("gitward.yaml", configuration + DECLARATION)
    };
    fenced_with(edits::options(), declare).await
}

async fn denied(who: &Editor<'_>, line: &str, input: &str, says: &str) {
    let output = who.kubectl(line, input).await.unwrap();
    assert!(!output.success(), "it was let through: {line}");
    assert!(output.stderr.contains(says), "{line}: {}", output.stderr);
}

fn web_image(deployment: &Value) -> &str {
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default()
}

async fn image(stage: &Stage) -> String {
    let client = stage.cluster.client().await.unwrap();
    web_image(&picture::get(&client, "deployment/web -n shop").await.unwrap()).to_owned()
}

async fn until(stage: &Stage, object: &str, what: &str, holds: impl Fn(&Value) -> bool) {
    let editor = Editor::new(stage, SRE).unwrap();
    let what = format!("{what} of {object}");
    let came = stage.wait_for(&what, WITHIN, async || Ok(holds(&editor.get(object).await?).then_some(())));
    came.await.unwrap();
}
