//! What the cluster holds in the namespace, as far as this account may see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gitward_core::config::EnvironmentConfig;
use gitward_core::lookup::{Lookup, Question};
use gitward_core::object::ObjectKey;
use gitward_index::listing::{Listing, Unread, list};
use gitward_index::trouble::{explain, says};
use gitward_index::{Discovery, read, scope};
use kube::Client;
use serde_json::Value;

use super::report::Unknown;
use crate::fault::Fault;

/// What to do about what may not be read.
pub(super) const RIGHTS: &str = "give your account the right to get and list it, and run this again";

/// What the cluster holds.
pub(super) struct Seen {
    pub(super) discovery: Discovery,
    /// Everything that rules may ask about.
    pub(super) listing: Listing,
    /// The objects of the namespace, and the Namespace itself.
    pub(super) objects: BTreeMap<ObjectKey, Arc<Value>>,
    /// What may not be read.
    pub(super) unknown: Vec<Unknown>,
}

impl Seen {
    /// Reads every served kind of the namespace once.
    pub(super) async fn of(client: &Client, namespace: &str) -> anyhow::Result<Self> {
        let discovery = Discovery::new(client.clone());
        discovery.refresh().await.map_err(|error| {
            let message = format!("which kinds the API server serves cannot be read: {}", says(&error));
            Fault::new(message, "check that `kubectl api-resources` works with this kubeconfig")
        })?;
        let (table, namespaces) = (discovery.table(), vec![namespace.to_owned()]);
        let environment = EnvironmentConfig { namespaces: namespaces.clone(), ..EnvironmentConfig::default() };
        let kinds = scope::everything_governed(&table, &environment, std::iter::empty());
        let listing = list(client, &discovery, &kinds, &namespaces).await;
        let changeable = |key: &ObjectKey| {
            let verbs = table.kind(&key.group, &key.kind).map(|served| &served.verbs);
            verbs.is_some_and(|verbs| ["create", "update"].iter().all(|verb| verbs.iter().any(|v| v == verb)))
        };
        let inside = listing.objects().filter(|(key, _)| key.namespace == namespace && changeable(key));
        let objects = inside.map(|(key, object)| (key.clone(), object.clone())).collect();
        let unread = listing.unread.iter().filter(|u| u.namespace == namespace);
        let unknown = unread
            .map(|u| Unknown { what: format!("{} in {namespace}", kind(u)), why: u.why.clone(), to_do: RIGHTS })
            .collect();
        let mut seen = Self { discovery, listing, objects, unknown };
        seen.read_namespace(client, namespace).await?;
        Ok(seen)
    }

    async fn read_namespace(&mut self, client: &Client, name: &str) -> anyhow::Result<()> {
        let key = ObjectKey::new("", "Namespace", "", name);
        let served = self.discovery.resolve("", "Namespace").await;
        let found = match &served {
            Ok(Some(served)) => read(client, &served.resource, &key).await,
            Ok(None) => Ok(None),
            Err(error) => anyhow::bail!(explain(error)),
        };
        match found {
            Ok(Some(object)) => {
                self.objects.insert(key, Arc::new(object));
            }
            Ok(None) => {
                let hint = "name one that is there: `kubectl get namespaces` lists them";
                return Err(Fault::new(format!("there is no namespace {name}"), hint).into());
            }
            Err(error) => self.unknown.push(Unknown { what: key.to_string(), why: says(&error), to_do: RIGHTS }),
        }
        Ok(())
    }

    /// Whether a kind keeps its status in a subresource.
    pub(super) fn has_status_subresource(&self, key: &ObjectKey) -> bool {
        let table = self.discovery.table();
        table.kind(&key.group, &key.kind).is_some_and(|served| served.subresources.iter().any(|s| s == "status"))
    }

    /// Why something is not known that was asked about.
    pub(super) fn unread_of(&self, asked: &BTreeSet<Question>) -> Option<String> {
        let holds = |unread: &Unread, question: &Question| match question {
            Question::Get(key) => {
                unread.may_hold(&key.group, &key.kind, &key.namespace) && self.listing.get(key).is_none()
            }
            Question::List(group, of, namespace) => unread.may_hold(group, of, namespace),
        };
        let unread = self.listing.unread.iter().find(|unread| asked.iter().any(|question| holds(unread, question)))?;
        Some(format!("whether a controller made it rests on objects of kind {}: {}", kind(unread), unread.why))
    }
}

fn kind(unread: &Unread) -> String {
    if unread.group.is_empty() { unread.kind.clone() } else { format!("{}.{}", unread.kind, unread.group) }
}
