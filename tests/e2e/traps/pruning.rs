//! What Git stops declaring goes, but for data, and not all at once.

use serde_json::Value;

use super::{GIVE_UP, Traps};

/// Removed.
const GOING: [&str; 3] = ["configmap/plain -n traps", "secret/plain -n traps", "deployment/plain -n traps"];

/// Left alone: they hold data.
const STAYING: [&str; 4] = ["pvc/data -n traps", "pv/data", "namespace/late", "crd/coupons.shop.example.org"];

#[tokio::test(flavor = "multi_thread")]
async fn what_git_stops_declaring_goes_but_for_data_and_not_all_at_once() {
    let gitward = include_str!("../fixtures/traps/gitward.yaml").replace("max: 6", "max: 7");
    let prunable = include_str!("../fixtures/traps/prunable.yaml");
    let many: String = (0..8).map(many).collect();
    let files = [("gitward.yaml", gitward.as_str()), ("prod/prunable.yaml", prunable), ("prod/many.yaml", &many)];
    let traps = Traps::set(&files).await;
    a_deleted_manifest_takes_its_object_along(&traps).await;
    data_stays(&traps).await;
    a_mass_deletion_waits(&traps).await;
    a_mass_deletion_that_is_meant_goes_on(&traps).await;
}

fn many(n: usize) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: many-{n}, namespace: traps}}\n")
}

async fn a_deleted_manifest_takes_its_object_along(traps: &Traps) {
    traps.until("pvc/data -n traps", "the claim is bound", |c| c["status"]["phase"] == "Bound").await;
    traps.until(GOING[2], "the Deployment runs", |d| d["status"]["readyReplicas"] == 1).await;
    traps.stage.work.remove("prod/prunable.yaml").unwrap();
    let message = traps.push("Not needed any more").await;
    assert!(message.contains("3 pruned"), "{message}");
    for object in GOING {
        traps.until(object, "pruned", Value::is_null).await;
        let name = object.split([' ', '/']).nth(1).unwrap();
        let told = traps.told("Pruned", name).await;
        assert!(told.contains("Git does not declare"), "{told}");
    }
    let pods = async || {
        let pods = ["get", "pods", "-n", "traps", "-l", "app=plain", "-o", "name"];
        Ok(traps.stage.cluster.kubectl(&pods).await?.stdout.is_empty().then_some(()))
    };
    traps.stage.wait_for("the Pods to be gone", GIVE_UP, pods).await.unwrap();
}

async fn data_stays(traps: &Traps) {
    for object in STAYING {
        let name = object.split([' ', '/']).nth(1).unwrap();
        let told = traps.told("LeftAlone", name).await;
        assert!(told.contains("holds data"), "{told}");
        let live = traps.get(object).await;
        assert!(live["metadata"]["uid"].is_string() && live["metadata"]["deletionTimestamp"].is_null(), "{live}");
    }
    assert_eq!(traps.get(STAYING[0]).await["status"]["phase"], "Bound");
    traps.in_peace(&STAYING).await;
}

async fn a_mass_deletion_waits(traps: &Traps) {
    let many: String = (0..8).map(many).collect();
    traps.stage.work.remove("prod/many.yaml").unwrap();
    let commit = traps.push_only("Everything at once");
    let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(message.contains(&commit[..12]) && message.contains("8 objects at once"), "{message}");
    assert!(message.contains("none of them is removed"), "{message}");
    all_there(traps).await;
    // It was a slip: the commit that takes it back finds everything as it was.
    let before = traps.get("configmap/many-0 -n traps").await;
    traps.stage.work.write("prod/many.yaml", many).unwrap();
    let message = traps.push("It was a slip").await;
    assert!(message.contains("0 created, 0 changed, 0 pruned"), "{message}");
    assert_eq!(before, traps.get("configmap/many-0 -n traps").await);
}

async fn a_mass_deletion_that_is_meant_goes_on(traps: &Traps) {
    traps.stage.work.remove("prod/many.yaml").unwrap();
    traps.push_only("Everything at once again");
    traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    all_there(traps).await;
    traps.replace("gitward.yaml", "max: 7", "max: 8");
    let message = traps.push("It is meant").await;
    assert!(message.contains("8 pruned"), "{message}");
    for n in 0..8 {
        assert_eq!(traps.get(&format!("configmap/many-{n} -n traps")).await, Value::Null);
    }
    traps.in_peace(&STAYING).await;
}

async fn all_there(traps: &Traps) {
    for n in 0..8 {
        let live = traps.get(&format!("configmap/many-{n} -n traps")).await;
        assert!(live["metadata"]["deletionTimestamp"].is_null() && live["metadata"]["uid"].is_string(), "{live}");
    }
}
