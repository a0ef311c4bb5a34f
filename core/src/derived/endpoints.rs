//! Endpoints of Services with a selector. Source: `pkg/controller/endpoint`.

use serde_json::Value;

use super::accounts::Account::{ApiServer, Controller};
use super::case::{Act, Case};
use super::compare::{at, entries, list, text};
use super::service::{self, Stray};
use super::{Judged, Proof, fields};
use crate::change;
use crate::object;

pub(super) const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
const OWN_LABELS: [&str; 2] = ["endpoints.kubernetes.io/managed-by", "service.kubernetes.io/headless"];

/// Endpoints are made, changed, or are there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    if (case.namespace, case.name) == ("default", "kubernetes") {
        return case.by(&[ApiServer]);
    }
    if case.is(Act::Update) && object::is_terminating(case.old()?) {
        return fields::all(case).map(|(_, proof)| proof);
    }
    let own = case.object()?;
    let service = service::declared(case, case.name)?;
    ensure!(service::has_selector(&service), "the Service selects nothing");
    ensure!(
        object::owner_references(own).is_empty() && object::finalizers(own).next().is_none(),
        "it has owners or finalizers, which no controller sets"
    );
    service::labels_follow(own, &service, &OWN_LABELS)?;
    for (key, _) in entries(object::annotations(own)) {
        ensure!([TRIGGER, OVER_CAPACITY].contains(&key), "no controller sets the annotation {key}");
    }
    let mut proof = Proof::Content;
    if case.get("", "Service", case.namespace, case.name).is_none() {
        proof = case.by(&[Controller("endpoint-controller")])?;
    }
    for subset in list(own, &["subsets"]) {
        let ports = service::ports(list(subset, &["ports"]))?;
        for address in addresses(subset) {
            let ip = text(address, &["ip"]);
            let found = service::endpoint(
                case,
                &service,
                ip,
                at(address, &["targetRef"]),
                text(address, &["nodeName"]),
                &ports,
            );
            match found {
                Ok(_) => {}
                Err(Stray::Gone { was_right }) => {
                    ensure!(
                        was_right || was_there(case, subset, address),
                        "the Pod of the address {ip} does not exist"
                    );
                    proof = case.by(&[Controller("endpoint-controller")])?;
                }
                Err(Stray::Wrong(refusal)) => return Err(refusal),
            }
        }
    }
    Ok(proof)
}

/// Ready or not, a subset's addresses.
pub(super) fn addresses(subset: &Value) -> impl Iterator<Item = &Value> {
    ["addresses", "notReadyAddresses"].into_iter().flat_map(|field| list(subset, &[field]))
}

/// Whether exactly that address was there, behind the same ports, before.
fn was_there(case: &Case<'_>, subset: &Value, address: &Value) -> bool {
    let old = case.old.map_or(&[][..], |o| list(o, &["subsets"]));
    let held = old
        .iter()
        .flat_map(addresses)
        .any(|a| a["ip"] == address["ip"] && at(a, &["targetRef", "uid"]) == at(address, &["targetRef", "uid"]));
    held && old.iter().any(|s| change::same(at(s, &["ports"]), at(subset, &["ports"])))
}
