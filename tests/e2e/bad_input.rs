//! Commits that got past the hooks and declare nothing that could be used: the Environment says
//! what is wrong, where, and what to do; what was good before stays in force; a correction heals it.

use std::time::Duration;

use gitward_test_cluster::{Error, Options, Output, Result, Stage};
use serde_json::Value;

use crate::edits::MALLORY;
use crate::fleet::gitward;

const SOON: Duration = Duration::from_secs(30);

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
  clusterKinds: [CustomResourceDefinition]
";

const WEB: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
data: {greeting: hello}
";

/// A condition of the Environment, its status, and parts of its message.
type Told = (&'static str, &'static str, &'static [&'static str]);

/// A commit that cannot be used.
struct Bad {
    name: &'static str,
    /// Files that it writes, or removes where there is no text.
    files: &'static [(&'static str, Option<&'static str>)],
    told: Told,
}

const UNUSABLE: (&str, &str) = ("CommitUsable", "False");
const REFUSED: (&str, &str) = ("Converged", "False");

const fn bad(
    name: &'static str,
    files: &'static [(&'static str, Option<&'static str>)],
    (condition, status): (&'static str, &'static str),
    parts: &'static [&'static str],
) -> Bad {
    Bad { name, files, told: (condition, status, parts) }
}

const COMMITS: [Bad; 12] = [
    bad(
        "no gitward.yaml",
        &[("gitward.yaml", None)],
        UNUSABLE,
        &["the tree has no gitward.yaml", "to do: add it at the root of the repository"],
    ),
    bad(
        "gitward.yaml is no YAML",
        &[("gitward.yaml", Some("environments: [\n"))],
        UNUSABLE,
        &["gitward.yaml:2:1: ", "[manifest/syntax]", "to do: A value is missing here"],
    ),
    bad(
        "gitward.yaml has an unknown field",
        &[("gitward.yaml", Some("apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironment: []\n"))],
        UNUSABLE,
        &["gitward.yaml:3:1: ", "[config/unknown-field]", "to do: "],
    ),
    bad(
        "gitward.yaml does not know the environment",
        &[(
            "gitward.yaml",
            Some(
                "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironments:\n\
                 - {name: stage, ref: refs/heads/main, path: prod, namespaces: [shop]}\n",
            ),
        )],
        UNUSABLE,
        &["gitward.yaml:4:1: gitward.yaml does not name an environment prod", "to do: name it there (it names: stage)"],
    ),
    bad(
        "gitward.yaml follows another ref",
        &[(
            "gitward.yaml",
            Some(
                "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironments:\n\
                 - {name: prod, ref: refs/heads/next, path: prod, namespaces: [shop]}\n",
            ),
        )],
        UNUSABLE,
        &[
            "gitward.yaml:4:21: gitward.yaml feeds environment prod from refs/heads/next",
            "to do: let both name the same",
        ],
    ),
    bad(
        "broken YAML",
        &[("prod/more.yaml", Some("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more\n"))],
        UNUSABLE,
        &["prod/more.yaml:", "[manifest/", "to do: "],
    ),
    bad(
        "what makes the parser panic",
        &[("prod/more.yaml", Some("apiVersion: v1\nkind: ConfigMap\nmetadata: [!a,b]\n"))],
        UNUSABLE,
        &["prod/more.yaml:1:1: ", "[manifest/", "to do: Write it without unusual syntax"],
    ),
    bad(
        "no kind",
        &[("prod/more.yaml", Some("apiVersion: v1\nmetadata:\n  name: more\n  namespace: shop\n"))],
        UNUSABLE,
        &["prod/more.yaml:1:1: ", "`kind`", "to do: "],
    ),
    bad(
        "an object twice",
        &[("prod/more.yaml", Some("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n"))],
        UNUSABLE,
        &["prod/web.yaml:", "[tree/duplicate-object]", "prod/more.yaml:", "to do: "],
    ),
    bad(
        "a kind that nothing defines",
        &[(
            "prod/more.yaml",
            Some("apiVersion: shop.example.org/v1\nkind: Voucher\nmetadata: {name: v, namespace: shop}\n"),
        )],
        REFUSED,
        &[
            "prod/more.yaml:1:1: ",
            "Voucher",
            "is not served by this cluster",
            "to do: add its CustomResourceDefinition",
        ],
    ),
    bad(
        "a namespace that is not governed",
        &[("prod/more.yaml", Some("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  namespace: nowhere\n"))],
        UNUSABLE,
        &["prod/more.yaml:5:14: ", "[tree/wrong-namespace]", "to do: "],
    ),
    bad(
        "a namespace that neither cluster nor commit has",
        &[
            (
                "prod/more.yaml",
                Some("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  namespace: nowhere\n"),
            ),
            (
                "gitward.yaml",
                Some(
                    "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nstarterPolicies: false\nenvironments:\n\
                     - name: prod\n  ref: refs/heads/main\n  path: prod\n  namespaces: [shop, nowhere]\n  \
                     clusterKinds: [CustomResourceDefinition]\n",
                ),
            ),
        ],
        REFUSED,
        &["prod/more.yaml:1:1: ", "namespaces \"nowhere\" not found", "to do: declare the Namespace"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_cannot_be_used_are_told_and_change_nothing() {
    let options = Options { people: vec![(MALLORY.to_owned(), Vec::new())], ..Options::default() };
    let mut stage = Stage::set(gitward(), options).await.unwrap();
    let binding = ["create", "clusterrolebinding", MALLORY, "--clusterrole=cluster-admin", "--user", MALLORY];
    stage.cluster.kubectl(&binding).await.unwrap().checked().unwrap();

    the_first_commit_of_all(&mut stage).await.unwrap();
    for commit in &COMMITS {
        past_the_hooks(&stage, commit).await.unwrap_or_else(|error| panic!("{}: {error}", commit.name));
    }
    git_without_an_answer(&mut stage).await.unwrap();
    a_restart_while_a_commit_is_refused(&mut stage).await.unwrap();
    for (reason, told) in [("Forbidden", "Failed"), ("Invalid", "LeftAlone")] {
        a_revert_that_fails_again_and_again(&stage, reason, told).await.unwrap();
    }
    the_own_definition(&stage).await.unwrap();
    let log = std::fs::read_to_string(stage.reconciler_log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    let log = std::fs::read_to_string(stage.webhook_log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// A first commit that is bad locks nobody out.
async fn the_first_commit_of_all(stage: &mut Stage) -> Result<()> {
    stage.work.write("gitward.yaml", CONFIGURATION)?;
    stage.work.write("prod/web.yaml", WEB.replace("data: {greeting: hello}", "data: {greeting: [hello"))?;
    let (commit, pushed) = stage.push("The first one")?;
    assert!(pushed.success(), "{}", pushed.stderr);
    stage.create_environment().await?;
    for account in ["gitward-reconciler", "gitward-webhook"] {
        stage.cluster.kubeconfig_for_service_account("gitward-system", account).await?;
    }
    stage.start_gitward_alone()?;
    told(stage, (UNUSABLE.0, UNUSABLE.1, &["prod/web.yaml:", "there is no commit to go on with"]), &commit).await?;
    let log = stage.webhook_log();
    let logged = async || Ok(read(&log).contains("prod/web.yaml:").then_some(()));
    stage.wait_for("the webhook's word about the commit", SOON, logged).await?;
    assert!(stage.webhook_ready().await.is_err());
    let registered = ["get", "validatingwebhookconfigurations", "--output=name"];
    assert_eq!(stage.cluster.kubectl(&registered).await?.checked()?, "");
    mallory(stage, &["create", "namespace", "shop"]).await?.checked()?;

    let good = correct(stage).await?;
    let told = stage.wait_condition("CommitUsable", "True", SOON).await?;
    assert_eq!(told, "the ref's commit can be used", "{good}");
    let name = stage.webhook_configuration();
    let registered = async || {
        let found = stage.cluster.kubectl(&["get", "validatingwebhookconfiguration", &name]).await?;
        Ok(found.success().then_some(()))
    };
    stage.wait_for("the webhook's registration", SOON, registered).await
}

async fn past_the_hooks(stage: &Stage, bad: &Bad) -> Result<()> {
    for (file, text) in bad.files {
        match text {
            Some(text) => stage.work.write(file, text)?,
            None => stage.work.remove(file)?,
        }
    }
    let (commit, pushed) = stage.push(bad.name)?;
    pushed.checked()?;
    let message = told(stage, bad.told, &commit).await?;
    println!("{}: {message}", bad.name);
    not_ready(stage, &commit).await?;
    denied(stage).await?;
    correct(stage).await.map(drop)
}

/// Whoever waits for the ref's commit is not told that it is ready, and sees at a glance why.
async fn not_ready(stage: &Stage, commit: &str) -> Result<()> {
    told(stage, ("Ready", "False", &[]), commit).await?;
    let listed = stage.cluster.kubectl(&["get", "environments"]).await?.checked()?;
    let columns: Vec<&str> = listed.lines().nth(1).unwrap_or_default().split_whitespace().rev().take(2).collect();
    assert_eq!(columns, ["Refused", "False"], "{listed}");
    Ok(())
}

/// Puts the good files back and waits until they are what runs.
async fn correct(stage: &Stage) -> Result<String> {
    stage.work.write("gitward.yaml", CONFIGURATION)?;
    stage.work.write("prod/web.yaml", WEB)?;
    // Not every bad commit has it.
    let _ = stage.work.remove("prod/more.yaml");
    let (commit, pushed) = stage.push("Correct it")?;
    pushed.checked()?;
    stage.wait_converged(&commit, SOON).await?;
    stage.wait_condition("CommitUsable", "True", SOON).await?;
    told(stage, ("Ready", "True", &[]), &commit).await?;
    Ok(commit)
}

/// The ref is gone, then the Git host, then the ref is rewound.
async fn git_without_an_answer(stage: &mut Stage) -> Result<()> {
    let good = stage.repository.git(&["rev-parse", "refs/heads/main"])?.checked()?.trim().to_owned();
    let unknown = ("CommitUsable", "Unknown");
    stage.repository.git(&["update-ref", "-d", "refs/heads/main"])?.checked()?;
    let parts: &[&str] = &["the repository has no refs/heads/main", "to do: push it", "stays in force"];
    told(stage, (unknown.0, unknown.1, parts), &good).await?;
    denied(stage).await?;
    stage.repository.git(&["update-ref", "refs/heads/main", &good])?.checked()?;
    stage.wait_condition("CommitUsable", "True", SOON).await?;

    stage.host.stop();
    let parts: &[&str] = &["`git fetch` failed: ", "to do: check that the Git host runs", "stays in force"];
    told(stage, (unknown.0, unknown.1, parts), &good).await?;
    denied(stage).await?;
    stage.host.start_again()?;
    stage.wait_condition("CommitUsable", "True", SOON).await?;

    stage.repository.git(&["update-ref", "refs/heads/main", &format!("{good}~1")])?.checked()?;
    let parts: &[&str] = &["refs/heads/main was moved from ", "which does not follow from it", "to do: "];
    told(stage, (UNUSABLE.0, UNUSABLE.1, parts), &good).await?;
    told(stage, ("Ready", "False", parts), &good).await?;
    denied(stage).await?;
    stage.repository.git(&["update-ref", "refs/heads/main", &good])?.checked()?;
    stage.wait_condition("CommitUsable", "True", SOON).await?;
    // No commit came: the one of before is ready as it was.
    told(stage, ("Ready", "True", &[]), &good).await.map(drop)
}

/// The ref's commit is refused by the API server, the reconciler comes back, and the webhook is
/// away: what was in force before the stop is brought back.
async fn a_restart_while_a_commit_is_refused(stage: &mut Stage) -> Result<()> {
    let Some(refused) = COMMITS.iter().find(|c| c.told.0 == REFUSED.0) else { unreachable!() };
    for (file, text) in refused.files {
        stage.work.write(file, text.unwrap_or_default())?;
    }
    let (commit, pushed) = stage.push("Refused")?;
    pushed.checked()?;
    told(stage, refused.told, &commit).await?;
    stage.kill_reconciler();
    stage.remove_webhook().await?;
    patch(stage, "restarted").await?.checked()?;
    stage.start_reconciler().await?;
    reverted(stage).await?;
    correct(stage).await.map(drop)
}

/// A policy keeps the reconciler from an object: that is told once, tried again and again, and no
/// longer when the way is free.
async fn a_revert_that_fails_again_and_again(stage: &Stage, reason: &str, tells: &str) -> Result<()> {
    stage.cluster.apply(&STRANGER.replace("REASON", reason)).await?.checked()?;
    let tried = async || {
        let edit = ["-n", "shop", "patch", "configmap", "web", "--dry-run=server", "--type=merge"];
        let account = "--as=system:serviceaccount:gitward-system:gitward-reconciler";
        let edit = [&edit[..], &["-p", "{\"data\":{\"a\":\"b\"}}", account]].concat();
        stage.cluster.kubectl(&edit).await
    };
    let stands = async || Ok(tried().await?.stderr.contains("the stranger says no").then_some(()));
    stage.wait_for("the policy to be in force", SOON, stands).await?;
    let told = async || {
        let diverged = events(stage, "Diverged", "data.greeting", "web").await?;
        Ok::<_, Error>((diverged, events(stage, tells, "the stranger says no", "web").await?))
    };
    let (refused, (diverged, failed)) = (refusals(stage).await?, told().await?);
    patch(stage, "kept").await?.checked()?;
    // At once, after two and after four more seconds.
    let often = async || Ok((refusals(stage).await? >= refused + 3).then_some(()));
    stage.wait_for("three refused tries", SOON, often).await?;
    assert_eq!(told().await?, (diverged + 1, failed + 1), "one word for one edit\n{}", stage.log_tails());

    stage.cluster.kubectl(&["delete", "validatingadmissionpolicybinding", "stranger"]).await?.checked()?;
    let off = async || Ok(tried().await?.success().then_some(()));
    stage.wait_for("the policy to be off", SOON, off).await?;
    // Whatever happens to the object is looked at at once.
    patch(stage, "once more").await?.checked()?;
    reverted(stage).await
}

const STRANGER: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: stranger}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], resources: [configmaps], operations: [UPDATE]}
  matchConditions:
  - name: one
    expression: object.metadata.name == 'web' && request.userInfo.username.endsWith(':gitward-reconciler')
  validations:
  - {expression: 'false', message: the stranger says no, reason: REASON}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: stranger}
spec: {policyName: stranger, validationActions: [Deny]}
";

/// How often the policy refused something.
async fn refusals(stage: &Stage) -> Result<u64> {
    let metrics = stage.cluster.kubectl(&["get", "--raw", "/metrics"]).await?.checked()?;
    let counts = metrics.lines().filter(|l| {
        l.starts_with("apiserver_validating_admission_policy_check_total{")
            && l.contains("policy=\"stranger\"")
            && l.contains("enforcement_action=\"deny\"")
    });
    Ok(counts.filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}

/// The definition of Environments is gitward's own: left alone without a word, until somebody
/// changes it.
async fn the_own_definition(stage: &Stage) -> Result<()> {
    let definition = "environments.gitward.dev";
    assert_eq!(events(stage, "LeftAlone", definition, definition).await?, 0);
    let patch = "{\"spec\":{\"names\":{\"shortNames\":[\"genv\",\"secrets\"]}}}";
    mallory(stage, &["patch", "crd", definition, "--type=merge", "-p", patch]).await?.checked()?;
    let told = async || Ok((events(stage, "LeftAlone", definition, definition).await? == 1).then_some(()));
    stage.wait_for("word of the changed definition", SOON, told).await
}

/// Waits until a condition says all of it, and of this commit.
async fn told(stage: &Stage, (condition, status, parts): Told, commit: &str) -> Result<String> {
    let mut last = String::new();
    let told = stage
        .wait_for(&format!("{condition}={status} with {parts:?} of {}", &commit[..12]), SOON, async || {
            let environment = stage.environment().await?;
            let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let found = conditions.into_iter().find(|c| c["type"] == condition && c["status"] == status);
            last = found.map(|c| c["message"].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
            let all = last.contains(&commit[..12]) && parts.iter().all(|part| last.contains(part));
            Ok(all.then(|| last.clone()))
        })
        .await;
    if told.is_err() {
        println!("the last message was: {last}");
    }
    told
}

async fn mallory(stage: &Stage, arguments: &[&str]) -> Result<Output> {
    let kubeconfig = stage.cluster.person_kubeconfig(MALLORY, &[])?;
    stage.cluster.kubectl_as(kubeconfig, arguments, "").await
}

async fn patch(stage: &Stage, greeting: &str) -> Result<Output> {
    let patch = format!("{{\"data\":{{\"greeting\":\"{greeting}\"}}}}");
    mallory(stage, &["-n", "shop", "patch", "configmap", "web", "--type=merge", "-p", &patch]).await
}

async fn denied(stage: &Stage) -> Result<()> {
    let edit = patch(stage, "nobody declared this").await?;
    let denied = !edit.success() && edit.stderr.contains("prod/web.yaml:10:18");
    assert!(denied, "{}{}\n{}", edit.stdout, edit.stderr, stage.log_tails());
    Ok(())
}

async fn reverted(stage: &Stage) -> Result<()> {
    let back = async || {
        let found = stage.cluster.kubectl(&["-n", "shop", "get", "configmap", "web", "--output=json"]).await?;
        let found: Value = serde_json::from_str(&found.stdout).unwrap_or_default();
        Ok((found["data"]["greeting"] == "hello").then_some(()))
    };
    stage.wait_for("the revert of the edit", SOON, back).await
}

/// How many Events of a reason tell something about an object.
async fn events(stage: &Stage, reason: &str, part: &str, name: &str) -> Result<usize> {
    let selector = format!("--field-selector=involvedObject.name={name},reason={reason}");
    let found = stage.cluster.kubectl(&["get", "events", "-A", &selector, "--output=json"]).await?.checked()?;
    let found: Value = serde_json::from_str(&found).unwrap_or_default();
    let tells = |e: &&Value| e["message"].as_str().is_some_and(|m| m.contains(part));
    Ok(found["items"].as_array().into_iter().flatten().filter(tells).count())
}

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
