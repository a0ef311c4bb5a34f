//! Mutators: what one that Git declares adds at creation alone, and one that somebody slipped in.

use gitward_test_cluster::Result;
use serde_json::{Value, json};

use super::mutator::{LABEL, Mutator, SIDECAR, VARIABLE};
use super::{GIVE_UP, Traps};

const TOUCHED: [&str; 3] = ["configmap/touched -n traps", "service/touched -n traps", "deployment/touched -n traps"];

const STRAY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: stray}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE]}
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traps}}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {"stray.example.org/label": "yes"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: stray}
spec: {policyName: stray}
"#;

const STRAY_LABEL: &str = "stray.example.org/label";

const LATER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, namespace: traps}\ndata: {a: \"1\"}\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_declared_mutator_adds_stays_and_what_a_stray_one_adds_does_not() {
    let mutator = Mutator::start().await;
    let registration = mutator.registration("adder", &["CREATE"]).to_string();
    let mut traps = Traps::set(&[("prod/adder.json", &registration)]).await;
    a_declared_mutator_adds_at_creation(&traps).await;
    its_additions_survive_later_commits(&traps).await;
    nobody_takes_them_away(&traps).await;
    a_stray_webhook_is_removed(&traps).await;
    nothing_is_learnt_from_a_stray_policy(&traps).await;
    traps.without_webhook().await;
    what_is_taken_away_comes_back(&traps).await;
    what_was_added_to_what_others_made_stays(&mut traps).await;
    what_a_stray_policy_adds_goes_with_it(&traps).await;
}

async fn a_declared_mutator_adds_at_creation(traps: &Traps) {
    traps.stage.work.write("prod/touched.yaml", include_str!("../fixtures/traps/touched.yaml")).unwrap();
    traps.push("What the mutator adds to").await;
    has_additions(traps, &["main", "other"]).await;
    traps.in_peace(&TOUCHED).await;
}

/// An update would not make the mutator add anything again.
async fn its_additions_survive_later_commits(traps: &Traps) {
    let before = uids(traps).await;
    traps.replace("prod/touched.yaml", "data: {a: \"1\"}", "data: {a: \"2\"}");
    traps.replace("prod/touched.yaml", "port: 80", "port: 81");
    traps.replace("prod/touched.yaml", "registry.example.org/main:1", "registry.example.org/main:2");
    traps.replace("prod/touched.yaml", "{name: DECLARED, value: one}", "{name: DECLARED, value: two}");
    let message = traps.push("Everything changes").await;
    assert!(message.contains("3 changed"), "{message}");
    has_additions(traps, &["main", "other"]).await;
    let containers = containers(&traps.get("deployment/touched -n traps").await);
    assert_eq!(containers[0]["image"], "registry.example.org/main:2");
    assert_eq!(containers[0]["env"][0], json!({"name": "DECLARED", "value": "two"}));
    assert_eq!(before, uids(traps).await, "something was made anew");

    // What was added to a container goes with the container.
    traps.replace("prod/touched.yaml", "name: other", "name: another");
    traps.push("A container of another name").await;
    has_additions(traps, &["main"]).await;
    let names: Vec<Value> =
        self::containers(&traps.get(TOUCHED[2]).await).into_iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["main", "another", SIDECAR]);
    traps.in_peace(&TOUCHED).await;
}

const TAKING: [&str; 3] = [
    "label configmap/touched -n traps added.example.org/label-",
    "label --overwrite service/touched -n traps added.example.org/label=no",
    "set env deployment/touched -n traps -c main ADDED-",
];

const TAKING_SIDECAR: &str = "patch deployment/touched -n traps -p \
    '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"sidecar\",\"$patch\":\"delete\"}]}}}}'";

async fn nobody_takes_them_away(traps: &Traps) {
    for taking in TAKING {
        let said = traps.denied(taking, "").await;
        assert!(said.contains("added.example.org/label") || said.contains("ADDED"), "{said}");
    }
    let said = traps.denied(TAKING_SIDECAR, "").await;
    assert!(said.contains(SIDECAR), "{said}");
    has_additions(traps, &["main"]).await;
}

