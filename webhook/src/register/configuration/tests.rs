use super::*;
use gitward_index::Served;
use kube::core::{ApiResource, GroupVersionKind};

fn served(group: &str, kind: &str, plural: &str, namespaced: bool) -> Served {
    let gvk = GroupVersionKind::gvk(group, "v1", kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, plural);
    Served { resource, namespaced, subresources: Vec::new(), verbs: Vec::new() }
}

fn table() -> Table {
    Table::of([
        served("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
        served("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false),
        served("", "Namespace", "namespaces", false),
        served("apps", "Deployment", "deployments", true),
    ])
}

fn environment(namespaces: &[&str], cluster_kinds: &[&str]) -> EnvironmentConfig {
    let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    EnvironmentConfig {
        name: "prod".into(),
        namespaces: owned(namespaces),
        cluster_kinds: owned(cluster_kinds),
        ..EnvironmentConfig::default()
    }
}

fn registration() -> Registration {
    Registration {
        address: Address::Url("https://127.0.0.1:9443/admit".into()),
        ca_bundle: "PEM".into(),
        learner: "system:serviceaccount:gitward-system:gitward-reconciler".into(),
    }
}

fn webhooks(environment: &EnvironmentConfig) -> Vec<ValidatingWebhook> {
    configuration(environment, &BTreeSet::new(), &registration(), &table()).0.webhooks.unwrap()
}

fn selected(webhook: &ValidatingWebhook) -> (String, Vec<String>) {
    let selector = webhook.namespace_selector.clone().unwrap();
    let requirement = selector.match_expressions.unwrap().remove(0);
    assert_eq!(requirement.key, "kubernetes.io/metadata.name");
    (requirement.operator, requirement.values.unwrap())
}

#[test]
fn the_whole_registration() {
    let environment = environment(&["shop", "blog"], &["ClusterRole", "CustomResourceDefinition.apiextensions.k8s.io"]);
    let (configuration, unknown) = configuration(&environment, &BTreeSet::new(), &registration(), &table());
    assert!(unknown.is_empty());
    insta::assert_json_snapshot!(configuration);
}

#[test]
fn everyone_fails_closed_and_the_control_plane_open_and_nobody_is_between() {
    let webhooks = webhooks(&environment(&["shop"], &["ClusterRole"]));
    assert_eq!(webhooks.len(), 4);
    for pair in webhooks.chunks(2) {
        assert_eq!(pair[0].failure_policy.as_deref(), Some("Fail"));
        assert_eq!(pair[1].failure_policy.as_deref(), Some("Ignore"));
        let who = |w: &ValidatingWebhook| w.match_conditions.clone().unwrap()[0].expression.clone();
        assert_eq!(who(&pair[0]), format!("!({})", who(&pair[1])));
        assert_eq!(pair[0].match_conditions.as_ref().unwrap()[1..], pair[1].match_conditions.as_ref().unwrap()[1..]);
    }
}

#[test]
fn what_the_cluster_needs_to_start_is_left_out_unless_git_insists() {
    let mut environment = environment(&["shop", "kube-system", "gitward-system"], &[]);
    assert_eq!(selected(&webhooks(&environment)[0]), ("In".into(), vec!["shop".into()]));
    environment.allow_system_namespaces = true;
    assert_eq!(selected(&webhooks(&environment)[0]).1.len(), 3);
}

#[test]
fn governing_the_kind_namespace_means_all_but_the_systems() {
    let webhooks = webhooks(&environment(&["shop"], &["Namespace"]));
    assert_eq!(selected(&webhooks[2]).0, "NotIn");
}

#[test]
fn kinds_that_are_not_served_yet_are_named_and_not_guessed() {
    let environment = environment(&[], &["Widget.example.org", "Deployment"]);
    let (configuration, unknown) = configuration(&environment, &BTreeSet::new(), &registration(), &table());
    assert_eq!(unknown, ["Widget.example.org", "Deployment"]);
    assert_eq!(configuration.webhooks.unwrap(), []);
}

#[test]
fn the_address_decides_url_and_names() {
    for (url, name) in [("https://127.0.0.1:9443", "127.0.0.1"), ("https://[::1]:9/x", "::1"), ("https://a.b/", "a.b")]
    {
        assert_eq!(Address::Url(url.into()).names(), [name]);
    }
    let config = Address::Url("https://h:1/admit".into()).client_config(ADMIT_CONTROL_PLANE, "");
    assert_eq!(config.url.as_deref(), Some("https://h:1/admit/control-plane"));
    let service = Address::Service { namespace: "n".into(), name: "s".into(), port: 443 };
    assert_eq!(service.names(), ["s.n.svc"]);
    assert_eq!(service.client_config(ADMIT, "").service.unwrap().path.as_deref(), Some("/admit"));
}

#[test]
fn where_others_live_too_only_declared_names_are_asked_about() {
    let declared = BTreeSet::from([
        ObjectKey::new("apps", "Deployment", "default", "web"),
        ObjectKey::new("apps", "Deployment", "kube-system", "dns"),
        ObjectKey::new("rbac.authorization.k8s.io", "ClusterRole", "", "system:reader"),
        ObjectKey::new("example.org", "Widget", "default", "w"),
    ]);
    let (configuration, unknown) = configuration(&environment(&[], &[]), &declared, &registration(), &table());
    assert_eq!(unknown, ["Widget.example.org"]);
    let webhooks = configuration.webhooks.unwrap();
    let told: Vec<_> = webhooks
        .iter()
        .map(|w| {
            let last = w.match_conditions.clone().unwrap().pop().unwrap().expression;
            let names = last.rsplit_once(" in ").unwrap().1.to_owned();
            (w.name.split('.').next().unwrap(), w.failure_policy.as_deref().unwrap(), names, selected(w).1.len())
        })
        .collect();
    let row = |what, failure, names: &str, namespaces| (what, failure, names.to_owned(), namespaces);
    assert_eq!(
        told,
        [
            row("shared", "Fail", "['web']", 1),
            row("shared", "Ignore", "['web']", 1),
            row("shared-system", "Ignore", "['dns']", 1),
            row("shared-system", "Ignore", "['dns']", 1),
            row("shared-cluster", "Fail", "['system:reader']", 4),
            row("shared-cluster", "Ignore", "['system:reader']", 4),
        ]
    );
    let resources = webhooks[0].rules.clone().unwrap().remove(0).resources.unwrap();
    assert_eq!(resources, ["deployments", "deployments/*"]);
}
