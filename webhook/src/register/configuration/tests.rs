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
    configuration(environment, &BTreeSet::new(), &[], &registration(), &table(), false).0.webhooks.unwrap()
}

fn names(webhooks: &[ValidatingWebhook]) -> Vec<&str> {
    webhooks.iter().map(|w| w.name.as_str()).collect()
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
    let (configuration, unknown) = configuration(&environment, &BTreeSet::new(), &[], &registration(), &table(), true);
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
fn kinds_that_are_not_served_yet_are_asked_about_from_their_first_moment_on() {
    let environment = environment(&[], &["Widget.example.org", "Deployment"]);
    let (configuration, unknown) = configuration(&environment, &BTreeSet::new(), &[], &registration(), &table(), false);
    assert_eq!(unknown, ["Widget.example.org", "Deployment"]);
    let webhooks = configuration.webhooks.unwrap();
    assert_eq!(names(&webhooks), ["cluster-new.gitward.dev", "cluster-new.control-plane.gitward.dev"]);
    let only = webhooks[0].match_conditions.clone().unwrap().pop().unwrap().expression;
    assert_eq!(
        only,
        "request.kind.kind in ['Deployment'] || (request.kind.kind + '.' + request.kind.group) in \
         ['Widget.example.org']"
    );
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
    let (configuration, unknown) =
        configuration(&environment(&[], &[]), &declared, &[], &registration(), &table(), false);
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

mod other_versions {
    use super::*;
    use gitward_core::object::Gvk;

    /// Autoscalers and widgets in two versions, Deployments in one, and an aggregated group.
    fn table() -> Table {
        let most_stable = [
            served("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
            served("example.org", "Widget", "widgets", true),
            served("example.org", "Pool", "pools", false),
            served("apps", "Deployment", "deployments", true),
            served("events.k8s.io", "Event", "events", true),
        ];
        Table::of(most_stable)
            .with_version("autoscaling", "horizontalpodautoscalers", "v1", &["status"])
            .with_version("autoscaling", "horizontalpodautoscalers", "v2", &["status"])
            .with_version("example.org", "widgets", "v1", &[])
            .with_version("example.org", "widgets", "v1beta1", &[])
            .with_version("example.org", "pools", "v1", &[])
            .with_version("example.org", "pools", "v1beta1", &[])
            .with_version("apps", "deployments", "v1", &[])
            .with_version("events.k8s.io", "events", "v1", &[])
            .with_version("events.k8s.io", "events", "v1beta1", &[])
    }

    fn declared(kinds: &[(&str, &str)]) -> BTreeSet<Gvk> {
        kinds.iter().map(|(api_version, kind)| Gvk::new(api_version, kind)).collect()
    }

    fn webhooks(declared: &BTreeSet<Gvk>) -> Vec<ValidatingWebhook> {
        let (table, environment) = (table(), environment(&["shop"], &["Pool"]));
        configuration(&environment, &BTreeSet::new(), &converted(declared, &table), &registration(), &table, false)
            .0
            .webhooks
            .unwrap()
    }

    fn judged_in(declared: &BTreeSet<Gvk>) -> Vec<String> {
        let told = |c: &Converted| format!("{}: {:?}", c.plural, c.versions);
        converted(declared, &table()).iter().map(told).collect()
    }

    #[test]
    fn the_declared_version_is_judged_in_else_the_most_stable_one() {
        assert_eq!(
            judged_in(&declared(&[("autoscaling/v2", "HorizontalPodAutoscaler"), ("example.org/v1beta1", "Widget")])),
            [r#"horizontalpodautoscalers: {"v2"}"#, r#"widgets: {"v1beta1"}"#, r#"pools: {"v1"}"#]
        );
    }

    #[test]
    fn a_version_that_is_not_served_cannot_be_converted_to() {
        let declared = declared(&[("autoscaling/v2beta2", "HorizontalPodAutoscaler")]);
        assert!(judged_in(&declared).contains(&r#"horizontalpodautoscalers: {"v1"}"#.to_owned()));
    }

    #[test]
    fn what_git_declares_in_every_version_is_not_converted() {
        let declared = declared(&[("example.org/v1", "Widget"), ("example.org/v1beta1", "Widget")]);
        assert!(judged_in(&declared).iter().all(|c| !c.starts_with("widgets")));
    }

    #[test]
    fn the_split_leaves_nothing_out() {
        let declared = declared(&[("autoscaling/v2", "HorizontalPodAutoscaler")]);
        let webhooks = webhooks(&declared);
        assert_eq!(
            names(&webhooks),
            [
                "namespaced-by-version.gitward.dev",
                "namespaced-by-version.control-plane.gitward.dev",
                "namespaced.gitward.dev",
                "namespaced.control-plane.gitward.dev",
                "cluster-by-version.gitward.dev",
                "cluster-by-version.control-plane.gitward.dev",
                "cluster.gitward.dev",
                "cluster.control-plane.gitward.dev",
            ]
        );
        for (by_version, rest) in [(&webhooks[0], &webhooks[2]), (&webhooks[4], &webhooks[6])] {
            let excluded = rest.match_conditions.clone().unwrap().pop().unwrap().expression;
            let matched: Vec<String> = by_version
                .rules
                .iter()
                .flatten()
                .flat_map(|r| {
                    let (group, plural) = (&r.api_groups.as_ref().unwrap()[0], &r.resources.as_ref().unwrap()[0]);
                    assert_eq!(r.resources.as_ref().unwrap()[1], format!("{plural}/*"));
                    r.api_versions.iter().flatten().map(move |v| format!("'{group}/{v}/{plural}'")).collect::<Vec<_>>()
                })
                .collect();
            assert!(excluded.ends_with(&format!("in [{}])", matched.join(", "))), "{excluded}");
            assert!(rest.rules.iter().flatten().all(|r| r.api_versions.as_ref().unwrap() == &["*"]));
            assert_eq!(rest.match_policy.as_deref(), Some("Equivalent"));
        }
        let url = |i: usize| webhooks[i].client_config.url.clone().unwrap();
        assert!(url(0).ends_with("/admit") && url(2).ends_with("/admit/any-version"));
        assert!(url(1).ends_with("/admit/control-plane") && url(3).ends_with("/admit/control-plane/any-version"));
    }

    #[test]
    fn the_registration_with_two_versions() {
        let declared = declared(&[("autoscaling/v2", "HorizontalPodAutoscaler")]);
        insta::assert_json_snapshot!(webhooks(&declared)[2].match_conditions);
    }

    /// Bounds of the API server: 64 conditions a webhook, 100,000 characters an expression, about
    /// 1.5 MB an object.
    #[test]
    fn thousands_of_custom_resources_fit() {
        let group = format!("{}.example.org", "g".repeat(200));
        let mut served_kinds = Vec::new();
        let mut table = Table::default();
        for i in 0..5000 {
            served_kinds.push(served(&group, &format!("Kind{i}"), &format!("kind{i}s"), true));
        }
        let mut of = Table::of(served_kinds);
        std::mem::swap(&mut table, &mut of);
        for i in 0..5000 {
            let plural = format!("kind{i}s");
            table = table.with_version(&group, &plural, "v1", &[]).with_version(&group, &plural, "v1beta1", &[]);
        }
        let last = declared(&[(&format!("{group}/v1"), "Kind4999")]);
        let converted = converted(&last, &table);
        assert_eq!(converted.len(), 1000);
        assert_eq!(converted[0].plural, "kind4999s", "what Git declares comes first");
        let environment = environment(&["shop"], &[]);
        let (configuration, _) =
            configuration(&environment, &BTreeSet::new(), &converted, &registration(), &table, false);
        for webhook in configuration.webhooks.iter().flatten() {
            let conditions = webhook.match_conditions.clone().unwrap();
            assert!(conditions.len() <= 64 && conditions.iter().all(|c| c.expression.len() < 100_000));
        }
        let size = serde_json::to_string(&configuration).unwrap().len();
        assert!(size < 1_400_000, "{size}");
    }
}
