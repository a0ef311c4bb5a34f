//! What of an object a policy is shown: the object itself, or the Pod that its template makes.

use serde_json::{Map, Value};

use crate::object::Gvk;
use crate::path::{FieldPath, Step};

/// Where Pod templates stand.
const TEMPLATES: [&[&str]; 3] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"], &["template"]];

/// The Pod of an object's template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PodView {
    /// The Pod as it would be made, named as the object.
    pub(super) pod: Value,
    template: &'static [&'static str],
}

impl PodView {
    /// The Pod of an object with a Pod template: Kubernetes' own workloads, and whatever other
    /// kind has containers in the same place.
    pub(super) fn of(gvk: &Gvk, object: &Value) -> Option<Self> {
        TEMPLATES.into_iter().find_map(|path| {
            let template = path.iter().try_fold(object, |value, field| value.get(field))?;
            let spec = template.get("spec")?;
            let looks_like_a_pod = ["containers", "initContainers"].iter().any(|field| spec.get(field).is_some());
            (looks_like_a_pod || is_workload(gvk)).then(|| Self { pod: pod(template, object), template: path })
        })
    }

    /// Where a field of the Pod stands in the object.
    pub(super) fn field_in_object(&self, field: FieldPath) -> FieldPath {
        if field.starts_with(&["metadata", "name"]) || field.starts_with(&["metadata", "namespace"]) {
            return field;
        }
        let prefix = self.template.iter().map(|name| Step::Field((*name).to_owned()));
        FieldPath(prefix.chain(field.0).collect())
    }
}

fn is_workload(gvk: &Gvk) -> bool {
    matches!(
        (gvk.group.as_str(), gvk.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job" | "CronJob")
            | ("", "ReplicationController" | "PodTemplate")
    )
}

fn pod(template: &Value, object: &Value) -> Value {
    let mut metadata = template.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    for field in ["name", "namespace"] {
        if let Some(value) = object.get("metadata").and_then(|m| m.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let mut pod = Map::new();
    pod.insert("apiVersion".to_owned(), "v1".into());
    pod.insert("kind".to_owned(), "Pod".into());
    pod.insert("metadata".to_owned(), metadata.into());
    pod.insert("spec".to_owned(), template.get("spec").cloned().unwrap_or_default());
    pod.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(api_version: &str, kind: &str, body: Value) -> Option<PodView> {
        PodView::of(&Gvk::new(api_version, kind), &body)
    }

    #[test]
    fn a_deployment_shows_its_pod_under_its_own_name() {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}});
        let object = json!({"metadata": {"name": "web", "namespace": "prod"}, "spec": {"template": template}});
        let view = view("apps/v1", "Deployment", object).unwrap();
        assert_eq!(
            view.pod,
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"labels": {"app": "web"}, "name": "web", "namespace": "prod"},
                "spec": {"containers": [{"name": "c"}]},
            })
        );
        let image = FieldPath::of(["spec", "containers"]).index(0).field("image");
        assert_eq!(view.field_in_object(image).to_string(), "spec.template.spec.containers[0].image");
        assert_eq!(view.field_in_object(FieldPath::of(["metadata", "name"])).to_string(), "metadata.name");
    }

    #[test]
    fn a_cron_job_and_unknown_workloads_show_their_pods() {
        let template = json!({"spec": {"containers": []}});
        let cron = json!({"spec": {"jobTemplate": {"spec": {"template": template}}}});
        let path = view("batch/v1", "CronJob", cron).unwrap().field_in_object(FieldPath::of(["spec"]));
        assert_eq!(path.to_string(), "spec.jobTemplate.spec.template.spec");
        assert!(view("argoproj.io/v1alpha1", "Rollout", json!({"spec": {"template": template}})).is_some());
    }

    #[test]
    fn templates_of_other_things_are_left_alone() {
        assert_eq!(view("example.org/v1", "Report", json!({"spec": {"template": {"spec": {"rows": 3}}}})), None);
        assert_eq!(view("v1", "ConfigMap", json!({"data": {}})), None);
    }
}
