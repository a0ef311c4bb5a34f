//! Tokens of service accounts: asked for, and kept in Secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::accounts::Account::{self, ApiServer, Controller, ControllerManager, Node};
use super::case::{Case, has_uid};
use super::compare::{at, text};
use super::{Judged, Refusal, metadata, node, root_ca};
use crate::account_token::is_made_for;
use crate::change::{Change, is_empty};
use crate::object;

const SECRET_WRITERS: &[Account] = &[ControllerManager, Controller("legacy-service-account-token-cleaner"), ApiServer];

/// A token is asked for: by a kubelet for a Pod on its node, or by the controller manager for its
/// own controllers.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let bound = at(case.object()?, &["spec", "boundObjectRef"]);
    if is_empty(bound) {
        ensure!(case.namespace == "kube-system", "the token is bound to no Pod");
        return case.by(&[ControllerManager]);
    }
    ensure!(text(bound, &["kind"]) == "Pod", "the token is bound to no Pod");
    let pod = case.get("", "Pod", case.namespace, text(bound, &["name"]));
    let Some(pod) = pod.filter(|p| has_uid(p, text(bound, &["uid"]))) else {
        return Err(Refusal::new("the Pod that the token is bound to does not exist"));
    };
    ensure!(text(&pod, &["spec", "serviceAccountName"]) == case.name, "the Pod runs as another account");
    node::own(case, text(&pod, &["spec", "nodeName"]))?;
    case.by(&[Node])
}

/// Data is added to a declared token Secret.
pub(super) fn secret_data_changed(case: &Case<'_>, change: &Change) -> Judged {
    declared_token(case)?;
    let Some(value) = change.new.as_ref().filter(|_| change.old.is_none()) else {
        return Err(Refusal::new(format!("{} was there before", change.path)));
    };
    let decoded = value.as_str().and_then(|v| STANDARD.decode(v).ok()).and_then(|b| String::from_utf8(b).ok());
    let decoded = Value::from(decoded.unwrap_or_default());
    let right = match data_key(change) {
        "token" => case.get("", "ServiceAccount", case.namespace, account_name(case)?).is_some_and(|account| {
            is_made_for(value.as_str().unwrap_or_default(), case.name, case.namespace, &account)
        }),
        "namespace" => decoded == case.namespace,
        "ca.crt" => root_ca::is_cluster_certificate(case, &decoded).unwrap_or(true),
        _ => false,
    };
    ensure!(right, "{} is not what a token Secret holds", change.path);
    case.by(SECRET_WRITERS)
}

/// The key of a Secret's data that a change is about.
fn data_key(change: &Change) -> &str {
    change.path.fields().get(1).copied().unwrap_or_default()
}

/// The account that a token Secret is for.
fn account_name<'a>(case: &Case<'a>) -> Result<&'a str, Refusal> {
    Ok(object::annotation(case.object()?, "kubernetes.io/service-account.name").unwrap_or_default())
}

/// The uid of the account is noted on its token Secret.
pub(super) fn secret_annotation_changed(case: &Case<'_>, change: &Change) -> Judged {
    declared_token(case)?;
    let account = case.get("", "ServiceAccount", case.namespace, account_name(case)?);
    let uid = change.new.as_ref().and_then(Value::as_str).unwrap_or_default();
    ensure!(
        metadata::key(&change.path)? == "kubernetes.io/service-account.uid"
            && account.is_some_and(|a| has_uid(&a, uid)),
        "no controller sets {}",
        change.path
    );
    case.by(SECRET_WRITERS)
}

/// The last use of a token Secret is noted on it.
pub(super) fn secret_label_changed(case: &Case<'_>, change: &Change) -> Judged {
    declared_token(case)?;
    let key = metadata::key(&change.path)?;
    let known = ["kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"].contains(&key);
    ensure!(known, "no controller sets {}", change.path);
    case.by(SECRET_WRITERS)
}

fn declared_token(case: &Case<'_>) -> Result<(), Refusal> {
    let is_token = |object: &Value| text(object, &["type"]) == "kubernetes.io/service-account-token";
    ensure!(
        is_token(case.old()?) && is_token(case.object()?) && case.is_declared("", "Secret", case.namespace, case.name),
        "the Secret {} is no declared token",
        case.name
    );
    Ok(())
}
