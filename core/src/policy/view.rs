//! What of an object a policy is shown: the object itself, or the Pod that its template makes.

use std::collections::BTreeMap;

use regorus::Value as Rego;
use serde_json::{Map, Value};

use crate::object::Gvk;
use crate::path::{FieldPath, Step};

/// Where Pod templates stand.
const TEMPLATES: [&[&str]; 3] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"], &["template"]];

/// The Pod of an object's template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PodView<'a> {
    object: &'a Value,
    template: &'static [&'static str],
}

impl<'a> PodView<'a> {
    /// The Pod of an object with a Pod template: Kubernetes' own workloads, and whatever other
    /// object holds one in the same place.
    pub(super) fn of(gvk: &Gvk, object: &'a Value) -> Option<Self> {
        TEMPLATES.into_iter().find_map(|path| {
            let template = path.iter().try_fold(object, |value, field| value.get(field))?;
            let spec = template.get("spec")?;
            let looks_like_a_pod = ["containers", "initContainers"].iter().any(|field| spec.get(field).is_some());
            (looks_like_a_pod || is_workload(gvk)).then_some(Self { object, template: path })
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

    /// The Pod as it would be made, named as the object.
    pub(super) fn pod(&self) -> Value {
        let template = self.template.iter().try_fold(self.object, |value, field| value.get(field));
        template.map(|template| pod(template, self.object)).unwrap_or_default()
    }

    /// The same for policies, out of what the object is to them: the parts are shared.
    pub(super) fn as_input(&self, object: &Rego) -> Rego {
        let (object, nothing) = (Some(object), || Rego::Null);
        let template = self.template.iter().fold(object, |value, field| get(value?, field));
        let of_template = template.and_then(|t| get(t, "metadata")).and_then(|m| m.as_object().ok());
        let mut metadata: BTreeMap<Rego, Rego> =
            of_template.into_iter().flat_map(|m| m.iter()).map(|(k, v)| (k.clone(), v.clone())).collect();
        for field in ["name", "namespace"] {
            let value = object.and_then(|o| get(o, "metadata")).and_then(|m| get(m, field));
            metadata.extend(value.map(|value| (Rego::from(field), value.clone())));
        }
        let spec = template.and_then(|t| get(t, "spec")).cloned().unwrap_or_else(nothing);
        let pod =
            [("apiVersion", "v1".into()), ("kind", "Pod".into()), ("metadata", Rego::from(metadata)), ("spec", spec)];
        Rego::from(pod.map(|(name, value)| (Rego::from(name), value)).into_iter().collect::<BTreeMap<_, _>>())
    }
}

fn get<'r>(value: &'r Rego, field: &str) -> Option<&'r Rego> {
    value.as_object().ok()?.get(&Rego::from(field))
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

    fn view<'a>(api_version: &str, kind: &str, body: &'a Value) -> Option<PodView<'a>> {
        PodView::of(&Gvk::new(api_version, kind), body)
    }

    #[test]
    fn a_deployment_shows_its_pod_under_its_own_name() {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}});
        let object = json!({"metadata": {"name": "web", "namespace": "prod"}, "spec": {"template": template}});
        let view = view("apps/v1", "Deployment", &object).unwrap();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"labels": {"app": "web"}, "name": "web", "namespace": "prod"},
            "spec": {"containers": [{"name": "c"}]},
        });
        assert_eq!(view.pod(), pod);
        assert_eq!(view.as_input(&Rego::from(object.clone())), Rego::from(pod));
        let image = FieldPath::of(["spec", "containers"]).index(0).field("image");
        assert_eq!(view.field_in_object(image).to_string(), "spec.template.spec.containers[0].image");
        assert_eq!(view.field_in_object(FieldPath::of(["metadata", "name"])).to_string(), "metadata.name");
    }

    #[test]
    fn a_cron_job_and_unknown_workloads_show_their_pods() {
        let template = json!({"spec": {"containers": []}});
        let cron = json!({"spec": {"jobTemplate": {"spec": {"template": template}}}});
        let path = view("batch/v1", "CronJob", &cron).unwrap().field_in_object(FieldPath::of(["spec"]));
        assert_eq!(path.to_string(), "spec.jobTemplate.spec.template.spec");
        let rollout = json!({"spec": {"template": template}});
        assert!(view("argoproj.io/v1alpha1", "Rollout", &rollout).is_some());
    }

    #[test]
    fn templates_of_other_things_are_left_alone() {
        assert_eq!(view("example.org/v1", "Report", &json!({"spec": {"template": {"spec": {"rows": 3}}}})), None);
        assert_eq!(view("v1", "ConfigMap", &json!({"data": {}})), None);
    }
}
