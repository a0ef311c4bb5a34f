//! Reading `gitward.yaml`: one finding for each mistake, at its place, all of them at once.

mod shape;
mod words;

mod delegations;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::{API_VERSION, BreakGlass, Configuration, Delegation, EnvironmentConfig, Exemption, KIND};
use crate::delegation::bounds;
use crate::exemption::parse_fields;
use crate::finding::{Finding, Place};
use crate::manifest::{self, Document, Limits};
use crate::object::is_dns_label;
use crate::path::FieldPath;
use crate::schema::Schemas;

use shape::Shaped;

/// Namespaces that the cluster, or gitward in it, needs to start.
const SYSTEM_NAMESPACES: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "gitward-system"];

/// Reads `gitward.yaml`.
///
/// # Errors
/// Findings with their places: broken YAML, unknown or missing fields, contradictions.
pub fn parse(file: &Arc<str>, text: &[u8]) -> Result<Configuration, Vec<Finding>> {
    let document = single_document(file, text)?;
    let source = Source { file, document: &document };
    let Shaped { configuration, mut findings, mended } = shape::read(&source);
    let Some(mut configuration) = configuration else { return Err(findings) };
    let of_content = Check { source: &source, configuration: &configuration, findings: Vec::new() }.run();
    // What was put in place of a mistake is nobody's: nothing is said of it.
    findings.extend(of_content.into_iter().filter(|f| !f.field.as_ref().is_some_and(|field| mended.touches(field))));
    if !findings.is_empty() {
        findings.sort_by(|a, b| a.place.cmp(&b.place));
        return Err(findings);
    }
    let places = |list: &str, count: usize| (0..count).map(|i| source.place(&FieldPath::of([list]).index(i))).collect();
    configuration.exemption_places = places("exemptions", configuration.exemptions.len());
    configuration.delegation_places = places("delegations", configuration.delegations.len());
    let ends = |list: &str, count: usize| {
        (0..count).map(|i| source.place(&FieldPath::of([list]).index(i).field("until"))).collect()
    };
    configuration.exemption_ends = ends("exemptions", configuration.exemptions.len());
    configuration.delegation_ends = ends("delegations", configuration.delegations.len());
    configuration.break_glass_places = places("breakGlass", configuration.break_glass.len());
    let delegations = configuration.delegations.iter().enumerate();
    configuration.bound_places = delegations.map(|(i, delegation)| source.places_of_bounds(i, delegation)).collect();
    configuration.ceiling_places = configuration.ceilings_named().map(|named| source.place(&named.field)).collect();
    configuration.policy_places = places("policies", configuration.policies.len());
    configuration.crd_places = places("crds", configuration.crds.len());
    configuration.environment_places = places("environments", configuration.environments.len());
    Ok(configuration)
}

fn single_document(file: &Arc<str>, text: &[u8]) -> Result<Document, Vec<Finding>> {
    let limits = Limits { bytes: 1 << 20, depth: 32, nodes: 100_000 };
    manifest::parse_document(text, &limits).map_err(|problem| vec![problem.finding(file)])
}

struct Source<'a> {
    file: &'a Arc<str>,
    document: &'a Document,
}

impl Source<'_> {
    fn place(&self, path: &FieldPath) -> Place {
        self.document.spans.place(self.file, path)
    }

    fn places_of_bounds(&self, index: usize, delegation: &Delegation) -> Vec<Place> {
        let at = FieldPath::of(["delegations"]).index(index);
        let bounds = bounds::of(delegation);
        bounds.iter().map(|bound| self.place(&FieldPath([&at.0[..], &bound.field.0].concat()))).collect()
    }

    fn finding(&self, rule: &'static str, path: &FieldPath, message: impl Into<String>) -> Finding {
        Finding::error(rule, message).with_field(path.clone()).with_place(Some(self.place(path)))
    }
}

