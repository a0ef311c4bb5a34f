//! What an object needs, held against what is declared.

use std::sync::Arc;

use super::index::{Index, Pods};
use crate::evaluate::facts::{At, Need, ObjectFacts, PodOffer};
use crate::finding::Finding;
use crate::object::ObjectKey;
use crate::schema::listed;

/// The object whose references are looked at.
pub(super) struct Subject<'a> {
    pub(super) index: &'a Index<'a>,
    pub(super) file: &'a Arc<str>,
    pub(super) object: &'a ObjectFacts<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn answer(&self, findings: &mut Vec<Finding>) {
        for ask in &self.object.asks {
            let at = &ask.at;
            match &ask.what {
                Need::Object { group, kind, namespace, name } => {
                    findings.extend(self.missing(group, kind, namespace, name, at));
                }
                Need::Key { kind, name, key } => findings.extend(self.key(kind, name, key, at)),
                Need::Pods { labels, ports } => self.pods(labels, ports, at, findings),
                Need::Port { service, by_name, wanted } => findings.extend(self.port(service, *by_name, wanted, at)),
            }
        }
    }

    /// A finding if the named object is nobody's.
    fn missing(&self, group: &str, kind: &str, namespace: &str, name: &str, at: &At<'_>) -> Option<Finding> {
        if self.index.may_exist(group, kind, namespace, name) {
            return None;
        }
        let named = ObjectKey::new(group, kind, namespace, name);
        let message = format!("{} names {named}, which Git does not declare", self.object.key());
        let hint = match self.index.similar(group, kind, namespace, name) {
            Some(similar) => format!("Did you mean `{similar}`?"),
            None => format!("Declare the {kind}, or, if something else makes it, delegate that in gitward.yaml."),
        };
        Some(self.warning("reference/missing", message, at).with_hint(hint))
    }

    fn key(&self, kind: &str, name: &str, key: &str, at: &At<'_>) -> Option<Finding> {
        let offer = &self.index.get("", kind, self.object.namespace, name)?.offer;
        // An empty one is filled by somebody else.
        if offer.fills_itself || offer.keys.is_empty() || offer.keys.contains(&key) {
            return None;
        }
        let message = format!("{} reads the key `{key}` of {kind}/{name}, which has no such key", self.object.key());
        let mut keys = offer.keys.clone();
        keys.sort_unstable();
        let hint = format!("Keys there: {}.", listed(keys.into_iter()));
        Some(self.warning("reference/key", message, at).with_hint(hint))
    }

    fn pods(&self, labels: &[(&str, &str)], ports: &[(&str, At<'_>)], at: &At<'_>, findings: &mut Vec<Finding>) {
        if !self.index.says_all_of(self.object.namespace) {
            return;
        }
        let pods = self.index.pods(self.object.namespace);
        let selected = pods.map(|pods| pods.selected(labels)).unwrap_or_default();
        if selected.is_empty() {
            findings.extend(self.nobody(pods, labels, at));
            return;
        }
        for (name, at) in ports {
            findings.extend(self.target_port(name, &selected, at));
        }
    }

    fn nobody(&self, pods: Option<&Pods<'a>>, labels: &[(&str, &str)], at: &At<'_>) -> Option<Finding> {
        if self.index.may_make_pods(self.object.namespace, labels) {
            return None;
        }
        let message = format!("{} selects no Pod that Git declares", self.object.key());
        let finding = self.warning("reference/selector", message, at);
        Some(finding.with_hint(match pods.and_then(|pods| nearly(pods, labels)) {
            Some((label, value)) => format!("Did you mean `{label}: {value}`? A Pod template has that."),
            None => "Compare with the labels of the Pod template that is meant, or remove the object.".to_owned(),
        }))
    }

    /// A target port by name that no selected Pod has.
    fn target_port(&self, name: &str, selected: &[&PodOffer<'_>], at: &At<'_>) -> Option<Finding> {
        let names: Vec<&str> = selected.iter().flat_map(|pod| pod.ports.iter().copied()).collect();
        if names.contains(&name) {
            return None;
        }
        let message = format!("{} leads to the port `{name}`, which no Pod that it selects has", self.object.key());
        let hint = match names.is_empty() {
            true => "Name a port of the container, or write its number.".to_owned(),
            false => format!("Ports there: {}.", listed(names.into_iter())),
        };
        Some(self.warning("reference/port", message, at).with_hint(hint))
    }

    /// A port of a declared Service that it does not have.
    fn port(&self, service: &str, by_name: bool, wanted: &str, at: &At<'_>) -> Option<Finding> {
        let offer = self.index.get("", "Service", self.object.namespace, service)?.offer.service.as_ref()?;
        let mut ports = offer.ports.iter().map(|port| if by_name { &port.name } else { &port.port });
        if offer.is_external || ports.any(|port| *port == wanted) {
            return None;
        }
        let text = serde_json::from_str::<String>(wanted).unwrap_or_else(|_| wanted.to_owned());
        let message =
            format!("{} leads to the port {text} of Service/{service}, which has no such port", self.object.key());
        let there: Vec<&str> = offer.ports.iter().map(|port| &*port.port).collect();
        Some(self.warning("reference/port", message, at).with_hint(format!("Ports there: {}.", there.join(", "))))
    }

    fn warning(&self, rule: &'static str, message: String, at: &At<'_>) -> Finding {
        Finding::warning(rule, message)
            .with_object(self.object.key())
            .with_field(at.field())
            .with_place(Some(at.place(self.file)))
    }
}

/// The one label that keeps a Pod template from being selected.
fn nearly<'a, 'l>(pods: &Pods<'a>, labels: &[(&'l str, &str)]) -> Option<(&'l str, &'a str)> {
    pods.iter().find_map(|pod| {
        let mut wrong = labels.iter().filter(|label| !pod.labels.contains(label));
        let (label, _) = wrong.next()?;
        let (_, value) = pod.labels.iter().find(|(name, _)| name == label)?;
        wrong.next().is_none().then_some((*label, *value))
    })
}
