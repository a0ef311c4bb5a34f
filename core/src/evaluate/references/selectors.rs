//! What selects Pods, and the ports of the Pods that it selects.

use serde_json::Value;

use super::Asking;
use super::pods::elements;
use crate::evaluate::facts::Need;
use crate::path::FieldPath;

pub(super) fn ask(asking: &mut Asking<'_>) {
    let spec = &asking.manifest.value["spec"];
    if asking.is("", "Service") && spec["type"] != "ExternalName" {
        let ports = elements(&spec["ports"]).filter_map(|(index, port)| {
            // A target port by name has to be a port of a selected Pod.
            let name = port["targetPort"].as_str()?;
            Some((name, asking.at(&FieldPath::of(["spec", "ports"]).index(index).field("targetPort"))))
        });
        let ports = ports.collect();
        if let Some(labels) = labels(&spec["selector"]) {
            asking.need(Need::Pods { labels, ports }, &FieldPath::of(["spec", "selector"]));
        }
    }
    if asking.is("policy", "PodDisruptionBudget")
        && spec["selector"].get("matchExpressions").is_none()
        && let Some(labels) = labels(&spec["selector"]["matchLabels"])
    {
        let at = FieldPath::of(["spec", "selector", "matchLabels"]);
        asking.need(Need::Pods { labels, ports: Vec::new() }, &at);
    }
}

/// A selector that selects by something.
fn labels(selector: &Value) -> Option<Vec<(&str, &str)>> {
    let map = selector.as_object()?;
    let labels: Option<Vec<(&str, &str)>> = map.iter().map(|(k, v)| Some((k.as_str(), v.as_str()?))).collect();
    labels.filter(|labels| !labels.is_empty())
}
