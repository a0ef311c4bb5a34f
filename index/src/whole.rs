//! An object as the API server sent it, whole, to the depth that is read.

use std::borrow::Cow;

use gitward_core::bounded::Bounded;
use gitward_core::object;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Any object.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Whole {
    value: Value,
    /// What watches go by.
    #[serde(skip)]
    metadata: ObjectMeta,
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bounded(value) = Bounded::deserialize(deserializer)?;
        let text = |field| object::metadata_str(&value, field).map(str::to_owned);
        let metadata = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { value, metadata })
    }
}

impl kube::Resource for Whole {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::Resource;
    use kube::core::{ObjectList, WatchEvent};

    /// What a client makes of answers that hold an object deeper than readers of JSON go.
    #[test]
    fn a_deep_object_hides_neither_itself_nor_others() {
        let deep = format!("{}1{}", r#"{"x":"#.repeat(400), "}".repeat(400));
        let object = |name: &str| {
            format!(r#"{{"metadata":{{"name":"{name}","namespace":"a","resourceVersion":"7"}},"spec":{deep}}}"#)
        };
        let list = format!(
            r#"{{"kind":"ThingList","apiVersion":"example.org/v1","metadata":{{"resourceVersion":"8"}},"items":[{},{}]}}"#,
            object("one"),
            r#"{"metadata":{"name":"two"}}"#
        );
        let list: ObjectList<Whole> = serde_json::from_str(&list).unwrap();
        let names: Vec<_> = list.items.iter().map(|one| one.meta().name.as_deref()).collect();
        assert_eq!(names, [Some("one"), Some("two")]);
        let event = format!(r#"{{"type":"ADDED","object":{}}}"#, object("one"));
        let WatchEvent::Added(one) = serde_json::from_str::<WatchEvent<Whole>>(&event).unwrap() else {
            panic!("{event}")
        };
        assert_eq!(one.meta().resource_version.as_deref(), Some("7"));
        assert_eq!(one.value["metadata"]["namespace"], "a");
    }
}
