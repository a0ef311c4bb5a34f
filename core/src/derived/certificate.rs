//! Certificates that kubelets ask for.

use super::case::Case;
use super::compare::text;
use super::{Judged, Proof};

const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";

/// A certificate is asked for. Any other signer would sign names of the control plane's accounts.
pub(super) fn requested(case: &Case<'_>) -> Judged {
    let signer = text(case.object()?, &["spec", "signerName"]);
    ensure!([CLIENT, SERVING].contains(&signer), "the signer {signer:?} is not one that kubelets ask");
    Ok(Proof::Identity)
}

/// A certificate is approved.
pub(super) fn approved(case: &Case<'_>) -> Judged {
    let signer = text(case.old()?, &["spec", "signerName"]);
    ensure!(signer == CLIENT, "requests to the signer {signer:?} are not approved by a controller");
    for change in case.changes(false)? {
        ensure!(change.path.starts_with(&["status"]), "{} changes through an approval", change.path);
    }
    Ok(Proof::Identity)
}
