//! Which kinds the API server serves, and under which resource.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kube::Client;
use kube::core::ApiResource;
use kube::discovery::Scope;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A served kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its resource, in the most stable version served.
    pub resource: ApiResource,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Names of its subresources, for example `status`.
    pub subresources: Vec<String>,
    /// What can be done with it, for example `list`.
    pub verbs: Vec<String>,
}

impl Served {
    /// The same resource in another version of its group.
    pub fn in_version(&self, version: &str) -> ApiResource {
        let group = &self.resource.group;
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        ApiResource { version: version.to_owned(), api_version, ..self.resource.clone() }
    }
}

/// Everything served, as one immutable table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    kinds: HashMap<(String, String), Served>,
    plurals: HashMap<(String, String), String>,
    versions: HashMap<(String, String), BTreeMap<String, BTreeSet<String>>>,
}

impl Table {
    /// A table of these kinds.
    pub fn of(served: impl IntoIterator<Item = Served>) -> Self {
        let mut table = Self::default();
        for one in served {
            let ApiResource { group, kind, plural, .. } = one.resource.clone();
            table.plurals.insert((group.clone(), plural), kind.clone());
            table.kinds.insert((group, kind), one);
        }
        table
    }

    /// Notes that a resource is served in a version, with these subresources.
    #[must_use]
    pub fn with_version(mut self, group: &str, plural: &str, version: &str, subresources: &[&str]) -> Self {
        let subresources = subresources.iter().map(|s| (*s).to_owned()).collect();
        self.note_version((group.to_owned(), plural.to_owned()), version, subresources);
        self
    }

    fn note_version(&mut self, resource: (String, String), version: &str, subresources: BTreeSet<String>) {
        self.versions.entry(resource).or_default().insert(version.to_owned(), subresources);
    }

    /// The versions that a resource is served in, in no order of merit.
    pub fn versions(&self, group: &str, plural: &str) -> impl Iterator<Item = &str> {
        let versions = self.versions.get(&(group.to_owned(), plural.to_owned()));
        versions.into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// Whether a resource is served in a version, with that subresource (empty for the object
    /// itself).
    pub fn serves(&self, group: &str, plural: &str, version: &str, subresource: &str) -> bool {
        let versions = self.versions.get(&(group.to_owned(), plural.to_owned()));
        versions
            .and_then(|v| v.get(version))
            .is_some_and(|subresources| subresource.is_empty() || subresources.contains(subresource))
    }

    /// The kind of that name.
    pub fn kind(&self, group: &str, kind: &str) -> Option<&Served> {
        self.kinds.get(&(group.to_owned(), kind.to_owned()))
    }

    /// The kind that a plural resource name stands for.
    pub fn plural(&self, group: &str, plural: &str) -> Option<&Served> {
        let kind = self.plurals.get(&(group.to_owned(), plural.to_owned()))?;
        self.kind(group, kind)
    }

    /// The kinds that `Kind` or `Kind.group` of a configuration stands for, in a stable order.
    pub fn named(&self, name: &str) -> Vec<&Served> {
        let (kind, group) = match name.split_once('.') {
            Some((kind, group)) => (kind, Some(group)),
            None => (name, None),
        };
        let mut found: Vec<&Served> = self
            .kinds
            .values()
            .filter(|s| s.resource.kind == kind && group.is_none_or(|g| g == s.resource.group))
            .collect();
        found.sort_by(|a, b| a.resource.group.cmp(&b.resource.group));
        found
    }

    /// All kinds.
    pub fn all(&self) -> impl Iterator<Item = &Served> {
        self.kinds.values()
    }
}

/// Unknown kinds make the table be read again, but not more often than this.
const REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// A cache of the API server's discovery documents, read again when an unknown kind is asked for.
#[derive(Clone)]
pub struct Discovery {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    table: RwLock<Arc<Table>>,
    refreshed: Mutex<Option<Instant>>,
}

impl Discovery {
    /// An empty cache; nothing is asked of the API server yet.
    pub fn new(client: Client) -> Self {
        Self { inner: Arc::new(Inner { client, table: RwLock::default(), refreshed: Mutex::new(None) }) }
    }