/// What the types alone cannot say.
struct Check<'a> {
    source: &'a Source<'a>,
    configuration: &'a Configuration,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn run(mut self) -> Vec<Finding> {
        let configuration = self.configuration;
        self.header();
        self.versions();
        self.directories("policies", &configuration.policies);
        self.directories("crds", &configuration.crds);
        for (i, environment) in configuration.environments.iter().enumerate() {
            self.environment(environment, &FieldPath::of(["environments"]).index(i));
        }
        self.contradictions();
        for (i, exemption) in configuration.exemptions.iter().enumerate() {
            self.exemption(exemption, &FieldPath::of(["exemptions"]).index(i));
        }
        for (i, delegation) in configuration.delegations.iter().enumerate() {
            self.delegation(delegation, &FieldPath::of(["delegations"]).index(i));
        }
        for (i, glass) in configuration.break_glass.iter().enumerate() {
            self.break_glass(glass, &FieldPath::of(["breakGlass"]).index(i));
        }
        self.findings
    }

    fn report(&mut self, rule: &'static str, path: &FieldPath, message: impl Into<String>, hint: &str) {
        self.findings.push(self.source.finding(rule, path, message).with_hint(hint));
    }

    fn header(&mut self) {
        let configuration = self.configuration;
        if configuration.api_version != API_VERSION {
            let message =
                format!("apiVersion is {:?}, but this gitward reads {API_VERSION}", configuration.api_version);
            self.report("config/version", &FieldPath::of(["apiVersion"]), message, "use a gitward of that version");
        }
        if configuration.kind != KIND {
            let message = format!("kind is {:?} and not {KIND}", configuration.kind);
            self.report("config/kind", &FieldPath::of(["kind"]), message, "write `kind: Configuration`");
        }
    }

    fn versions(&mut self) {
        let path = FieldPath::of(["kubernetes"]);
        if self.configuration.kubernetes.is_empty() {
            self.report("config/kubernetes", &path, "kubernetes names no version", "name one, or leave the field out");
        }
        for (i, version) in self.configuration.kubernetes.iter().enumerate() {
            if let Err(unknown) = Schemas::builtin(version) {
                let hint = unknown.hint.unwrap_or_else(|| "name a version whose schemas gitward has".to_owned());
                self.report("config/kubernetes", &path.index(i), unknown.message, &hint);
            }
        }
    }

    fn directories(&mut self, field: &str, directories: &[String]) {
        for (i, directory) in directories.iter().enumerate() {
            let path = FieldPath::of([field]).index(i);
            if directory.is_empty() {
                self.report("config/path", &path, "the directory is empty", "name a directory of the repository");
            } else {
                self.directory(directory, &path);
            }
        }
    }

    fn directory(&mut self, directory: &str, path: &FieldPath) {
        if let Some(reason) = not_relative(directory) {
            let message = format!("{directory:?} {reason}");
            self.report("config/path", path, message, "write it relative to the root, like `deploy/prod`");
        }
    }

    fn environment(&mut self, environment: &EnvironmentConfig, at: &FieldPath) {
        if !is_dns_label(&environment.name) {
            let message = format!("environment name {:?} is no DNS label", environment.name);
            let hint = "use lower-case letters, digits and `-`, at most 63 characters";
            self.report("config/environment-name", &at.field("name"), message, hint);
        }
        if let Some(reason) = not_a_full_ref(&environment.git_ref) {
            let message = format!("ref {:?} {reason}", environment.git_ref);
            self.report("config/ref", &at.field("ref"), message, "write the full name, like `refs/heads/main`");
        }
        if !environment.path.is_empty() {
            self.directory(&environment.path, &at.field("path"));
        }
        for (i, namespace) in environment.namespaces.iter().enumerate() {
            self.namespace(namespace, environment.allow_system_namespaces, &at.field("namespaces").index(i));
        }
        for (i, kind) in environment.cluster_kinds.iter().enumerate() {
            self.kind_name(kind, &at.field("clusterKinds").index(i));
        }
        for (i, namespace) in environment.shared_namespaces.iter().enumerate() {
            self.namespace(namespace, true, &at.field("sharedNamespaces").index(i));
        }
        for (i, kind) in environment.shared_cluster_kinds.iter().enumerate() {
            let at = at.field("sharedClusterKinds").index(i);
            self.kind_name(kind, &at);
            if environment.cluster_kinds.contains(kind) {
                self.both(kind, &at);
            }
        }
        for (i, kind) in environment.prune.data_kinds.iter().enumerate() {
            self.kind_name(kind, &at.field("prune").field("dataKinds").index(i));
        }
    }

    fn namespace(&mut self, namespace: &str, system_allowed: bool, at: &FieldPath) {
        if !is_dns_label(namespace) {
            let message = format!("{namespace:?} is no namespace name");
            self.report("config/namespace", at, message, "use lower-case letters, digits and `-`");
        } else if SYSTEM_NAMESPACES.contains(&namespace) && !system_allowed {
            let message = format!("{namespace} holds what the cluster and gitward need to start");
            let hint = "put it into sharedNamespaces, or set `allowSystemNamespaces: true` on the environment";
            self.report("config/system-namespace", at, message, hint);
        }
    }

    /// Governed whole or shared: one of the two.
    fn both(&mut self, name: &str, at: &FieldPath) {
        let message = format!("{name} is governed as a whole and cannot be shared as well");
        self.report("config/shared", at, message, "keep it in one of the two lists");
    }

    fn kind_name(&mut self, kind: &str, at: &FieldPath) {
        let name = kind.split('.').next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = format!("{kind:?} is no kind");
            self.report("config/kind-name", at, message, "write `Kind` or `Kind.group`, like `ClusterRole`");
        }
    }

    /// Names that occur twice, and namespaces that two environments would fight over.
    fn contradictions(&mut self) {
        let environments = &self.configuration.environments;
        let mut names: HashMap<&str, usize> = HashMap::new();
        let mut governed: HashMap<(&str, &str), usize> = HashMap::new();
        for (i, environment) in environments.iter().enumerate() {
            let at = FieldPath::of(["environments"]).index(i);
            // What another environment governs as a whole it would remove again.
            let whole = |namespace: &String| {
                environments.iter().any(|e| e.git_ref == environment.git_ref && e.namespaces.contains(namespace))
            };
            for (n, namespace) in environment.shared_namespaces.iter().enumerate().filter(|(_, n)| whole(n)) {
                self.both(namespace, &at.field("sharedNamespaces").index(n));
            }
            if names.insert(&environment.name, i).is_some() {
                let message = format!("two environments are named {:?}", environment.name);
                self.report("config/environment-name", &at.field("name"), message, "give each its own name");
            }
            for (n, namespace) in environment.namespaces.iter().enumerate() {
                let Some(other) = governed.insert((&environment.git_ref, namespace), i) else { continue };
                let message = if other == i {
                    format!("namespace {namespace} is named twice")
                } else {
                    let (a, b) = (&environments[other].name, &environment.name);
                    format!(
                        "environments {a:?} and {b:?} both govern namespace {namespace} from {}",
                        environment.git_ref
                    )
                };
                let hint = "let one environment govern it, or feed the two from different refs";
                self.report("config/namespace", &at.field("namespaces").index(n), message, hint);
            }
        }
    }

    fn exemption(&mut self, exemption: &Exemption, at: &FieldPath) {
        let empty = |values: &[String]| values.is_empty() || values.iter().any(|v| v.trim().is_empty());
        let needed = [
            ("name", exemption.name.trim().is_empty()),
            ("reason", exemption.reason.trim().is_empty()),
            ("accounts", empty(&exemption.accounts)),
            ("kinds", empty(&exemption.kinds)),
        ];
        for (field, missing) in needed {
            if missing {
                let message = format!("exemption {:?} has no {field}", exemption.name);
                self.report("config/exemption", &at.field(field), message, "say who may do what, and why");
            }
        }
        for (i, kind) in exemption.kinds.iter().enumerate().filter(|(_, k)| !k.trim().is_empty()) {
            self.kind_name(kind, &at.field("kinds").index(i));
        }
        for (i, namespace) in exemption.namespaces.iter().enumerate() {
            self.namespace(namespace, true, &at.field("namespaces").index(i));
        }
        for (i, field) in exemption.fields.iter().enumerate().filter(|(_, f)| parse_fields(f).is_empty()) {
            let message = format!("{field:?} is no path of fields");
            let hint = "separate names by dots, quote like `[\"a.b/c\"]`, and leave indices out";
            self.report("config/exemption", &at.field("fields").index(i), message, hint);
        }
    }
}

