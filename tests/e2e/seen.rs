//! What people see: where a live object's fields come from, what differs from Git, how an environment
//! stands; with their own rights, and never a Secret's value.

use std::path::PathBuf;
use std::time::Duration;

use gitward_test_cluster::{Stage, WorkTree};
use serde_json::Value;

use crate::edits::{self, Editor, MALLORY, line_of};
use crate::fleet::{converged_with, gitward};

const WEB: &str = "prod/shop/web.yaml";

/// The Secret's value, as it is written in Git and as the cluster keeps it, and what it is changed to.
const SECRETS: [&str; 4] = ["not-a-real-token", "bm90LWEtcmVhbC10b2tlbg", "c3RvbGVu", "stolen"];

#[tokio::test(flavor = "multi_thread")]
async fn people_see_what_the_gates_see() {
    let (mut stage, commit) = converged_with(edits::options(), |_| Ok(())).await.unwrap();
    edits::empower(&stage).await.unwrap();
    stage.wait_condition("Ready", "True", Duration::from_secs(120)).await.unwrap();
    let person = Person::new(&stage, MALLORY);

    converged_object(&stage, &person, &commit);
    derived_pod(&stage, &person).await;
    let own = person.run(&["trace", "crd/environments.gitward.dev"], 0);
    assert!(own.contains("Kept: gitward's own, exactly as it brought it"), "{own}");
    nothing_differs(&person).await;
    let status = person.run(&["status"], 0);
    for part in ["prod: well", &commit, "CommitUsable", "Guarded"] {
        assert!(status.contains(part), "{status} lacks {part}");
    }
    println!("passed: all is as Git says");

    stage.kill_reconciler();
    stage.remove_webhook().await.unwrap();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    for edit in [
        "label deployment/web -n shop owner=me",
        "set image deployment/web -n shop web=registry.example.org/shop/web:hotfix",
        "delete ingress/web -n shop",
        "create configmap backdoor -n shop --from-literal=open=sesame",
        "patch secret/payment -n shop -p {\"data\":{\"token\":\"c3RvbGVu\"}}",
    ] {
        mallory.kubectl(edit, "").await.unwrap().checked().unwrap();
    }
    nobodys(&stage, &person);
    differences(&stage, &person);
    println!("passed: what differs is seen");

    let text = person.run(&["trace", "secret/payment", "-n", "shop"], 1);
    assert!(text.contains("data.token") && text.contains("(value hidden)"), "{text}");
    what_cannot_be_told(&stage, &person).await;
}

/// Somebody at a machine of their own, in a clone.
pub(crate) struct Person {
    kubeconfig: PathBuf,
    clone: PathBuf,
}

impl Person {
    pub(crate) fn new(stage: &Stage, name: &str) -> Self {
        let kubeconfig = stage.cluster.person_kubeconfig(name, &[]).unwrap();
        Self { kubeconfig, clone: stage.work.path().to_owned() }
    }

    /// Runs gitward in the clone; what it wrote, with its errors, where it ends as it must.
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = std::process::Command::new(gitward())
            .args(arguments)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .current_dir(&self.clone)
            .env("NO_PROXY", "*")
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "gitward {}: {text}", arguments.join(" "));
        for secret in SECRETS {
            assert!(!text.contains(secret), "gitward {} shows {secret}", arguments.join(" "));
        }
        text
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        serde_json::from_str(&self.run(&arguments, code)).unwrap()
    }
}

/// The field of a trace.
fn field<'a>(trace: &'a Value, path: &str) -> &'a Value {
    let found = trace["fields"].as_array().unwrap().iter().find(|f| f["path"] == path);
    found.unwrap_or_else(|| panic!("no {path} in {trace:#}"))
}

fn place(field: &Value) -> String {
    format!("{}:{}", field["place"]["file"].as_str().unwrap_or_default(), field["place"]["line"])
}

fn image_line(stage: &Stage) -> String {
    format!("{WEB}:{}", line_of(stage, WEB, "image: registry.example.org/shop/web:1.4.2"))
}

