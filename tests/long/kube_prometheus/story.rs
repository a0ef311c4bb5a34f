//! The story itself.

use std::path::Path;
use std::time::{Duration, Instant};

use gitward_test_cluster::{Options, Result, Stage};

use crate::kube_prometheus::denials::Denials;
use crate::kube_prometheus::edits;
use crate::kube_prometheus::equal;
use crate::kube_prometheus::figures::{Figures, resident, seconds};
use crate::kube_prometheus::live::Live;

/// What the bundle declares lives in a namespace of its own, and, for scraping, in two that others
/// live in; its cluster-scoped kinds are made by many.
const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- name: prod
  ref: refs/heads/main
  path: manifests
  namespaces: [monitoring]
  sharedNamespaces: [default, kube-system]
  sharedClusterKinds: [APIService, ClusterRole, ClusterRoleBinding, CustomResourceDefinition]
";

const FIRST: Duration = Duration::from_secs(180);
const LATER: Duration = Duration::from_secs(90);

pub(crate) async fn play(bundle: &Path) -> std::result::Result<(), String> {
    let mut stage = Stage::set(Path::new(env!("CARGO_BIN_EXE_gitward")), Options::with_nodes(2)).await.map_err(text)?;
    let states = states(&stage, bundle).map_err(text)?;
    println!("{} states", states.len());
    let mut denials = Denials::of(&stage);
    converge_all(&mut stage, &states, &mut denials).await?;
    stage.wait_condition("Ready", "True", Duration::from_secs(180)).await.map_err(text)?;
    denied_by_hand(&stage, &denials).await?;
    tell_counts(&stage).await?;
    println!("memory: webhook {}, reconciler {}", resident(stage.webhook_pid()), resident(stage.reconciler_pid()));
    stage.remove_webhook().await.map_err(text)?;
    edits::all_come_back(&stage).await?;
    println!("memory after the edits: reconciler {}", resident(stage.reconciler_pid()));
    equal::verify(&stage).await
}

/// What the gate decided over all states: by decision, origin and rule, and how often it looked twice.
async fn tell_counts(stage: &Stage) -> std::result::Result<(), String> {
    let metrics = stage.webhook_metrics().await?;
    for metric in ["decisions", "origins", "rules", "second_looks"] {
        let start = format!("gitward_webhook_{metric}_total");
        metrics.lines().filter_map(|line| line.strip_prefix(&start)).for_each(|line| println!("{metric}{line}"));
    }
    Ok(())
}

fn text(error: gitward_test_cluster::Error) -> String {
    error.to_string()
}

/// The commits of the bundle, oldest first, fetched into the work tree.
fn states(stage: &Stage, bundle: &Path) -> Result<Vec<String>> {
    let bundle = bundle.to_string_lossy();
    stage.work.git(&["fetch", "--quiet", &bundle, "main:refs/states/main"])?.checked()?;
    let list = stage.work.git(&["rev-list", "--reverse", "refs/states/main"])?.checked()?;
    Ok(list.lines().map(str::to_owned).collect())
}

fn check_out(stage: &Stage, state: &str) -> Result<()> {
    stage.work.git(&["rm", "-r", "-q", "-f", "--ignore-unmatch", "manifests"])?.checked()?;
    stage.work.git(&["checkout", "--quiet", state, "--", "manifests"])?.checked()?;
    stage.work.write("gitward.yaml", CONFIGURATION)
}

async fn converge_all(stage: &mut Stage, states: &[String], denials: &mut Denials) -> std::result::Result<(), String> {
    let (mut pushes, mut convergences, mut verified) = (Figures::default(), Figures::default(), 0);
    for (number, state) in states.iter().enumerate() {
        check_out(stage, state).map_err(text)?;
        let began = Instant::now();
        let (commit, pushed) = stage.push(&format!("State {}", number + 1)).map_err(text)?;
        if !pushed.success() {
            return Err(format!("the push of state {} was rejected:\n{}", number + 1, pushed.stderr));
        }
        let push = began.elapsed();
        if number == 0 {
            stage.create_environment().await.map_err(text)?;
            stage.start_webhook().await.map_err(text)?;
            stage.start_reconciler().await.map_err(text)?;
        }
        let began = Instant::now();
        let within = if number == 0 { FIRST } else { LATER };
        let message = stage.wait_converged(&commit, within).await.map_err(text)?;
        let converged = began.elapsed();
        verified += equal::verify(stage).await.map_err(|e| format!("state {}: {e}", number + 1)).map(|()| 1)?;
        denials.tell_new();
        println!("state {}: push {}, converged after {}: {message}", number + 1, seconds(push), seconds(converged));
        if number == 0 {
            println!("first push: {}; first convergence: {}", seconds(push), seconds(converged));
        } else {
            pushes.add(push);
            convergences.add(converged);
        }
    }
    println!("later pushes: {pushes}");
    println!("later convergences, from the end of the push to the Environment's word: {convergences}");
    println!("{verified} states verified equal to Git; denials: {}", denials.counts());
    denials.none_but("")
}

/// The gate does deny: one edit by a person, and it is the only denial of the whole story.
async fn denied_by_hand(stage: &Stage, denials: &Denials) -> std::result::Result<(), String> {
    let person = stage.cluster.person_kubeconfig("mallory", &["system:masters"]).map_err(text)?;
    let edits = [
        ["label", "-n", "monitoring", "deployment/grafana", "by=hand"],
        ["label", "-n", "kube-system", "rolebinding/resource-metrics-auth-reader", "by=hand"],
    ];
    for edit in edits {
        let output = stage.cluster.kubectl_as(&person, &edit, "").await.map_err(text)?;
        if output.success() || !output.stderr.contains("Git does not declare it") {
            return Err(format!("{edit:?} should have been denied: {}{}", output.stdout, output.stderr));
        }
    }
    // What others have there is nobody's business.
    let theirs = ["create", "configmap", "theirs", "-n", "default", "--from-literal=a=b"];
    stage.cluster.kubectl_as(&person, &theirs, "").await.map_err(text)?.checked().map_err(text)?;
    Live::of(stage).await?.exists("v1", "ConfigMap", "default", "theirs").await?;
    denials.none_but("mallory")
}