const LONGEST_BREAK_GLASS: SignedDuration = SignedDuration::from_hours(24);

impl Check<'_> {
    fn break_glass(&mut self, glass: &BreakGlass, at: &FieldPath) {
        const RULE: &str = "config/break-glass";
        let same = |other: &&BreakGlass| other.name == glass.name;
        if !is_dns_label(&glass.name) || self.configuration.break_glass.iter().filter(same).count() > 1 {
            let message = format!("{:?} is no DNS label, or named twice", glass.name);
            self.report(RULE, &at.field("name"), message, "give each declaration a name of its own");
        }
        let nobody = glass.accounts.iter().chain(&glass.groups).all(|who| who.trim().is_empty());
        if nobody {
            let message = format!("break-glass {:?} names nobody", glass.name);
            self.report(RULE, at, message, "say who may, under accounts or groups");
        }
        if !glass.maximum.is_positive() || glass.maximum > LONGEST_BREAK_GLASS {
            let message = "maximum is not between nothing and 24 hours";
            self.report(RULE, &at.field("maximum"), message, "write a length of time, like `1h`");
        }
        for (i, kind) in glass.kinds.iter().enumerate() {
            self.kind_name(kind, &at.field("kinds").index(i));
        }
        for (i, namespace) in glass.namespaces.iter().enumerate() {
            self.namespace(namespace, true, &at.field("namespaces").index(i));
        }
    }
}

/// Why a path of the configuration is not one inside the tree.
fn not_relative(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.ends_with('/') || path.contains("//") {
        return Some("has an empty component");
    }
    if path.split('/').any(|c| c == "..") {
        return Some("leads out of its directory");
    }
    if path.split('/').any(|c| c.starts_with('.')) {
        return Some("has a component that begins with a dot");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return Some("has characters that are not allowed in it");
    }
    None
}

/// Why a ref name is not one that an environment can follow. Source: git-check-ref-format(1).
fn not_a_full_ref(name: &str) -> Option<&'static str> {
    if !name.starts_with("refs/") || name.split('/').count() < 3 {
        return Some("is not a full ref name");
    }
    if name.starts_with("refs/replace/") || name.starts_with("refs/gitward/") {
        return Some("is reserved");
    }
    let bad_component = |c: &str| c.is_empty() || c.starts_with('.') || c.ends_with(".lock");
    let bad_char = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let broken = name.split('/').any(bad_component)
        || name.chars().any(bad_char)
        || name.contains("..")
        || name.contains("@{")
        || name.ends_with('.');
    broken.then_some("is no valid ref name")
}

#[cfg(test)]
mod tests;
