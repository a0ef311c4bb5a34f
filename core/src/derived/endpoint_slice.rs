//! EndpointSlices. Source: `k8s.io/endpointslice`, `pkg/controller/endpointslicemirroring`.

use serde_json::Value;

use super::accounts::Account::{ApiServer, Controller};
use super::case::{Act, Case};
use super::compare::{at, entries, list, only, text};
use super::owner::{self, Reference};
use super::service::{self, Stray};
use super::{Judged, Proof, Refusal, endpoints, fields};
use crate::change;
use crate::object;

const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const OWN_LABELS: [&str; 4] =
    [MANAGED_BY, SERVICE_NAME, "service.kubernetes.io/headless", "endpointslice.kubernetes.io/skip-mirror"];

/// A slice is made, changed, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    if (case.namespace, case.name) == ("default", "kubernetes") {
        return case.by(&[ApiServer]);
    }
    let slice = case.object()?;
    if case.is(Act::Update) && object::is_terminating(case.old()?) {
        // The garbage collector takes off finalizers of what goes with its Service.
        if let Ok((_, proof)) = fields::all(case) {
            return Ok(proof);
        }
    }
    let service = service::declared(case, object::label(slice, SERVICE_NAME).unwrap_or_default())?;
    let mut proof = Proof::Content;
    if case.get("", "Service", case.namespace, object::name(&service)).is_some() {
        owner::living(case, &[("", "Service"), ("", "Endpoints")], Reference::Blocking)?;
    } else {
        ensure!(owner::controller_uid(slice) == object::uid(&service), "it has another owner than its Service");
        proof = case.by(&[Controller("endpointslice-controller"), Controller("endpointslicemirroring-controller")])?;
    }
    ensure!(object::finalizers(slice).next().is_none(), "it has finalizers");
    service::labels_follow(slice, &service, &OWN_LABELS)?;
    for (key, _) in entries(object::annotations(slice)) {
        ensure!(key == endpoints::TRIGGER, "no controller sets the annotation {key}");
    }
    match object::label(slice, MANAGED_BY) {
        Some("endpointslice-controller.k8s.io") => selected(case, slice, &service).map(|p| p.and(proof)),
        Some("endpointslicemirroring-controller.k8s.io") => mirrored(case, slice, &service).map(|p| p.and(proof)),
        _ => Err(Refusal::new("it is managed by no built-in controller")),
    }
}

/// Every address belongs to a Pod that the Service selects.
fn selected(case: &Case<'_>, slice: &Value, service: &Value) -> Judged {
    let own = list(slice, &["endpoints"]);
    ensure!(own.is_empty() || service::has_selector(service), "the Service selects nothing");
    let ports = service::ports(list(slice, &["ports"]))?;
    service::protocols_follow(list(slice, &["ports"]), service)?;
    let mut proof = Proof::Content;
    for endpoint in own {
        ensure!(
            only(endpoint, &["addresses", "conditions", "hints", "hostname", "nodeName", "targetRef", "zone"]),
            "an endpoint has a field that no controller sets"
        );
        for address in list(endpoint, &["addresses"]) {
            let address = address.as_str().unwrap_or_default();
            let target = at(endpoint, &["targetRef"]);
            let node = text(endpoint, &["nodeName"]);
            match service::endpoint(case, service, address, target, node, &ports) {
                Ok(pod) if shows_readiness(endpoint, &pod, service) => {}
                // Readiness moves faster than anyone can follow it.
                Ok(_) => proof = case.by(&[Controller("endpointslice-controller")])?,
                Err(Stray::Gone { was_right }) => {
                    let was_right = was_right || was_there(case, slice, endpoint);
                    ensure!(was_right, "the Pod of the address {address} does not exist");
                    proof = case.by(&[Controller("endpointslice-controller")])?;
                }
                Err(Stray::Wrong(refusal)) => return Err(refusal),
            }
        }
    }
    Ok(proof)
}

fn shows_readiness(endpoint: &Value, pod: &Value, service: &Value) -> bool {
    let Some(shown) = at(endpoint, &["conditions", "ready"]).as_bool() else { return true };
    let ready = list(pod, &["status", "conditions"]).iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
    let published = at(service, &["spec", "publishNotReadyAddresses"]).as_bool() == Some(true);
    shown == (published || (ready && !object::is_terminating(pod)))
}

/// Whether the slice held exactly that endpoint, behind the same ports, before.
fn was_there(case: &Case<'_>, slice: &Value, endpoint: &Value) -> bool {
    let Some(old) = case.old else { return false };
    change::same(at(old, &["ports"]), at(slice, &["ports"]))
        && list(old, &["endpoints"]).iter().any(|e| {
            at(e, &["targetRef", "uid"]) == at(endpoint, &["targetRef", "uid"])
                && e["addresses"] == endpoint["addresses"]
        })
}

/// Slices of a Service without a selector repeat the Endpoints that Git declares for it.
fn mirrored(case: &Case<'_>, slice: &Value, service: &Value) -> Judged {
    let name = object::name(service);
    ensure!(!service::has_selector(service), "the Service selects its Pods itself");
    let declared = case.is_declared("", "Endpoints", case.namespace, name);
    let Some(source) = case.get("", "Endpoints", case.namespace, name).filter(|_| declared) else {
        return Err(Refusal::new(format!("the Endpoints {name} are not declared in Git")));
    };
    let ports = service::ports(list(slice, &["ports"]))?;
    for endpoint in list(slice, &["endpoints"]) {
        for address in list(endpoint, &["addresses"]) {
            let mut found = false;
            for subset in list(&source, &["subsets"]) {
                let known = service::ports(list(subset, &["ports"]))?;
                found |= endpoints::addresses(subset).any(|a| a["ip"] == *address)
                    && ports.iter().all(|p| known.contains(p));
            }
            ensure!(found, "an address with these ports is not in the Endpoints {name}");
        }
    }
    Ok(Proof::Content)
}
