//! Where others live as well: the API server asks about what Git declares there, by name, and about
//! nothing else. Nobody else's object waits for the webhook.

use std::collections::{BTreeMap, BTreeSet};

use gitward_core::object::ObjectKey;
use gitward_index::discovery::Table;
use k8s_openapi::api::admissionregistration::v1::MatchCondition;

use super::{Asked, SYSTEM_NAMESPACES, condition, quoted, rules_of, selector};

/// Kinds of webhooks, which differ in what becomes of a request while the webhook is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Namespaced,
    /// What the cluster needs to start fails open: there the runtime gate alone brings back.
    System,
    Cluster,
}

impl Place {
    fn of(key: &ObjectKey) -> Self {
        match key.namespace.as_str() {
            "" => Self::Cluster,
            namespace if SYSTEM_NAMESPACES.contains(&namespace) => Self::System,
            _ => Self::Namespaced,
        }
    }
}

/// Names of one place, with the resources and namespaces that they are in.
#[derive(Default)]
struct Named<'a> {
    resources: BTreeSet<(String, String)>,
    namespaces: BTreeSet<&'a str>,
    names: BTreeSet<&'a str>,
}

/// What is asked about `declared` objects. Kinds that are not served are left out and returned.
pub(super) fn asked(declared: &BTreeSet<ObjectKey>, served: &Table) -> (Vec<Asked>, Vec<String>) {
    let mut places: BTreeMap<Place, Named<'_>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for key in declared {
        let Some(found) = served.kind(&key.group, &key.kind) else {
            unknown.insert(format!("{}.{}", key.kind, key.group).trim_end_matches('.').to_owned());
            continue;
        };
        let named = places.entry(Place::of(key)).or_default();
        named.resources.insert((found.resource.group.clone(), found.resource.plural.clone()));
        named.namespaces.insert(&key.namespace);
        named.names.insert(&key.name);
    }
    let asked = places.into_iter().map(|(place, named)| named.asked(place)).collect();
    (asked, unknown.into_iter().collect())
}

impl Named<'_> {
    fn asked(self, place: Place) -> Asked {
        let (what, scope, failure) = match place {
            Place::Namespaced => ("shared", "Namespaced", "Fail"),
            Place::System => ("shared-system", "Namespaced", "Ignore"),
            Place::Cluster => ("shared-cluster", "Cluster", "Fail"),
        };
        let owned = |names: &BTreeSet<&str>| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let namespaces = match place {
            // It speaks of Namespace objects alone: those of the system never wait for the webhook.
            Place::Cluster => selector("NotIn", SYSTEM_NAMESPACES.iter().map(|n| (*n).to_owned())),
            _ => selector("In", owned(&self.namespaces).into_iter()),
        };
        let only = vec![by_name(&self.names)];
        Asked { only, failure, ..Asked::always(what, rules_of(self.resources, scope), namespaces) }
    }
}

/// A collection is deleted, and a name generated, without a name in the request: it stands in the
/// object. The webhook tells apart what has the same name.
fn by_name(names: &BTreeSet<&str>) -> MatchCondition {
    let quoted: Vec<String> = names.iter().map(|n| quoted(n)).collect();
    condition(
        "declared",
        format!(
            "(has(request.name) && request.name != '' ? request.name : request.operation == 'DELETE' ? \
             oldObject.metadata.name : request.operation == 'CREATE' ? object.metadata.name : '') in [{}]",
            quoted.join(", ")
        ),
    )
}
