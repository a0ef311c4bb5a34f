//! The ValidatingWebhookConfiguration of an environment, a function of what Git says and of where
//! the webhook is.

mod outside;
mod shared;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use gitward_core::config::EnvironmentConfig;
use gitward_core::object::ObjectKey;
use gitward_index::discovery::Table;
use gitward_index::registration::name;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, RuleWithOperations, ServiceReference, ValidatingWebhook, ValidatingWebhookConfiguration,
    WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement, ObjectMeta};

use crate::serve::{ADMIT, ADMIT_ANY_VERSION, ADMIT_CONTROL_PLANE, ADMIT_CONTROL_PLANE_ANY_VERSION};

pub use versions::{Converted, converted};

/// Seconds that the API server waits for an answer.
const TIMEOUT: i32 = 10;

/// Label that every Namespace carries and nobody can change: its name. Any other label could be
/// taken away, since an update is matched by its new labels.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Annotation that names the commit by which the configuration was made.
pub(crate) const COMMIT: &str = "gitward.dev/commit";

/// What the cluster or gitward needs to start. It never waits for the webhook, unless Git says so.
const SYSTEM_NAMESPACES: [&str; 4] = ["gitward-system", "kube-node-lease", "kube-public", "kube-system"];

/// Where the API server reaches the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A URL up to the path, for example `https://127.0.0.1:9443`.
    Url(String),
    /// A Service.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
}

impl Address {
    /// The names and addresses that the certificate has to be for.
    pub fn names(&self) -> Vec<String> {
        match self {
            Address::Url(url) => host(url).map(str::to_owned).into_iter().collect(),
            Address::Service { namespace, name, .. } => vec![format!("{name}.{namespace}.svc")],
        }
    }

    fn client_config(&self, path: &str, ca_bundle: &str) -> WebhookClientConfig {
        let ca_bundle = Some(ByteString(ca_bundle.as_bytes().to_vec()));
        match self {
            Address::Url(url) => {
                let url = format!("{}{path}", url.trim_end_matches('/').trim_end_matches(ADMIT));
                WebhookClientConfig { ca_bundle, url: Some(url), service: None }
            }
            Address::Service { namespace, name, port } => {
                let service = ServiceReference {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    path: Some(path.to_owned()),
                    port: Some(i32::from(*port)),
                };
                WebhookClientConfig { ca_bundle, url: None, service: Some(service) }
            }
        }
    }
}

fn host(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    (!host.is_empty()).then_some(host)
}

/// What the registration depends on besides Git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Where the webhook is reached.
    pub address: Address,
    /// CA certificates to trust it by (PEM).
    pub ca_bundle: String,
    /// Account whose dry runs of whole objects are not asked about: nothing comes of them, and
    /// learning must not wait for its own gate.
    pub learner: String,
}

/// The configuration of an environment, which declares `shared` where others live as well, with the
/// resources whose requests are `converted`, and whether Git lets anybody break a glass. Kinds that `served` does not know yet are returned as
/// well: governed cluster-scoped ones are asked about by their name, shared ones are left out.
pub fn configuration(
    environment: &EnvironmentConfig,
    shared: &BTreeSet<ObjectKey>,
    converted: &[Converted],
    registration: &Registration,
    served: &Table,
    breaks_glass: bool,
) -> (ValidatingWebhookConfiguration, Vec<String>) {
    let (cluster_rules, mut unknown) = cluster_rules(environment, served);
    let namespaces = governed(environment);
    let mut asked = Vec::new();
    if !namespaces.is_empty() {
        let selector = selector("In", namespaces.iter().cloned());
        asked.push(Asked::always("namespaced", vec![rule("*", "*/*", "Namespaced")], selector));
    }
    // The selector speaks of Namespace objects alone: other cluster-scoped objects have no
    // namespace to be selected by, and are never left out.
    let all_but_the_systems = || selector("NotIn", SYSTEM_NAMESPACES.iter().map(|n| (*n).to_owned()));
    if !cluster_rules.is_empty() {
        let all = environment.cluster_kinds.iter().any(|k| k == "Namespace");
        let selector = if all { all_but_the_systems() } else { selector("In", namespaces.iter().cloned()) };
        asked.push(Asked::always("cluster", cluster_rules, selector));
    }
    if !unknown.is_empty() {
        let mut new = Asked::always("cluster-new", vec![rule("*", "*/*", "Cluster")], all_but_the_systems());
        new.only.push(of_kinds(&unknown));
        asked.push(new);
    }
    let (more, unserved) = shared::asked(shared, served);
    asked.extend(more);
    if breaks_glass {
        asked.push(break_glass(&environment.name, all_but_the_systems()));
    }
    unknown.extend(unserved);
    let asked = asked.into_iter().flat_map(|a| versions::split(a, converted));
    let webhooks = asked.flat_map(|a| pair(&a, registration)).collect();
    let labels = BTreeMap::from([
        ("app.kubernetes.io/managed-by".to_owned(), "gitward".to_owned()),
        ("gitward.dev/environment".to_owned(), environment.name.clone()),
    ]);
    let metadata = ObjectMeta { name: Some(name(&environment.name)), labels: Some(labels), ..ObjectMeta::default() };
    (ValidatingWebhookConfiguration { metadata, webhooks: Some(webhooks) }, unknown)
}

/// Who breaks a glass of this environment. To end it nobody is asked.
fn break_glass(environment: &str, selector: LabelSelector) -> Asked {
    let rule = RuleWithOperations {
        operations: Some(vec!["CREATE".to_owned(), "UPDATE".to_owned()]),
        resources: Some(vec!["breakglasses".to_owned(), "breakglasses/*".to_owned()]),
        ..rule(gitward_core::break_glass::GROUP, "", "Cluster")
    };
    let mut asked = Asked::always("break-glass", vec![rule], selector);
    asked.only.push(condition("its-own", format!("object.spec.environment == {}", quoted(environment))));
    asked
}

