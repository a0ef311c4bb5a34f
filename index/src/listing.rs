//! The cluster as it is now, listed once: for those who look and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use gitward_core::lookup::Lookup;
use gitward_core::object::{self, ObjectKey};
use kube::Client;
use kube::api::{DynamicObject, PartialObjectMeta};
use serde_json::Value;

use crate::discovery::{Discovery, Served};
use crate::fresh::{pages, read};
use crate::kinds::{Content, Span, Target, WatchedKind, targets};
use crate::trouble::says;
use crate::whole::Whole;

/// Lists at a time: a person's look must not crowd out the cluster's own work.
const CONCURRENT: usize = 4;

/// At most so many pages of one list.
const MAX_PAGES: usize = 2000;

/// What could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for all of them and for cluster-scoped kinds.
    pub namespace: String,
    /// Why.
    pub why: String,
}

impl Unread {
    /// Whether an object, or a list of a namespace, may be among it.
    pub fn may_hold(&self, group: &str, kind: &str, namespace: &str) -> bool {
        let same_kind = self.group == group && self.kind == kind;
        same_kind && (self.namespace.is_empty() || namespace.is_empty() || self.namespace == namespace)
    }
}

/// Objects as they were listed.
#[derive(Debug, Default)]
pub struct Listing {
    objects: BTreeMap<ObjectKey, Arc<Value>>,
    /// What could not be listed: of it nothing is known.
    pub unread: Vec<Unread>,
}

impl Listing {
    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<Value>)> {
        self.objects.iter()
    }
}

impl Lookup for Listing {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Arc<Value>> {
        let from = ObjectKey::new(group, kind, namespace, "");
        let same = |key: &&ObjectKey| {
            key.group == group && key.kind == kind && (namespace.is_empty() || key.namespace == namespace)
        };
        let in_order = self.objects.range(from..);
        in_order.take_while(|(key, _)| same(key)).map(|(_, object)| object.clone()).collect()
    }
}

/// Lists these kinds once, those in governed namespaces in `namespaces`. What the API server does not
/// serve does not exist.
pub async fn list(client: &Client, discovery: &Discovery, kinds: &[WatchedKind], namespaces: &[String]) -> Listing {
    let namespaces: BTreeSet<String> = namespaces.iter().cloned().collect();
    let mut listing = Listing::default();
    let mut lists = futures::stream::iter(targets(kinds, &namespaces))
        .map(|target| async move { (list_target(client, discovery, &target).await, target) })
        .buffer_unordered(CONCURRENT);
    while let Some((listed, target)) = lists.next().await {
        match listed {
            Ok(objects) => listing.objects.extend(objects.into_iter().filter_map(|object| admit(&target, object))),
            Err(why) => {
                let Target { group, kind, span, .. } = target;
                let namespace = match span {
                    Span::Namespace(namespace) | Span::One(namespace, _) => namespace,
                    Span::All | Span::Namespaces(_) => String::new(),
                };
                listing.unread.push(Unread { group, kind, namespace, why });
            }
        }
    }
    listing.unread.sort_by(|a, b| (&a.group, &a.kind, &a.namespace).cmp(&(&b.group, &b.kind, &b.namespace)));
    listing
}

fn admit(target: &Target, object: Value) -> Option<(ObjectKey, Arc<Value>)> {
    let (namespace, name) = (object::namespace(&object), object::name(&object));
    let key = ObjectKey::new(&target.group, &target.kind, namespace, name);
    target.span.covers(namespace, name).then(|| (key, Arc::new(object)))
}

async fn list_target(client: &Client, discovery: &Discovery, target: &Target) -> Result<Vec<Value>, String> {
    let told = |error: kube::Error| says(&error);
    let Some(served) = discovery.resolve(&target.group, &target.kind).await.map_err(told)? else {
        return Ok(Vec::new());
    };
    let Served { resource, .. } = &served;
    let namespace = match &target.span {
        Span::One(namespace, name) => {
            let key = ObjectKey::new(&target.group, &target.kind, namespace, name);
            return Ok(read(client, resource, &key).await.map_err(told)?.into_iter().collect());
        }
        Span::Namespace(namespace) => namespace,
        Span::All | Span::Namespaces(_) => "",
    };
    let found = match target.content {
        Content::Whole => pages::<Whole>(client, resource, namespace, MAX_PAGES).await,
        Content::Metadata => pages::<PartialObjectMeta<DynamicObject>>(client, resource, namespace, MAX_PAGES).await,
    };
    found.map_err(told)?.ok_or_else(|| "the list is too long to be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_holds_one_kind_of_one_namespace_or_of_all() {
        let keys =
            [("", "Pod", "a", "x"), ("", "Pod", "b", "y"), ("", "PodTemplate", "a", "z"), ("apps", "Pod", "a", "w")];
        let objects = keys.map(|(g, k, ns, n)| (ObjectKey::new(g, k, ns, n), Arc::new(json!(n))));
        let listing = Listing { objects: objects.into_iter().collect(), unread: Vec::new() };
        let names = |namespace| {
            listing.list("", "Pod", namespace).iter().map(|o| o.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((names("a"), names("b"), names("c")), (vec!["x".to_owned()], vec!["y".to_owned()], vec![]));
        assert_eq!(names(""), ["x", "y"]);
    }

    #[test]
    fn what_was_not_read_may_hold_what_is_asked_about() {
        let unread = |namespace: &str| Unread {
            group: String::new(),
            kind: "Secret".into(),
            namespace: namespace.into(),
            why: String::new(),
        };
        assert!(unread("a").may_hold("", "Secret", "a") && unread("a").may_hold("", "Secret", ""));
        assert!(unread("").may_hold("", "Secret", "b"));
        assert!(!unread("a").may_hold("", "Secret", "b") && !unread("a").may_hold("", "Pod", "a"));
    }
}