async fn what_is_taken_away_comes_back(traps: &Traps) {
    for (taking, object) in TAKING.iter().zip(TOUCHED) {
        traps.attack(taking, "").await;
        traps.until(object, taking, |o| has_addition(o, &["main"])).await;
        traps.told("Diverged", "touched").await;
    }
    traps.attack(TAKING_SIDECAR, "").await;
    traps.until(TOUCHED[2], "a sidecar taken away", |o| has_addition(o, &["main"])).await;
    for object in TOUCHED {
        let uid = traps.get(object).await["metadata"]["uid"].clone();
        traps.attack(&format!("delete {object} --wait=false"), "").await;
        traps
            .until(object, "deleted", |o| {
                o["metadata"]["uid"] != uid
                    && o["metadata"]["deletionTimestamp"].is_null()
                    && has_addition(o, &["main", "another"])
            })
            .await;
    }
    has_additions(traps, &["main", "another"]).await;
    let told = traps.divergences().len();
    traps.in_peace_since(told, &TOUCHED).await;
}

/// Somebody makes the objects anew from Git's own content while nobody looks.
async fn what_was_added_to_what_others_made_stays(traps: &mut Traps) {
    traps.stage.kill_reconciler();
    let manifests = traps.stage.work.read("prod/touched.yaml").unwrap();
    let before = uids(traps).await;
    traps.attack("delete -f -", &manifests).await;
    traps.attack("create -f -", &manifests).await;
    assert_ne!(before, uids(traps).await);
    let before = uids(traps).await;
    traps.stage.start_reconciler().await.unwrap();
    traps.replace("prod/touched.yaml", "data: {a: \"2\"}", "data: {a: \"3\"}");
    traps.replace("prod/touched.yaml", "registry.example.org/main:2", "registry.example.org/main:3");
    traps.push("What others made changes").await;
    assert_eq!(traps.get(TOUCHED[0]).await["data"]["a"], "3");
    has_additions(traps, &["main", "another"]).await;
    assert_eq!(before, uids(traps).await, "something was made anew");
}

/// No webhook is asked about admission configuration: such a mutator gets in, and is removed.
async fn a_stray_webhook_is_removed(traps: &Traps) {
    let evil = Mutator::start().await;
    let registration = evil.registration("evil", &["CREATE", "UPDATE"]).to_string();
    traps.attack("create -f -", &registration).await;
    traps.until("mutatingwebhookconfiguration/evil", "a stray webhook", Value::is_null).await;
    let told = traps.told("Diverged", "evil").await;
    assert!(told.contains("not declared in Git"), "{told}");
    // The declared one can be bent as well.
    let wider = "patch mutatingwebhookconfiguration/adder --type=json -p \
                 '[{\"op\":\"add\",\"path\":\"/webhooks/0/rules/0/operations/-\",\"value\":\"UPDATE\"}]'";
    traps.attack(wider, "").await;
    traps
        .until("mutatingwebhookconfiguration/adder", "a mutator that was widened", |m| {
            m["webhooks"][0]["rules"][0]["operations"] == json!(["CREATE"])
        })
        .await;
}

/// Policies are no kind that this environment governs: one that is not in Git is told, and nothing
/// is learnt while it is in force.
async fn nothing_is_learnt_from_a_stray_policy(traps: &Traps) {
    stray_comes(traps).await;
    traps.told("UnknownMutator", "stray").await;
    traps.stage.work.write("prod/later.yaml", LATER).unwrap();
    let commit = traps.push_only("One more");
    let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(message.contains("MutatingAdmissionPolicy/stray") && message.contains(&commit[..12]), "{message}");
    assert!(message.contains("nothing of it was applied"), "{message}");
    traps.denied("create -f -", LATER).await;
    assert_eq!(traps.get("configmap/later -n traps").await, Value::Null);
    assert!(!traps.published().await.contains(STRAY_LABEL));
    stray_goes(traps).await;
    traps.stage.wait_converged(&commit, GIVE_UP).await.unwrap();
    let later = traps.get("configmap/later -n traps").await;
    assert_eq!(later["metadata"]["labels"], json!({LABEL: "yes"}));
}

