//! What need not be asked: requests that the rules let through whatever Git and the cluster hold,
//! as expressions that the API server evaluates itself.
//!
//! Each is narrower than a rule here. Whoever satisfies one, under whatever name, is let through by
//! that rule too: nothing rests on an expression that does not rest on the rule. A rule that becomes
//! stricter takes its expression along.

use super::accounts::{API_SERVER, Account, CONTROLLER_MANAGER, CONTROLLER_PREFIX, NODE_PREFIX, SCHEDULER};
use super::status;
use crate::change::SERVER_METADATA;
use crate::request::{CREDENTIAL_ID, TOKEN_ID};

/// Names and expressions that hold of all that has to be asked about. They are written for what the
/// API server gives to `matchConditions`.
pub fn asked() -> [(&'static str, String); 2] {
    [("no-settled-deletions", format!("!({})", deletion())), ("no-settled-statuses", format!("!({})", of_status()))]
}

/// What is being deleted already: rule `delete.terminating`.
fn deletion() -> String {
    "request.operation == 'DELETE' && (!has(request.subResource) || request.subResource == '') && \
     oldObject != null && has(oldObject.metadata.deletionTimestamp)"
        .to_owned()
}

/// A status that its own controller writes, and nothing beside it: rule `status`.
fn of_status() -> String {
    format!(
        "request.operation == 'UPDATE' && has(request.subResource) && request.subResource == 'status' && \
         object != null && oldObject != null && ({}) && {} && {}",
        written_by(),
        unchanged("object", "oldObject", &["metadata", "status"]),
        unchanged("object.metadata", "oldObject.metadata", &SERVER_METADATA),
    )
}

/// Every field but some is in both maps, with the same value.
fn unchanged(new: &str, old: &str, but: &[&str]) -> String {
    let but = list(but.iter().map(|f| (*f).to_owned()));
    format!(
        "{new}.all(k, k in {but} || (k in {old} && {new}[k] == {old}[k])) && {old}.all(k, k in {but} || k in {new})"
    )
}

/// That the kind's own writer asks, by what a genuine one carries.
fn written_by() -> String {
    const IN_GROUPS: &str = "has(request.userInfo.groups) && ";
    let named = |by: &str, pairs: Vec<String>| {
        format!(
            "{by}(request.kind.group + '/' + request.kind.kind + ' ' + request.userInfo.username) in {}",
            list(pairs.into_iter())
        )
    };
    let genuine = format!(
        "has(request.userInfo.uid) && request.userInfo.uid != '' && has(request.userInfo.extra) && \
         '{CREDENTIAL_ID}' in request.userInfo.extra && \
         request.userInfo.extra['{CREDENTIAL_ID}'].exists(id, id.startsWith('{TOKEN_ID}')) && "
    );
    let masters = format!("{IN_GROUPS}'system:masters' in request.userInfo.groups && ");
    let (mut by_token, mut by_name, mut by_master, mut by_node) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (group, kind, account) in status::writers() {
        let pair = |name: &str| format!("{group}/{kind} {name}");
        match account {
            Account::Controller(controller) => {
                by_token.push(pair(&format!("{CONTROLLER_PREFIX}{controller}")));
                by_name.push(pair(CONTROLLER_MANAGER));
            }
            Account::ControllerManager => by_name.push(pair(CONTROLLER_MANAGER)),
            Account::Scheduler => by_name.push(pair(SCHEDULER)),
            Account::ApiServer => by_master.push(pair(API_SERVER)),
            Account::Node => by_node.push((group, kind)),
        }
    }
    by_name.dedup();
    let nodes = format!(
        "{IN_GROUPS}'system:nodes' in request.userInfo.groups && ({})",
        by_node.iter().map(|(group, kind)| node(group, kind)).collect::<Vec<_>>().join(" || ")
    );
    [named(&genuine, by_token), named("", by_name), named(&masters, by_master), nodes].join(" || ")
}

/// That a kubelet asks, of a Node or a Pod its own.
fn node(group: &str, kind: &str) -> String {
    let is = format!("request.kind.group == '{group}' && request.kind.kind == '{kind}'");
    let own = |name: &str| format!("request.userInfo.username == '{NODE_PREFIX}' + {name}");
    match (group, kind) {
        ("", "Pod") => format!("({is} && has(oldObject.spec.nodeName) && {})", own("oldObject.spec.nodeName")),
        ("", "Node") => format!("({is} && {})", own("oldObject.metadata.name")),
        _ => format!("({is} && request.userInfo.username.startsWith('{NODE_PREFIX}'))"),
    }
}

fn list(words: impl Iterator<Item = String>) -> String {
    format!("[{}]", words.map(|w| format!("'{w}'")).collect::<Vec<_>>().join(", "))
}
