//! Kinds as people name them to `kubectl`: `deploy`, `deployments`, `deployment`, `Deployment`,
//! `deployments.apps`, `deployments.v1.apps`.

use kube::Client;
use kube::core::ApiResource;
use kube::core::discovery::v2::APIGroupDiscoveryList;

/// A served kind in one version, with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its resource in that version.
    pub resource: ApiResource,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Everything that it is called besides, in lower case.
    names: Vec<String>,
}

/// All served kinds with their names, in the API server's order of preference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Named>);

impl Names {
    /// Asks the API server.
    ///
    /// # Errors
    /// It refuses, cannot be asked, or does not know aggregated discovery (before 1.27).
    pub async fn read(client: &Client) -> Result<Self, kube::Error> {
        let core = client.list_core_api_versions_aggregated().await?;
        let groups = client.list_api_groups_aggregated().await?;
        Ok(Self::of([&core, &groups]))
    }

    fn of<'a>(lists: impl IntoIterator<Item = &'a APIGroupDiscoveryList>) -> Self {
        let mut all = Vec::new();
        for group in lists.into_iter().flat_map(|list| &list.items) {
            let name = group.metadata.as_ref().and_then(|m| m.name.clone()).unwrap_or_default();
            for version in &group.versions {
                let number = version.version.clone().unwrap_or_default();
                let api_version = if name.is_empty() { number.clone() } else { format!("{name}/{number}") };
                for found in &version.resources {
                    let kind = found.response_kind.as_ref().and_then(|k| k.kind.clone()).unwrap_or_default();
                    let plural = found.resource.clone().unwrap_or_default();
                    let mut names = vec![kind.to_lowercase(), plural.clone()];
                    names.extend(found.singular_resource.clone());
                    names.extend(found.short_names.iter().cloned());
                    let resource = ApiResource {
                        group: name.clone(),
                        version: number.clone(),
                        api_version: api_version.clone(),
                        kind,
                        plural,
                    };
                    all.push(Named { resource, namespaced: found.scope.as_deref() == Some("Namespaced"), names });
                }
            }
        }
        Self(all)
    }

    /// The kind that a person means. Of several, the one that the API server prefers.
    pub fn find(&self, text: &str) -> Option<&Named> {
        let text = text.to_lowercase();
        let (name, rest) = text.split_once('.').unwrap_or((&text, ""));
        let fits = |named: &&Named| {
            let ApiResource { group, version, .. } = &named.resource;
            let of_group = rest.is_empty() || rest == group || rest == format!("{version}.{group}");
            of_group && named.names.iter().any(|n| n == name)
        };
        self.0.iter().find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        let resource = |plural: &str, kind: &str, short: &[&str]| {
            json!({"resource": plural, "responseKind": {"kind": kind}, "scope": "Namespaced",
                "singularResource": kind.to_lowercase(), "shortNames": short})
        };
        let list = |group: serde_json::Value| serde_json::from_value(json!({"items": group})).unwrap();
        let core: APIGroupDiscoveryList = list(
            json!([{"metadata": {}, "versions": [{"version": "v1", "resources": [resource("events", "Event", &["ev"])]}]}]),
        );
        let groups: APIGroupDiscoveryList = list(json!([
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [resource("deployments", "Deployment", &["deploy"])]}]},
            {"metadata": {"name": "events.k8s.io"}, "versions": [{"version": "v1", "resources": [resource("events", "Event", &["ev"])]}]},
        ]));
        Names::of([&core, &groups])
    }

    #[test]
    fn a_kind_is_found_as_kubectl_finds_it() {
        let names = names();
        let found = |text: &str| names.find(text).map(|n| format!("{} {}", n.resource.api_version, n.resource.plural));
        for text in ["deploy", "deployment", "deployments", "Deployment", "Deployment.apps", "deployments.v1.apps"] {
            assert_eq!(found(text).as_deref(), Some("apps/v1 deployments"), "{text}");
        }
        assert_eq!(found("ev").as_deref(), Some("v1 events"));
        assert_eq!(found("events.events.k8s.io").as_deref(), Some("events.k8s.io/v1 events"));
        assert!(found("deploy.batch").is_none() && found("nothing").is_none());
    }
}