/// Without the gate it does change what is made under it, which is told and put right as soon as it
/// is gone.
async fn what_a_stray_policy_adds_goes_with_it(traps: &Traps) {
    let told = traps.divergences().len();
    stray_comes(traps).await;
    traps.attack("delete configmap/later -n traps --wait=false", "").await;
    traps
        .until("configmap/later -n traps", "made again under a stray policy", |c| {
            c["metadata"]["labels"][STRAY_LABEL] == "yes"
        })
        .await;
    let about = async || -> Result<Option<()>> {
        let told = traps.divergences().split_off(told);
        Ok(told.iter().any(|l| l.contains("ConfigMap/later") && l.contains(STRAY_LABEL)).then_some(()))
    };
    traps.stage.wait_for("the telling of a stray's label", GIVE_UP, about).await.unwrap();
    assert!(!traps.published().await.contains(STRAY_LABEL));
    stray_goes(traps).await;
    traps
        .until("configmap/later -n traps", "the stray's label goes", |c| {
            c["metadata"]["labels"].get(STRAY_LABEL).is_none()
        })
        .await;
    traps.replace("prod/later.yaml", "\"1\"", "\"2\"");
    traps.push("Life goes on").await;
    assert_eq!(traps.get("configmap/later -n traps").await["data"]["a"], "2");
    assert!(!traps.published().await.contains(STRAY_LABEL));
}

async fn stray_comes(traps: &Traps) {
    traps.attack("apply -f -", STRAY).await;
    let in_force = async || -> Result<Option<()>> {
        let line = "annotate configmap/held -n traps --dry-run=server probe=1 -o json";
        let output = traps.stage.cluster.kubectl(&line.split(' ').collect::<Vec<_>>()).await?;
        Ok((output.stdout.contains(STRAY_LABEL) || output.stderr.contains(STRAY_LABEL)).then_some(()))
    };
    traps.stage.wait_for("the stray policy to be in force", GIVE_UP, in_force).await.unwrap();
}

async fn stray_goes(traps: &Traps) {
    let stray = "delete mutatingadmissionpolicybinding/stray mutatingadmissionpolicy/stray";
    traps.attack(stray, "").await;
}

async fn has_additions(traps: &Traps, containers: &[&str]) {
    let rolled_out = |d: &Value| {
        let status = &d["status"];
        status["observedGeneration"] == d["metadata"]["generation"]
            && ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].iter().all(|n| status[n] == 1)
            && status["terminatingReplicas"].as_i64().unwrap_or(0) == 0
    };
    traps.until(TOUCHED[2], "the Deployment runs", rolled_out).await;
    for object in TOUCHED {
        let live = traps.get(object).await;
        assert!(has_addition(&live, containers), "{live}");
    }
}

/// The mutator's label and, in a Deployment, its variable in these containers, and its container.
fn has_addition(object: &Value, named: &[&str]) -> bool {
    let labelled = object["metadata"]["labels"][LABEL] == "yes";
    let containers = containers(object);
    let has_variable = |name: &&str| {
        let container = containers.iter().find(|c| c["name"] == **name);
        let variables = container.and_then(|c| c["env"].as_array());
        variables.is_some_and(|v| v.contains(&json!({"name": VARIABLE, "value": "yes"})))
    };
    let whole = object["kind"] != "Deployment"
        || named.iter().all(has_variable) && containers.iter().any(|c| c["name"] == SIDECAR);
    labelled && whole
}

fn containers(deployment: &Value) -> Vec<Value> {
    deployment["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default()
}

async fn uids(traps: &Traps) -> Vec<Value> {
    let mut uids = Vec::new();
    for object in TOUCHED {
        uids.push(traps.get(object).await["metadata"]["uid"].clone());
    }
    uids
}
