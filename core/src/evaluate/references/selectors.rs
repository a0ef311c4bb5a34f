//! Who is meant by labels: Services and disruption budgets, and the ports of the Pods they select.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Subject;
use super::index::Pod;
use super::pods::elements;
use crate::finding::Finding;
use crate::path::FieldPath;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let spec = &subject.object.manifest.value["spec"];
    if !subject.index.says_all_of(subject.namespace()) {
        return;
    }
    if subject.is("", "Service") && spec["type"] != "ExternalName" {
        let at = FieldPath::of(["spec", "selector"]);
        let Some(selector) = labels(&spec["selector"]) else { return };
        let selected = selected(subject, &selector);
        if selected.is_empty() {
            findings.extend(nobody(subject, &selector, &at));
        } else {
            ports(subject, &selected, findings);
        }
    }
    if subject.is("policy", "PodDisruptionBudget") && spec["selector"].get("matchExpressions").is_none() {
        let at = FieldPath::of(["spec", "selector", "matchLabels"]);
        let Some(selector) = labels(&spec["selector"]["matchLabels"]) else { return };
        if selected(subject, &selector).is_empty() {
            findings.extend(nobody(subject, &selector, &at));
        }
    }
}

/// A selector that selects by something.
fn labels(selector: &Value) -> Option<BTreeMap<&str, &str>> {
    let map = selector.as_object()?;
    let labels: Option<BTreeMap<&str, &str>> = map.iter().map(|(k, v)| Some((k.as_str(), v.as_str()?))).collect();
    labels.filter(|labels| !labels.is_empty())
}

fn selected<'a>(subject: &Subject<'a>, selector: &BTreeMap<&str, &str>) -> Vec<&'a Pod<'a>> {
    let fits = |pod: &&Pod<'_>| {
        pod.labels().is_some_and(|l| selector.iter().all(|(k, v)| l.get(*k).and_then(Value::as_str) == Some(v)))
    };
    subject.index.pods(subject.namespace()).iter().filter(fits).collect()
}

fn nobody(subject: &Subject<'_>, selector: &BTreeMap<&str, &str>, at: &FieldPath) -> Option<Finding> {
    if subject.index.may_make_pods(subject.namespace(), selector) {
        return None;
    }
    let message = format!("{} selects no Pod that Git declares", subject.key());
    let finding = subject.warning("reference/selector", message, at);
    Some(finding.with_hint(match nearly(subject, selector) {
        Some((label, value)) => format!("Did you mean `{label}: {value}`? A Pod template has that."),
        None => "Compare with the labels of the Pod template that is meant, or remove the object.".to_owned(),
    }))
}

/// The one label that keeps a Pod template from being selected.
fn nearly<'a>(subject: &Subject<'a>, selector: &BTreeMap<&'a str, &str>) -> Option<(String, &'a str)> {
    subject.index.pods(subject.namespace()).iter().filter_map(Pod::labels).find_map(|labels| {
        let mut wrong = selector.iter().filter(|(k, v)| labels.get(**k).and_then(Value::as_str) != Some(**v));
        let (label, _) = wrong.next()?;
        let value = labels.get(*label)?.as_str()?;
        wrong.next().is_none().then_some(((*label).to_owned(), value))
    })
}

/// A target port by name has to be a port of a selected Pod.
fn ports(subject: &Subject<'_>, selected: &[&Pod<'_>], findings: &mut Vec<Finding>) {
    for (index, port) in elements(&subject.object.manifest.value["spec"]["ports"]) {
        let Some(name) = port["targetPort"].as_str() else { continue };
        let names: Vec<&str> = selected.iter().flat_map(|pod| port_names(&pod.value["spec"])).collect();
        if names.contains(&name) {
            continue;
        }
        let at = FieldPath::of(["spec", "ports"]).index(index).field("targetPort");
        let message = format!("{} leads to the port `{name}`, which no Pod that it selects has", subject.key());
        let hint = match names.is_empty() {
            true => "Name a port of the container, or write its number.".to_owned(),
            false => format!("Ports there: {}.", crate::schema::listed(names.into_iter())),
        };
        findings.push(subject.warning("reference/port", message, &at).with_hint(hint));
    }
}

fn port_names(spec: &Value) -> impl Iterator<Item = &str> {
    let containers = ["initContainers", "containers"].into_iter().flat_map(|list| elements(&spec[list]));
    containers.flat_map(|(_, c)| elements(&c["ports"])).filter_map(|(_, port)| port["name"].as_str())
}
