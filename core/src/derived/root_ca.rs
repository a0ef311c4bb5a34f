//! `kube-root-ca.crt`: what Pods verify the API server by.

use serde_json::Value;

use super::accounts::Account::Controller;
use super::case::{Act, Case};
use super::compare::{at, only, text};
use super::{Judged, Proof, fields, table};

const NAME: &str = "kube-root-ca.crt";
const CERTIFICATE: &str = "ca.crt";

/// The ConfigMap is made, changed, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    if case.name != NAME {
        return if case.is(Act::Update) {
            fields::all(case).map(|(_, proof)| proof)
        } else {
            Err(table::unknown(case))
        };
    }
    let own = case.object()?;
    let metadata = at(own, &["metadata"]);
    let bare = ["labels", "ownerReferences", "finalizers"].iter().all(|f| crate::change::is_empty(at(metadata, &[f])));
    ensure!(
        bare && only(at(metadata, &["annotations"]), &["kubernetes.io/description"]) && own.get("immutable").is_none(),
        "it holds more than the certificate"
    );
    ensure!(
        only(at(own, &["data"]), &[CERTIFICATE]) && crate::change::is_empty(at(own, &["binaryData"])),
        "it holds more than the certificate"
    );
    match cluster_certificate(case) {
        Some(certificate) => {
            ensure!(text(own, &["data", CERTIFICATE]) == certificate, "it is not the cluster's certificate");
            Ok(Proof::Content)
        }
        None => case.by(&[Controller("root-ca-cert-publisher")]),
    }
}

/// The cluster's certificate, as kube-system has it; `None` if that is not known.
pub(super) fn cluster_certificate(case: &Case<'_>) -> Option<String> {
    if case.namespace == "kube-system" && case.kind == "ConfigMap" {
        return None;
    }
    let reference = case.get("", "ConfigMap", "kube-system", NAME)?;
    at(&reference, &["data", CERTIFICATE]).as_str().map(str::to_owned)
}

/// Whether a value is the cluster's certificate, so far as that is known.
pub(super) fn is_cluster_certificate(case: &Case<'_>, value: &Value) -> Option<bool> {
    cluster_certificate(case).map(|c| value.as_str() == Some(c.as_str()))
}