/// Every field of the Deployment has its origin, and what is written in Git its line and author.
fn converged_object(stage: &Stage, person: &Person, commit: &str) {
    let trace = person.json(&["trace", "deploy/web", "-n", "shop"], 0);
    assert_eq!(trace["commit"]["id"], commit);
    let image = field(&trace, "spec.template.spec.containers[name=web].image");
    assert_eq!((image["origin"].as_str(), place(image)), (Some("Declared"), image_line(stage)));
    assert_eq!(image["by"]["author"], "Ada Author <ada@example.org>");
    assert_eq!(field(&trace, "spec.strategy.type")["origin"], "Defaulted");
    assert_eq!(field(&trace, "metadata.uid")["origin"], "Kept");
    let revision = field(&trace, "metadata.annotations[\"deployment.kubernetes.io/revision\"]");
    assert_eq!((&revision["origin"], &revision["rule"]), (&"Carried".into(), &"revision".into()));
    // What is written in the file is found on a line of it that says so.
    let text = stage.work.read(WEB).unwrap();
    for declared in trace["fields"].as_array().unwrap().iter().filter(|f| f["origin"] == "Declared") {
        let line = declared["place"]["line"].as_u64().unwrap();
        let line = text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap();
        let last = declared["path"].as_str().unwrap().rsplit('.').next().unwrap();
        assert!(last.contains(['[', '"']) || line.contains(last), "{declared} is not on {line:?}");
    }

    for name in ["Deployment/web.spec.replicas", "deployments.apps/web.spec.replicas"] {
        let text = person.run(&["trace", name, "-n", "shop"], 0);
        let line = line_of(stage, WEB, "replicas: 2");
        assert!(text.contains(&format!("Declared {WEB}:{line}:")) && text.contains("Ada Author"), "{text}");
        assert!(text.contains("1 field: 1 Declared"), "{text}");
    }
    person.run(&["trace", "deploy/web.spec.nothing", "-n", "shop"], 2);
    person.run(&["trace", "deploy/nothing", "-n", "shop"], 2);
    let elsewhere = person.run(&["trace", "service/kubernetes", "-n", "default"], 2);
    assert!(elsewhere.contains("is not governed by environment prod"), "{elsewhere}");
}

/// A Pod goes back to the lines of its Deployment's template.
async fn derived_pod(stage: &Stage, person: &Person) {
    let pods = stage.cluster.kubectl(&["get", "pods", "-n", "shop", "-l", "app=web", "-o", "name"]).await.unwrap();
    let pods = pods.checked().unwrap();
    let pod = pods.lines().next().unwrap();
    let trace = person.json(&["trace", pod, "-n", "shop"], 0);
    let image = field(&trace, "spec.containers[name=web].image");
    assert_eq!((image["origin"].as_str(), image["rule"].as_str()), (Some("Derived"), Some("pod.create")));
    assert_eq!((image["from"]["name"].as_str(), place(image)), (Some("web"), image_line(stage)));
    let node = field(&trace, "spec.nodeName");
    assert_eq!(place(node), format!("{WEB}:{}", line_of(stage, WEB, "kind: Deployment") - 1));
}

