//! What an environment has to see: every served kind of the governed namespaces, the governed
//! cluster-scoped kinds, what the rules ask for, and where others live as well, what Git declares.

use gitward_core::config::EnvironmentConfig;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Declared;

use crate::discovery::Table;
use crate::kinds::{Content, WatchedKind, for_derived_rules};

/// Kinds that come and go by themselves: of them only what Git declares is looked at.
const NOT_WATCHED: [(&str, &str); 4] =
    [("", "Event"), ("events.k8s.io", "Event"), ("coordination.k8s.io", "Lease"), ("metrics.k8s.io", "PodMetrics")];

/// Objects of this kind say which server answers for others.
const HIDES_OTHERS: (&str, &str) = ("apiregistration.k8s.io", "APIService");

/// The kinds to look at, and where, for an environment that declares these objects.
pub fn everything_governed<'a>(
    table: &Table,
    environment: &EnvironmentConfig,
    declared: impl Iterator<Item = &'a Declared>,
) -> Vec<WatchedKind> {
    let mut kinds = for_derived_rules();
    for served in table.all().filter(|s| s.verbs.iter().any(|v| v == "watch")) {
        let (group, kind) = (served.resource.group.as_str(), served.resource.kind.as_str());
        if NOT_WATCHED.contains(&(group, kind)) {
            continue;
        }
        let any = ObjectKey::new(group, kind, "", "");
        let governed = environment.governs(&any) || environment.shares(&any);
        if served.namespaced {
            kinds.retain(|k| !(k.group == group && k.kind == kind && k.content == Content::Metadata));
            kinds.push(WatchedKind::governed(group, kind));
        } else if governed || changes_others(group, kind) || (group, kind) == HIDES_OTHERS {
            kinds.push(WatchedKind::cluster(group, kind));
        }
    }
    // Of those namespaces and kinds, nothing but what Git declares is this environment's to see.
    let alone = declared.map(|d| &d.manifest.key).filter(|k| {
        let apart = environment.shares(k) || NOT_WATCHED.contains(&(k.group.as_str(), k.kind.as_str()));
        !k.namespace.is_empty() && apart && table.kind(&k.group, &k.kind).is_some()
    });
    kinds.extend(alone.map(|k| WatchedKind::one(&k.group, &k.kind, &k.namespace, &k.name)));
    kinds.sort_by(|a, b| (&a.group, &a.kind, &a.area).cmp(&(&b.group, &b.kind, &b.area)));
    kinds.dedup();
    kinds
}

/// Whether cluster-scoped objects of a kind may change others as they are written, whoever governs
/// them. (Other classes are among what the rules ask for.)
fn changes_others(group: &str, kind: &str) -> bool {
    group == "admissionregistration.k8s.io" || (group, kind) == ("networking.k8s.io", "IngressClass")
}
