//! What is known of each kind besides its fields.

use gitward_core::object::Gvk;
use gitward_core::path::FieldPath;
use gitward_core::schema::{Schemas, Scope};

use crate::newest;

#[test]
fn versions_are_chosen_by_minor() {
    for version in ["1.36", "v1.36", "1.36.3", "1.35", "1.34"] {
        assert!(Schemas::builtin(version).is_ok(), "{version}");
    }
    let finding = Schemas::builtin("1.20").expect_err("too old");
    assert_eq!(finding.rule, "schema/version");
    assert_eq!(finding.hint.as_deref(), Some("Versions: 1.36, 1.35, 1.34."));
}

#[test]
fn scope_status_and_plural_of_each_kind() {
    let cases = [
        ("apps/v1", "Deployment", Some(Scope::Namespaced), true, Some("deployments")),
        ("v1", "Pod", Some(Scope::Namespaced), true, Some("pods")),
        ("v1", "Namespace", Some(Scope::Cluster), true, Some("namespaces")),
        ("v1", "ConfigMap", Some(Scope::Namespaced), false, Some("configmaps")),
        ("v1", "Endpoints", Some(Scope::Namespaced), false, Some("endpoints")),
        ("networking.k8s.io/v1", "NetworkPolicy", Some(Scope::Namespaced), false, Some("networkpolicies")),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", Some(Scope::Cluster), false, Some("clusterroles")),
        ("storage.k8s.io/v1", "StorageClass", Some(Scope::Cluster), false, Some("storageclasses")),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            Some(Scope::Cluster),
            true,
            Some("customresourcedefinitions"),
        ),
        ("example.com/v1", "Nothing", None, false, None),
    ];
    let schemas = newest();
    for (api_version, kind, scope, status, plural) in cases {
        let gvk = Gvk::new(api_version, kind);
        assert_eq!(schemas.scope(&gvk), scope, "{gvk}");
        assert_eq!(schemas.has_status_subresource(&gvk), status, "{gvk}");
        assert_eq!(schemas.resource(&gvk), plural, "{gvk}");
    }
    assert!(schemas.kinds().count() > 80);
}

#[test]
fn list_keys_are_those_that_the_api_server_merges_by() {
    type Case = (&'static str, &'static str, &'static [&'static str], Option<&'static [&'static str]>);
    let cases: &[Case] = &[
        ("v1", "Pod", &["spec", "containers"], Some(&["name"])),
        ("v1", "Service", &["spec", "ports"], Some(&["port", "protocol"])),
        ("apps/v1", "Deployment", &["spec", "template", "spec", "volumes"], Some(&["name"])),
        ("apps/v1", "Deployment", &["metadata", "ownerReferences"], Some(&["uid"])),
        ("apps/v1", "Deployment", &["metadata", "finalizers"], None),
        ("apps/v1", "Deployment", &["spec", "replicas"], None),
        ("apps/v1", "Deployment", &["spec", "nothing"], None),
    ];
    let schemas = newest();
    for (api_version, kind, fields, keys) in cases {
        let path = fields.iter().fold(FieldPath::root(), |path, field| path.field(field));
        let found = schemas.list_keys(&Gvk::new(api_version, kind), &path);
        let expected: Option<Vec<String>> = keys.map(|keys| keys.iter().map(|k| (*k).to_owned()).collect());
        assert_eq!(found.map(<[String]>::to_vec), expected, "{kind} {path}");
    }
    let ports = FieldPath::of(["spec", "containers"]).index(0).field("ports");
    let found = schemas.list_keys(&Gvk::new("v1", "Pod"), &ports);
    assert_eq!(found.map(<[String]>::to_vec), Some(vec!["containerPort".to_owned(), "protocol".to_owned()]));
}

#[test]
fn a_kind_newer_than_the_version_names_the_versions_served() {
    let text = "apiVersion: scheduling.k8s.io/v1\nkind: Workload\nmetadata: {name: w}\n";
    let manifest = &crate::read(text)[0];
    let findings = newest().check(manifest);
    assert_eq!(findings[0].rule, "schema/unknown-kind");
    assert!(findings[0].hint.as_ref().is_some_and(|h| h.starts_with("Versions served: scheduling.k8s.io/v1alpha")));
}

#[test]
fn schemas_are_shared_between_threads() {
    fn assert_shareable<T: Send + Sync + Clone>(_: &T) {}
    assert_shareable(&newest());
}
