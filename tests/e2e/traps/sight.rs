//! What gitward rests on itself: what it published, what it says of itself, its registration, and that
//! the API server answers for what Git declares. An administrator may change all of it where there is no
//! fence; it is put back, or told.

use serde_json::{Value, json};

use super::{GIVE_UP, Traps};

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.hidden.example.org}
spec:
  group: hidden.example.org
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
";

const THING: &str = "apiVersion: hidden.example.org/v1\nkind: Thing\nmetadata: {name: a, namespace: traps}\n";

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sums}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {part-of: sums}
rules: []
";

/// The API server keeps what it registered for a definition only as long as this label says so.
const BACKEND: &str = r#"{"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": null}},
    "spec": {"insecureSkipTLSVerify": true, "service": {"name": "mallory", "namespace": "default", "port": 443}}}"#;

const DISARMING: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: disarming}
spec:
  reinvocationPolicy: Never
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [admissionregistration.k8s.io]
      apiVersions: [v1]
      resources: [validatingwebhookconfigurations]
      operations: [CREATE, UPDATE]
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore"}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: disarming}
spec: {policyName: disarming}
"#;

const PUBLISHED: &str = "configmap/additions-prod-0 -n gitward-system";

#[tokio::test(flavor = "multi_thread")]
async fn what_gitward_rests_on_is_put_back_or_told() {
    let traps = Traps::set(&[("prod/definition.yaml", DEFINITION), ("prod/thing.yaml", THING)]).await;
    traps.replace("gitward.yaml", "[PriorityClass]", "[PriorityClass, ClusterRole]");
    traps.stage.work.write("prod/role.yaml", ROLE).unwrap();
    traps.push("A role that others may be part of").await;
    what_was_published_is_put_back(&traps).await;
    what_is_said_of_the_environment_is_said_again(&traps).await;
    a_strangers_role_that_is_selected_is_named(&traps).await;
    a_registration_that_is_changed_as_it_is_written_is_told(&traps).await;
    an_api_that_another_server_answers_for_is_told(&traps).await;
}

async fn what_was_published_is_put_back(traps: &Traps) {
    let before = traps.get(PUBLISHED).await["data"].clone();
    let forged = json!({"data": {"entries.json": "[]"}, "immutable": true});
    traps.attack(&format!("patch {PUBLISHED} --type=merge -p '{forged}'"), "").await;
    traps.told("Reverted", "additions-prod-0").await;
    traps.until(PUBLISHED, "what was learnt is there again", |map| map["data"] == before).await;
    traps.attack(&format!("delete {PUBLISHED}"), "").await;
    traps.until(PUBLISHED, "what was learnt is there again", |map| map["data"] == before).await;
    // Nobody can keep it from going on.
    traps.attack(&format!("patch {PUBLISHED} --type=merge -p '{{\"immutable\":true}}'"), "").await;
    traps.replace("prod/base.yaml", "a: \"1\"", "a: \"2\"");
    traps.push("Something else is learnt").await;
}

async fn what_is_said_of_the_environment_is_said_again(traps: &Traps) {
    let before = traps.get("environment/prod").await["status"].clone();
    let later = "2099-01-01T00:00:00Z";
    let adopted = json!([{"name": "shop", "at": later}]);
    let forged =
        json!({"status": {"commit": "0".repeat(40), "adoptedAt": later, "adopted": adopted, "conditions": []}});
    traps.attack(&format!("patch environment/prod --subresource=status --type=merge -p '{forged}'"), "").await;
    let same = |status: &Value| {
        let types = |s: &Value| s["conditions"].as_array().map(|all| all.iter().map(|c| c["type"].to_string()).max());
        ["commit", "adoptedAt", "adopted"].iter().all(|field| status[*field] == before[*field])
            && types(status) == types(&before)
    };
    traps.until("environment/prod", "the status of before", |environment| same(&environment["status"])).await;
}

async fn a_strangers_role_that_is_selected_is_named(traps: &Traps) {
    traps.attack("create clusterrole stranger --verb=get --resource=secrets", "").await;
    traps.attack("label clusterrole stranger part-of=sums", "").await;
    let told = traps.told("Diverged", "stranger").await;
    assert!(told.contains("is selected by ClusterRole/sums and not declared in Git"), "{told}");
    let sums = traps.get("clusterrole/sums").await;
    assert!(sums["rules"].as_array().is_none_or(Vec::is_empty), "{sums}");
    traps.attack("delete clusterrole stranger", "").await;
}

async fn a_registration_that_is_changed_as_it_is_written_is_told(traps: &Traps) {
    traps.attack("create -f -", DISARMING).await;
    traps.told("UnknownMutator", "disarming").await;
    // A policy counts a moment after it was made.
    let disarmed = async || {
        traps.attack("label --overwrite validatingwebhookconfiguration gitward-prod touched=yes", "").await;
        let message = guarded(traps).await;
        Ok(message.contains("gitward-prod is not what gitward's webhook wrote").then_some(()))
    };
    traps.stage.wait_for("the loss of a guard to be told", GIVE_UP, disarmed).await.unwrap();
    traps.attack("delete mutatingadmissionpolicybinding disarming", "").await;
    traps.attack("delete mutatingadmissionpolicy disarming", "").await;
    traps
        .until("validatingwebhookconfiguration/gitward-prod", "the registration closes again", |registration| {
            registration["webhooks"][0]["failurePolicy"] == "Fail"
        })
        .await;
    let holds = async || Ok((!guarded(traps).await.contains("gitward-prod is not")).then_some(()));
    traps.stage.wait_for("the guard to hold again", GIVE_UP, holds).await.unwrap();
}

async fn an_api_that_another_server_answers_for_is_told(traps: &Traps) {
    traps.attack(&format!("patch apiservice v1.hidden.example.org --type=merge -p '{BACKEND}'"), "").await;
    let told = traps.told("Diverged", "v1.hidden.example.org").await;
    assert!(told.contains("another server answer for hidden.example.org/v1"), "{told}");
    let lacks = async || Ok(guarded(traps).await.contains("APIService/v1.hidden.example.org").then_some(()));
    traps.stage.wait_for("the loss of sight to be told", GIVE_UP, lacks).await.unwrap();
}

/// What the Environment says of the guards.
async fn guarded(traps: &Traps) -> String {
    let environment = traps.get("environment/prod").await;
    let conditions = environment["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let guarded = conditions.iter().find(|c| c["type"] == "Guarded");
    guarded.map(|c| c["message"].to_string()).unwrap_or_default()
}
