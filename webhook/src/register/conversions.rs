//! Which requests the API server brings twice: as they are, and converted to the version that is
//! judged in.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use gitward_core::lookup::Lookup;
use gitward_core::object::ObjectKey;
use gitward_index::discovery::Table;
use serde_json::Value;
use tokio::time::Instant;

use super::Converted;

/// A registration counts once every API server had the time to learn of it. Until then a request
/// in another version is judged as it comes, and denied if it changes anything that Git declares.
const SETTLED: Duration = Duration::from_secs(5);

/// A resource as a request names it.
#[derive(Debug, Clone, Copy)]
pub struct Requested<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// Plural name.
    pub plural: &'a str,
    /// Version.
    pub version: &'a str,
    /// Subresource; empty for the object itself.
    pub subresource: &'a str,
}

/// What the registration in force has converted.
#[derive(Debug, Default)]
pub struct Conversions {
    since: RwLock<HashMap<(String, String), Since>>,
}

/// The versions that a resource is judged in, and since when.
#[derive(Debug)]
struct Since {
    versions: BTreeSet<String>,
    at: Instant,
}

impl Conversions {
    /// The registration in force converts these.
    pub(super) fn registered(&self, converted: &[Converted]) {
        let now = Instant::now();
        let mut since = self.since.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *since);
        for one in converted {
            let resource = (one.group.clone(), one.plural.clone());
            let at = before.get(&resource).filter(|s| s.versions == one.versions).map_or(now, |s| s.at);
            since.insert(resource, Since { versions: one.versions.clone(), at });
        }
    }

    /// The registration is not what it was, or about to be another.
    pub(super) fn unsettled(&self) {
        self.since.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a request that came as it is comes converted too, so that nothing depends on the
    /// answer to this one.
    ///
    /// The API server converts only to a version that the resource still has, with that
    /// subresource: `live` knows of custom resources, `served` of all others.
    pub fn is_judged_converted(&self, requested: Requested<'_>, live: &dyn Lookup, served: &Table) -> bool {
        let resource = (requested.group.to_owned(), requested.plural.to_owned());
        let since = self.since.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Since { versions, at }) = since.get(&resource) else { return false };
        if at.elapsed() < SETTLED || versions.contains(requested.version) {
            return false;
        }
        let crd = ObjectKey::new(
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "",
            &format!("{}.{}", requested.plural, requested.group),
        );
        let crd = live.get(&crd);
        // Any of them will do: the API server takes the first that it finds.
        versions.iter().any(|version| match &crd {
            Some(crd) => has_version(crd, version, requested.subresource),
            None => {
                is_built_in(requested.group)
                    && served.serves(requested.group, requested.plural, version, requested.subresource)
            }
        })
    }
}

/// Whether a group is Kubernetes' own. Of any other, what has no definition is not known for
/// certain.
fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

fn has_version(crd: &Value, version: &str, subresource: &str) -> bool {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    versions
        .iter()
        .filter(|v| v.get("name").and_then(Value::as_str) == Some(version))
        .any(|v| subresource.is_empty() || v.get("subresources").is_some_and(|s| s.get(subresource).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitward_core::lookup::Overlay;
    use serde_json::json;
    use std::sync::Arc;

    fn widgets(versions: &[&str]) -> Converted {
        Converted {
            group: "example.org".into(),
            plural: "widgets".into(),
            namespaced: true,
            versions: versions.iter().map(|v| (*v).to_owned()).collect(),
        }
    }

    fn requested<'a>(version: &'a str, subresource: &'a str) -> Requested<'a> {
        Requested { group: "example.org", plural: "widgets", version, subresource }
    }

    fn crd(versions: Value) -> Overlay<'static> {
        let mut live = Overlay::default();
        let key = ObjectKey::new("apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.org");
        live.set(key, Some(Arc::new(json!({"spec": {"versions": versions}}))));
        live
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_the_api_server_converts_for_certain_passes() {
        let conversions = Conversions::default();
        let both = crd(json!([{"name": "v1", "subresources": {"status": {}}}, {"name": "v2"}]));
        let judged = |version, subresource, live: &Overlay<'_>| {
            conversions.is_judged_converted(requested(version, subresource), live, &Table::default())
        };
        assert!(!judged("v2", "", &both), "nothing is registered");
        conversions.registered(&[widgets(&["v1"])]);
        assert!(!judged("v2", "", &both), "an API server may not know yet");
        tokio::time::advance(SETTLED).await;
        conversions.registered(&[widgets(&["v1"])]);
        assert!(judged("v2", "", &both) && judged("v2", "status", &both));
        assert!(!judged("v1", "", &both), "that is what is judged");
        assert!(!judged("v2", "scale", &both), "the other version has no such subresource");
        assert!(!judged("v2", "", &crd(json!([{"name": "v2"}]))), "there is no such version any more");
        conversions.registered(&[widgets(&["v3"])]);
        assert!(!judged("v2", "", &both), "that is new again");
    }

    #[tokio::test(start_paused = true)]
    async fn kinds_without_a_definition_are_looked_up_in_what_is_served() {
        let conversions = Conversions::default();
        let autoscalers = Converted { group: "autoscaling".into(), plural: "as".into(), ..widgets(&["v1"]) };
        conversions.registered(&[widgets(&["v1"]), autoscalers]);
        tokio::time::advance(SETTLED).await;
        let judged = |group: &str, plural: &str, served: &Table| {
            let requested = Requested { group, plural, ..requested("v2", "") };
            conversions.is_judged_converted(requested, &Overlay::default(), served)
        };
        let served = |group, plural| Table::default().with_version(group, plural, "v1", &[]);
        assert!(judged("autoscaling", "as", &served("autoscaling", "as")));
        assert!(!judged("autoscaling", "as", &Table::default()));
        assert!(!judged("example.org", "widgets", &served("example.org", "widgets")));
    }
}
