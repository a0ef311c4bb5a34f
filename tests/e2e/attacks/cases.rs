//! The attacks, a file a class.

mod admission;
mod bytes;
mod content;
mod controllers;
mod controllers_more;
mod definitions;
mod deletion;
mod exempt;
mod fence;
mod forged;
mod forged_owners;
mod identity;
mod lists;
mod metadata;
mod mutators;
mod namespaces;
mod objects;
mod orphans;
mod rbac;
mod rollback;
mod subresources;

use crate::case::Case;

/// Every attack with its class.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    let classes: [(&'static str, Vec<Case>); 21] = [
        ("content", content::cases()),
        ("content", objects::cases()),
        ("lists and values", lists::cases()),
        ("subresources", subresources::cases()),
        ("forged derivation", forged::cases()),
        ("forged owners", forged_owners::cases()),
        ("controllers' own", controllers::cases()),
        ("controllers' own", controllers_more::cases()),
        ("orphans", orphans::cases()),
        ("rollback", rollback::cases()),
        ("identity", identity::cases()),
        ("rights", rbac::cases()),
        ("mutators and defaults", mutators::cases()),
        ("the fence", admission::cases()),
        ("the fence", fence::cases()),
        ("namespaces", namespaces::cases()),
        ("definitions", definitions::cases()),
        ("metadata", metadata::cases()),
        ("deletion and races", deletion::cases()),
        ("raw bytes", bytes::cases()),
        ("exempt kinds", exempt::cases()),
    ];
    classes.into_iter().flat_map(|(class, cases)| cases.into_iter().map(move |c| (class, c))).collect()
}