/// Everything that runs is Git's or a controller's.
async fn nothing_differs(person: &Person) {
    // A finished Job is on its way out, and its Pod with it.
    let mut tries = 0;
    let diff = loop {
        let output = std::process::Command::new(gitward())
            .args(["diff", "-o", "json", "--kubeconfig"])
            .arg(&person.kubeconfig)
            .current_dir(&person.clone)
            .output()
            .unwrap();
        tries += 1;
        if output.status.success() || tries == 20 {
            break String::from_utf8(output.stdout).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let diff: Value = serde_json::from_str(&diff).unwrap();
    assert_eq!((&diff["differences"], &diff["unknown"]), (&Value::Array(vec![]), &Value::Array(vec![])), "{diff:#}");
    let counts = &diff["counts"];
    assert_eq!(counts["declared"], counts["converged"]);
    assert!(counts["declared"].as_u64() > Some(15) && counts["derived"].as_u64() > Some(5), "{counts}");
    println!("counted: {counts}");
}

/// With gate and reconciler gone, what was edited is nobody's.
fn nobodys(stage: &Stage, person: &Person) {
    let trace = person.json(&["trace", "deploy/web", "-n", "shop"], 1);
    let label = field(&trace, "metadata.labels.owner");
    assert_eq!((&label["origin"], &label["value"]), (&"Nobody".into(), &"me".into()));
    let image = field(&trace, "spec.template.spec.containers[name=web].image");
    assert_eq!((image["origin"].as_str(), place(image)), (Some("Nobody"), image_line(stage)));
    assert_eq!(image["expected"], "registry.example.org/shop/web:1.4.2");
    assert_eq!(field(&trace, "spec.replicas")["origin"], "Declared");
    let text = person.run(&["trace", "configmap/backdoor", "-n", "shop"], 1);
    assert!(text.contains("NOBODY: ConfigMap/backdoor in shop is not declared in Git"), "{text}");
}

fn differences(stage: &Stage, person: &Person) {
    let text = person.run(&["diff"], 1);
    for part in [
        "+ ConfigMap/backdoor in shop is nobody's",
        "- Ingress/web in shop is missing; Git declares it at prod/shop/web.yaml:",
        "~ Deployment/web in shop is not as expected",
        "metadata.labels.owner",
        &format!("spec.template.spec.containers[name=web].image  {}", image_line(stage)),
        "Git:      \"registry.example.org/shop/web:1.4.2\"",
        "live:     \"registry.example.org/shop/web:hotfix\"",
        "~ Secret/payment in shop",
        "(value hidden)",
        "1 missing; 1 undeclared",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    let one = person.json(&["diff", "deploy/web", "-n", "shop"], 1);
    let fields = one["differences"][0]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|f| f["path"] == "metadata.labels.owner" && f["live"] == "me"), "{one:#}");
    person.run(&["diff", "serviceaccount/web", "-n", "shop"], 0);
    let status = person.run(&["status", "--repo", "."], 1);
    assert!(status.contains("prod: not well") && status.contains("1 missing; 1 undeclared"), "{status}");
}

/// What a person may not read, or a clone does not hold, is said.
async fn what_cannot_be_told(stage: &Stage, person: &Person) {
    let old = WorkTree::clone(stage.repository.url(), stage.cluster.folder().join("old")).unwrap();
    old.git(&["checkout", "--quiet", "--orphan", "empty"]).unwrap().checked().unwrap();
    let bare = stage.cluster.folder().join("without");
    std::fs::create_dir(&bare).unwrap();
    let inited = std::process::Command::new("git").args(["init", "--quiet"]).arg(&bare).output().unwrap();
    assert!(inited.status.success());
    let lacking = person.run(&["diff", "--repo", bare.to_str().unwrap()], 2);
    assert!(lacking.contains("lacks commit") && lacking.contains("hint: run `git fetch "), "{lacking}");
    // Whatever is checked out, the commit in force is what counts.
    person.run(&["trace", "deploy/web.spec.replicas", "-n", "shop", "--repo", old.path().to_str().unwrap()], 0);

    let reader = Person { clone: person.clone.clone(), ..Person::new(stage, "reader") };
    let unknown = reader.run(&["status"], 2);
    assert!(unknown.contains("the Environments cannot be read") && unknown.contains("hint: "), "{unknown}");
    let view = ["create", "clusterrolebinding", "reader-view", "--clusterrole=view", "--user=reader"];
    stage.cluster.kubectl(&view).await.unwrap().checked().unwrap();
    let role = ["create", "clusterrole", "reader", "--verb=get,list", "--resource=environments.gitward.dev"];
    stage.cluster.kubectl(&role).await.unwrap().checked().unwrap();
    let bound = ["create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=reader"];
    stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
    allowed(stage, "configmaps", "shop", "yes").await;
    allowed(stage, "environments.gitward.dev", "shop", "yes").await;
    let diff = reader.run(&["diff"], 2);
    assert!(diff.contains("could not be told") && diff.contains("? every Secret in shop: "), "{diff}");
    assert!(diff.contains("+ ConfigMap/backdoor in shop is nobody's"), "{diff}");
    let secret = reader.run(&["trace", "secret/payment", "-n", "shop"], 2);
    assert!(secret.contains("Secret/payment in shop cannot be read"), "{secret}");

    // Without what the API server adds, what stands in Git word for word can be told all the same.
    let unbound = ["delete", "clusterrolebinding", "reader-view"];
    stage.cluster.kubectl(&unbound).await.unwrap().checked().unwrap();
    let own = ["create", "rolebinding", "reader", "-n", "shop", "--clusterrole=view", "--user=reader"];
    stage.cluster.kubectl(&own).await.unwrap().checked().unwrap();
    allowed(stage, "configmaps", "gitward-system", "no").await;
    allowed(stage, "configmaps", "shop", "yes").await;
    let trace = reader.json(&["trace", "deploy/web", "-n", "shop"], 2);
    let note = trace["notes"][0].as_str().unwrap();
    assert!(note.starts_with("what the API server adds to declared objects cannot be read"), "{note}");
    assert_eq!(field(&trace, "spec.replicas")["origin"], "Declared");
    for untold in ["spec.strategy.type", "metadata.labels.owner"] {
        assert_eq!(field(&trace, untold)["origin"], "Unknown");
    }
}

/// Rights count, and end, a moment after they were given or taken.
async fn allowed(stage: &Stage, what: &str, namespace: &str, answer: &str) {
    let asked = async || {
        let said = stage.cluster.kubectl(&["auth", "can-i", "list", what, "-n", namespace, "--as=reader"]).await?;
        Ok(said.stdout.starts_with(answer).then_some(()))
    };
    stage.wait_for("the reader's rights", Duration::from_secs(20), asked).await.unwrap();
}
