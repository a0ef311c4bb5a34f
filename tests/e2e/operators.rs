//! Real operators, run as processes against the control plane: what they make and set passes within the
//! ceilings that Git declares, and nothing else does.

mod cert_manager;
mod prometheus;
mod vertical_pod_autoscaler;

use gitward_test_cluster::Stage;
use serde_json::{Value, json};

/// Objects of a namespace, or a cluster-scoped one, as `kubectl get` names them; `null` if there is none.
async fn get(stage: &Stage, what: &str, namespace: &str) -> Value {
    let arguments = ["get", what, "-n", namespace, "-o", "json", "--ignore-not-found"];
    let output = stage.cluster.kubectl(&arguments).await.unwrap();
    serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
}

/// The object as its maker would write it again, under another name.
fn bare(object: &Value, name: &str) -> Value {
    let mut bare = object.clone();
    let metadata = bare["metadata"].as_object_mut().unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        metadata.remove(field);
    }
    bare["metadata"]["name"] = json!(name);
    bare.as_object_mut().unwrap().remove("status");
    bare
}
