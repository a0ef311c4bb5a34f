//! APIServices that kube-apiserver registers for its own groups and for CRDs.

use serde_json::Value;

use super::case::Case;
use super::compare::{at, list, only, text};
use super::{Judged, Proof};
use crate::object;

/// An APIService is made, changed, or is there. It may have no backend: whoever serves an API sees
/// what is written to it.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let service = case.object()?;
    let spec = at(service, &["spec"]);
    ensure!(
        only(spec, &["group", "version", "groupPriorityMinimum", "versionPriority"]),
        "an API with a backend has to be declared in Git"
    );
    let (group, version) = (text(spec, &["group"]), text(spec, &["version"]));
    ensure!(object::name(service) == format!("{version}.{group}"), "the name is not that of the API");
    let metadata = at(service, &["metadata"]);
    ensure!(
        only(at(metadata, &["labels"]), &["kube-aggregator.kubernetes.io/automanaged"])
            && only(at(metadata, &["annotations"]), &[])
            && object::owner_references(service).is_empty()
            && object::finalizers(service).next().is_none(),
        "its metadata says more than the API server does"
    );
    let built_in = group.ends_with(".k8s.io") || !group.contains('.');
    ensure!(built_in || has_definition(case, group, version), "no CustomResourceDefinition has {group}/{version}");
    Ok(Proof::Content)
}

fn has_definition(case: &Case<'_>, group: &str, version: &str) -> bool {
    case.list("apiextensions.k8s.io", "CustomResourceDefinition", "").iter().any(|definition| {
        let versions: &[Value] = list(definition, &["spec", "versions"]);
        text(definition, &["spec", "group"]) == group && versions.iter().any(|v| text(v, &["name"]) == version)
    })
}
