//! ResourceClaims that Pods ask for by a template. Source: `pkg/controller/resourceclaim`.

use serde_json::Value;

use super::accounts::Account::{Controller, Scheduler};
use super::case::{Act, Case};
use super::compare::{at, list, map, prefix, same, same_but, text};
use super::owner::{self, Reference};
use super::{Judged, Refusal};
use crate::change::Change;
use crate::object;

const POD_CLAIM: &str = "resource.kubernetes.io/pod-claim-name";
const PROTECTION: &str = "resource.kubernetes.io/delete-protection";

/// A claim is made, or is there.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let claim = case.object()?;
    let owner = owner::of(case, &[("", "Pod")], Reference::NonBlocking)?;
    let wanted = object::annotation(claim, POD_CLAIM).unwrap_or_default();
    let asked = list(&owner.object, &["spec", "resourceClaims"]).iter().find(|c| text(c, &["name"]) == wanted);
    let template = asked.map_or("", |c| text(c, &["resourceClaimTemplateName"]));
    let (group, kind) = ("resource.k8s.io", "ResourceClaimTemplate");
    let named = case.get(group, kind, case.namespace, template).filter(|_| !template.is_empty());
    let Some(template) = named.filter(|t| case.is_of_git(group, kind, t)) else {
        return Err(Refusal::new(format!("{} asks for no such claim by a declared template", owner.key)));
    };
    same("spec", at(&template, &["spec", "spec"]), at(claim, &["spec"]))?;
    let own = at(&template, &["spec", "metadata"]);
    ensure!(same_but(map(own, &["labels"]), object::labels(claim), &[]), "its labels are not the template's");
    ensure!(
        same_but(map(own, &["annotations"]), object::annotations(claim), &[POD_CLAIM]),
        "its annotations are not the template's"
    );
    let generate_name = text(claim, &["metadata", "generateName"]);
    ensure!(generate_name.starts_with(prefix(&owner.key.name, 40)), "its name is not its Pod's");
    let mut finalizers = object::finalizers(claim);
    ensure!(finalizers.all(|f| case.is(Act::Live) && f == PROTECTION), "it has finalizers");
    Ok(owner.proof)
}

/// A claim is protected while it is in use, and freed.
pub(super) fn finalizers_changed(case: &Case<'_>, _change: &Change) -> Judged {
    let known = |object: &Value| object::finalizers(object).all(|f| f == PROTECTION);
    ensure!(known(case.old()?) && known(case.object()?), "no controller sets other finalizers than {PROTECTION}");
    case.by(&[Controller("resource-claim-controller"), Scheduler])
}