    /// What is known now.
    pub fn table(&self) -> Arc<Table> {
        self.inner.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The served kind, `None` if the API server does not serve it. An unknown kind makes the table
    /// be read again, at most every two seconds.
    ///
    /// # Errors
    /// The kind is not known and the API server could not be asked.
    pub async fn resolve(&self, group: &str, kind: &str) -> Result<Option<Served>, kube::Error> {
        if let Some(served) = self.table().kind(group, kind) {
            return Ok(Some(served.clone()));
        }
        self.refresh_if_old().await?;
        Ok(self.table().kind(group, kind).cloned())
    }

    /// The kind that a plural resource name stands for; see [`Discovery::resolve`].
    ///
    /// # Errors
    /// The resource is not known and the API server could not be asked.
    pub async fn resolve_plural(&self, group: &str, plural: &str) -> Result<Option<Served>, kube::Error> {
        if let Some(served) = self.table().plural(group, plural) {
            return Ok(Some(served.clone()));
        }
        self.refresh_if_old().await?;
        Ok(self.table().plural(group, plural).cloned())
    }

    /// Reads the table again, whatever its age.
    ///
    /// # Errors
    /// The API server could not be asked; the old table stays.
    pub async fn refresh(&self) -> Result<(), kube::Error> {
        let mut refreshed = self.inner.refreshed.lock().await;
        self.read().await?;
        *refreshed = Some(Instant::now());
        Ok(())
    }

    async fn refresh_if_old(&self) -> Result<(), kube::Error> {
        let mut refreshed = self.inner.refreshed.lock().await;
        if refreshed.is_some_and(|at| at.elapsed() < REFRESH_INTERVAL) {
            return Ok(());
        }
        self.read().await?;
        *refreshed = Some(Instant::now());
        Ok(())
    }

    async fn read(&self) -> Result<(), kube::Error> {
        let discovery = kube::Discovery::new(self.inner.client.clone());
        let discovery = match discovery.run_aggregated().await {
            Ok(found) => found,
            // An API server without aggregated discovery answers in the old form.
            Err(kube::Error::Api(_) | kube::Error::SerdeError(_)) => {
                kube::Discovery::new(self.inner.client.clone()).run().await?
            }
            Err(error) => return Err(error),
        };
        *self.inner.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table_of(&discovery));
        Ok(())
    }
}

fn table_of(discovery: &kube::Discovery) -> Table {
    let served = discovery.groups().flat_map(kube::discovery::ApiGroup::resources_by_stability).map(
        |(resource, capabilities)| Served {
            resource,
            namespaced: capabilities.scope == Scope::Namespaced,
            subresources: capabilities.subresources.iter().map(|(r, _)| subresource_name(&r.plural)).collect(),
            verbs: capabilities.operations,
        },
    );
    let mut table = Table::of(served);
    for group in discovery.groups() {
        for version in group.versions() {
            for (resource, capabilities) in group.versioned_resources(version) {
                let subresources = capabilities.subresources.iter().map(|(r, _)| subresource_name(&r.plural)).collect();
                table.note_version((resource.group, resource.plural), version, subresources);
            }
        }
    }
    table
}

fn subresource_name(plural: &str) -> String {
    plural.rsplit('/').next().unwrap_or(plural).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(group: &str, kind: &str, plural: &str, namespaced: bool) -> Served {
        let gvk = kube::core::GroupVersionKind::gvk(group, "v1", kind);
        Served {
            resource: ApiResource::from_gvk_with_plural(&gvk, plural),
            namespaced,
            subresources: Vec::new(),
            verbs: Vec::new(),
        }
    }

    #[test]
    fn kinds_are_found_by_kind_by_plural_and_as_configured() {
        let table = Table::of([
            served("", "Node", "nodes", false),
            served("apps", "Deployment", "deployments", true),
            served("b.io", "Cluster", "clusters", false),
            served("a.io", "Cluster", "clusters", false),
        ]);
        assert_eq!(table.kind("apps", "Deployment").unwrap().resource.plural, "deployments");
        assert_eq!(table.plural("", "nodes").unwrap().resource.kind, "Node");
        assert!(table.plural("apps", "nodes").is_none());
        let groups: Vec<_> = table.named("Cluster").iter().map(|s| s.resource.group.as_str()).collect();
        assert_eq!(groups, ["a.io", "b.io"]);
        assert_eq!(table.named("Cluster.b.io").len(), 1);
    }

    #[test]
    fn a_version_may_lack_a_subresource() {
        let table = Table::default().with_version("x.io", "things", "v1", &["status"]).with_version(
            "x.io",
            "things",
            "v2",
            &[],
        );
        assert_eq!(table.versions("x.io", "things").collect::<Vec<_>>(), ["v1", "v2"]);
        assert!(table.serves("x.io", "things", "v2", "") && table.serves("x.io", "things", "v1", "status"));
        assert!(!table.serves("x.io", "things", "v2", "status") && !table.serves("x.io", "things", "v3", ""));
        assert_eq!(table.versions("", "things").count(), 0);
    }

    #[test]
    fn a_resource_is_named_in_another_version() {
        let hpa = served("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true);
        assert_eq!(hpa.in_version("v2").api_version, "autoscaling/v2");
        assert_eq!(served("", "Node", "nodes", false).in_version("v1").api_version, "v1");
    }
}
