//! A first delegation for what operators made: exactly what was seen, for a person to widen or narrow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::yaml::yaml;
use crate::change::is_built_in;
use crate::delegation::{PodSecurity, account, images, keeps};
use crate::object::ObjectKey;

/// An object that an operator made, and the custom resource it made it for.
#[derive(Debug, Clone, Copy)]
pub struct Operated<'a> {
    /// The object.
    pub key: &'a ObjectKey,
    /// As it is.
    pub object: &'a Value,
    /// The custom resource.
    pub owner: &'a ObjectKey,
}

/// What may be delegated to nobody: it decides what others may do.
const NEVER: [&str; 2] = ["rbac.authorization.k8s.io", "admissionregistration.k8s.io"];

/// `delegations:` of `gitward.yaml`, as comments; empty if there is nothing to delegate.
pub fn draft(namespace: &str, operated: &[Operated<'_>]) -> String {
    let mut of_owners: BTreeMap<(&str, &str), Vec<Operated<'_>>> = BTreeMap::new();
    let allowed = operated.iter().filter(|o| !NEVER.contains(&o.key.group.as_str()));
    for one in allowed {
        of_owners.entry((&one.owner.group, &one.owner.kind)).or_default().push(*one);
    }
    let delegations: Vec<Value> = of_owners.into_values().map(|made| delegation(namespace, &made)).collect();
    if delegations.is_empty() {
        return String::new();
    }
    let text = format!("{HEAD}\n{}", yaml(&json!({"delegations": delegations})));
    text.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}

const HEAD: &str = "A draft: what operators made here when the namespace was adopted. Name each operator's account, see\n\
whether the bounds are what you want, and copy it into gitward.yaml. Until then gitward tells of these\n\
objects, and leaves alone what was there before it.";

/// Where a person has to say who the operator is.
pub(super) const SOMEBODY: &str = "system:serviceaccount:NAMESPACE:NAME";

fn delegation(namespace: &str, made: &[Operated<'_>]) -> Value {
    let Some(owner) = made.first().map(|o| o.owner) else { return Value::Null };
    let owner_kind = owner.full_kind();
    let mut by_kind: BTreeMap<String, Vec<Operated<'_>>> = BTreeMap::new();
    for one in made {
        by_kind.entry(one.key.full_kind()).or_default().push(*one);
    }
    let makes: Vec<Value> = by_kind.iter().map(|(kind, made)| makes(namespace, kind, &owner_kind, made)).collect();
    json!({
        "name": owner.kind.to_lowercase(),
        "accounts": [SOMEBODY],
        "reason": format!("makes what a {} asks for", owner.kind),
        "makes": makes,
        "sets": [{"kinds": [owner_kind], "fields": ["status", "metadata.finalizers"]}],
    })
}

fn makes(namespace: &str, kind: &str, owner: &str, made: &[Operated<'_>]) -> Value {
    let names: BTreeSet<&str> = made.iter().map(|o| o.key.name.as_str()).collect();
    let mut makes = json!({
        "kinds": [kind],
        "namespaces": [namespace],
        "names": names,
        "owners": [{"kind": owner}],
    });
    // A custom resource's fields are its operator's to understand.
    let running: Vec<&Value> = made.iter().filter(|o| is_built_in(&o.key.group)).map(|o| o.object).collect();
    let images: BTreeSet<&str> = running.iter().flat_map(|object| images(object)).collect();
    if !images.is_empty() {
        let accounts: BTreeSet<&str> = running.iter().filter_map(|object| account(object)).collect();
        makes["images"] = json!(images);
        makes["serviceAccounts"] = json!(accounts);
        makes["podSecurity"] = json!(level(&running));
    }
    makes
}

/// The strictest level that all of them keep.
fn level(objects: &[&Value]) -> PodSecurity {
    let kept = |level: &PodSecurity| objects.iter().all(|object| keeps(*level, object));
    [PodSecurity::Restricted, PodSecurity::Baseline].into_iter().find(kept).unwrap_or(PodSecurity::Privileged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn set(name: &str, privileged: bool) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"template": {"spec": {"serviceAccountName": "db",
                "containers": [{"name": "db", "image": "db:1", "securityContext": {"privileged": privileged}}]}}}})
    }

    #[test]
    fn a_draft_without_its_signs_is_a_configuration() {
        let owner = ObjectKey::new("db.example.org", "Database", "shop", "main");
        let objects = [set("main", false), set("other", true), json!({"kind": "Role"})];
        let keys = [
            ObjectKey::new("apps", "StatefulSet", "shop", "main"),
            ObjectKey::new("apps", "StatefulSet", "shop", "other"),
            ObjectKey::new("rbac.authorization.k8s.io", "Role", "shop", "r"),
        ];
        let operated: Vec<Operated<'_>> =
            keys.iter().zip(&objects).map(|(key, object)| Operated { key, object, owner: &owner }).collect();
        let text = draft("shop", &operated);
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        let body: String =
            text.lines().skip_while(|l| *l != "# delegations:").map(|l| format!("{}\n", &l[2..])).collect();
        let whole = format!("apiVersion: gitward.dev/v1alpha1\nkind: Configuration\n{body}");
        let read = config::parse(&config::FILE.into(), whole.as_bytes()).unwrap();
        let [delegation] = read.delegations.as_slice() else { panic!("{text}") };
        assert_eq!((delegation.name.as_str(), delegation.makes.len()), ("database", 1));
        let makes = &delegation.makes[0];
        assert_eq!((&makes.kinds[0], &makes.images[0]), (&"StatefulSet.apps".to_owned(), &"db:1".to_owned()));
        assert_eq!((makes.names.len(), makes.pod_security), (2, PodSecurity::Privileged));
        assert_eq!(draft("shop", &operated[2..]), "");
        assert!(draft("shop", &operated[..1]).contains("podSecurity: baseline"));
    }
}