fn governed(environment: &EnvironmentConfig) -> BTreeSet<String> {
    let may = |n: &&String| environment.allow_system_namespaces || !SYSTEM_NAMESPACES.contains(&n.as_str());
    environment.namespaces.iter().filter(may).cloned().collect()
}

fn selector(operator: &str, values: impl Iterator<Item = String>) -> LabelSelector {
    let requirement = LabelSelectorRequirement {
        key: NAMESPACE_NAME.to_owned(),
        operator: operator.to_owned(),
        values: Some(values.collect()),
    };
    LabelSelector { match_expressions: Some(vec![requirement]), match_labels: None }
}

fn rule(group: &str, resource: &str, scope: &str) -> RuleWithOperations {
    let one = |s: &str| Some(vec![s.to_owned()]);
    RuleWithOperations {
        api_groups: one(group),
        api_versions: one("*"),
        operations: one("*"),
        resources: one(resource),
        scope: Some(scope.to_owned()),
    }
}

/// Rules for the governed cluster-scoped kinds with all their subresources, and for Namespaces.
fn cluster_rules(environment: &EnvironmentConfig, served: &Table) -> (Vec<RuleWithOperations>, Vec<String>) {
    let mut resources: BTreeSet<(String, String)> = BTreeSet::new();
    let mut unknown = Vec::new();
    if !governed(environment).is_empty() {
        resources.insert((String::new(), "namespaces".to_owned()));
    }
    for kind in &environment.cluster_kinds {
        let found: Vec<_> = served.named(kind).into_iter().filter(|s| !s.namespaced).collect();
        if found.is_empty() {
            unknown.push(kind.clone());
        }
        resources.extend(found.into_iter().map(|s| (s.resource.group.clone(), s.resource.plural.clone())));
    }
    (rules_of(resources, "Cluster"), unknown)
}

/// Rules for resources, by group and plural, with all their subresources.
fn rules_of(resources: BTreeSet<(String, String)>, scope: &str) -> Vec<RuleWithOperations> {
    resources
        .into_iter()
        .map(|(group, plural)| RuleWithOperations {
            resources: Some(vec![plural.clone(), format!("{plural}/*")]),
            ..rule(&group, "", scope)
        })
        .collect()
}

/// What a pair of webhooks is asked about.
#[derive(Clone)]
struct Asked {
    what: String,
    rules: Vec<RuleWithOperations>,
    namespaces: LabelSelector,
    /// Asked only where all of these hold.
    only: Vec<MatchCondition>,
    /// What becomes of people's requests while the webhook is away.
    failure: &'static str,
    /// Whether another pair is asked about the same requests in other versions.
    any_version: bool,
}

impl Asked {
    fn always(what: &str, rules: Vec<RuleWithOperations>, namespaces: LabelSelector) -> Self {
        Self { what: what.to_owned(), rules, namespaces, only: Vec::new(), failure: "Fail", any_version: false }
    }
}

/// One webhook for everybody, which fails closed, and one for the control plane itself, which
/// fails open: an API server that starts while the webhook is down would exit otherwise.
fn pair(asked: &Asked, registration: &Registration) -> [ValidatingWebhook; 2] {
    const CONTROL_PLANE: &str = "has(request.userInfo.groups) && 'system:masters' in request.userInfo.groups";
    let webhook = |name: String, who: MatchCondition, path: &str, failure: &str| {
        let mut conditions = vec![who];
        conditions.extend(outside::conditions(&registration.learner));
        conditions.extend(asked.only.iter().cloned());
        ValidatingWebhook {
            name,
            admission_review_versions: vec!["v1".to_owned()],
            client_config: registration.address.client_config(path, &registration.ca_bundle),
            failure_policy: Some(failure.to_owned()),
            match_conditions: Some(conditions),
            match_policy: Some("Equivalent".to_owned()),
            namespace_selector: Some(asked.namespaces.clone()),
            object_selector: Some(LabelSelector::default()),
            rules: Some(asked.rules.clone()),
            side_effects: "None".to_owned(),
            timeout_seconds: Some(TIMEOUT),
        }
    };
    let everyone = condition("everyone-else", format!("!({CONTROL_PLANE})"));
    let control_plane = condition("control-plane", CONTROL_PLANE.to_owned());
    let (admit, admit_control_plane) = if asked.any_version {
        (ADMIT_ANY_VERSION, ADMIT_CONTROL_PLANE_ANY_VERSION)
    } else {
        (ADMIT, ADMIT_CONTROL_PLANE)
    };
    let what = &asked.what;
    [
        webhook(format!("{what}.gitward.dev"), everyone, admit, asked.failure),
        webhook(format!("{what}.control-plane.gitward.dev"), control_plane, admit_control_plane, "Ignore"),
    ]
}

/// Objects of these kinds, given as `Kind` or `Kind.group`.
fn of_kinds(kinds: &[String]) -> MatchCondition {
    let list = |qualified: bool| {
        let names: Vec<String> = kinds.iter().filter(|k| k.contains('.') == qualified).map(|k| quoted(k)).collect();
        names.join(", ")
    };
    let (plain, qualified) = (list(false), list(true));
    condition(
        "governed-kinds",
        format!("request.kind.kind in [{plain}] || (request.kind.kind + '.' + request.kind.group) in [{qualified}]"),
    )
}

/// A string of the expression language.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn condition(name: &str, expression: String) -> MatchCondition {
    MatchCondition { name: name.to_owned(), expression }
}

#[cfg(test)]
mod tests;
