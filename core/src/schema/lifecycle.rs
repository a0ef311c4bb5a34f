//! APIs that go: deprecated, and no longer served.
//!
//! The data is made by `tools/schemas` from what Kubernetes' own types say about their life.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Schemas;
use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::object::Gvk;
use crate::path::FieldPath;

/// Until when an API is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Life {
    api_version: String,
    kind: String,
    deprecated: String,
    #[serde(default)]
    removed: Option<String>,
    /// The apiVersion to write instead.
    #[serde(default)]
    instead: Option<String>,
}

/// Deprecated without an end, which the types do not say. Source: the API server's own warning.
const ENDPOINTS: (&str, &str, &str, &str) =
    ("v1", "Endpoints", "1.33", "Declare an EndpointSlice of discovery.k8s.io/v1.");

/// Characters of a CRD's own warning; its length is bounded to this in CRDs too.
const LONGEST_WARNING: usize = 256;

/// Data that cannot be read gives no deprecations; a test proves that it can be read.
static LIVES: LazyLock<HashMap<(String, String), Life>> = LazyLock::new(|| {
    let lives: Vec<Life> = serde_json::from_str(include_str!("../../schemas/lifecycle.json")).unwrap_or_default();
    lives.into_iter().map(|life| ((life.api_version.clone(), life.kind.clone()), life)).collect()
});

/// The warning about an API that is served and deprecated.
pub(super) fn deprecation(schemas: &Schemas, manifest: &Manifest) -> Option<Finding> {
    let gvk = &manifest.gvk;
    let of_crd = schemas.resource_of(gvk).and_then(|resource| resource.deprecated.as_deref());
    let (message, hint) = match life(gvk) {
        _ if of_crd.is_some() => of_custom(schemas, gvk, of_crd.unwrap_or_default()),
        Some(life) if minor(&life.deprecated) <= minor(schemas.version()) => {
            let end = match &life.removed {
                Some(removed) => format!(", and not served any more from {removed} on"),
                None => String::new(),
            };
            (format!("{gvk} is deprecated since Kubernetes {}{end}", life.deprecated), instead(schemas, gvk, life))
        }
        None if (gvk.api_version().as_str(), gvk.kind.as_str()) == (ENDPOINTS.0, ENDPOINTS.1) => {
            (format!("{gvk} is deprecated since Kubernetes {}", ENDPOINTS.2), Some(ENDPOINTS.3.to_owned()))
        }
        _ => return None,
    };
    let field = FieldPath::of(["apiVersion"]);
    let finding = Finding::warning("schema/deprecated-api", message)
        .with_object(manifest.key.clone())
        .with_place(Some(manifest.place(&field)))
        .with_field(field);
    Some(match hint {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    })
}

/// The warning that a CRD asks for, in one line, and the versions that last.
fn of_custom(schemas: &Schemas, gvk: &Gvk, said: &str) -> (String, Option<String>) {
    let said: String = said.chars().take(LONGEST_WARNING).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let said = said.trim();
    let message = if said.is_empty() {
        format!("{gvk} is deprecated by its CRD")
    } else {
        format!("{gvk} is deprecated: {said}")
    };
    let lasts = |other: &&Gvk| {
        let is_same = other.group == gvk.group && other.kind == gvk.kind;
        is_same && schemas.resource_of(other).is_some_and(|resource| resource.deprecated.is_none())
    };
    let mut lasting: Vec<String> = schemas.kinds().filter(lasts).map(Gvk::api_version).collect();
    lasting.sort();
    let hint = (!lasting.is_empty()).then(|| format!("Versions that last: {}.", lasting.join(", ")));
    (message, hint)
}

/// Whether [`deprecation`] has something to say about an API.
pub(super) fn is_deprecated(schemas: &Schemas, gvk: &Gvk) -> bool {
    let is_old = |life: &Life| minor(&life.deprecated) <= minor(schemas.version());
    life(gvk).is_some_and(is_old)
}

/// The error about an API that was served once.
pub(super) fn removal(schemas: &Schemas, gvk: &Gvk) -> Option<Finding> {
    let life = life(gvk)?;
    let removed = life.removed.as_ref().filter(|removed| minor(removed) <= minor(schemas.version()))?;
    let finding = Finding::error("schema/removed-api", format!("{gvk} is not served since Kubernetes {removed}"));
    Some(match instead(schemas, gvk, life) {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    })
}

fn life(gvk: &Gvk) -> Option<&'static Life> {
    LIVES.get(&(gvk.api_version(), gvk.kind.clone()))
}

/// The version of the same kind that lasts: the one that Kubernetes names, else the one that is served
/// and not deprecated.
fn instead(schemas: &Schemas, gvk: &Gvk, life: &Life) -> Option<String> {
    let served = |api_version: &str| {
        let other = Gvk::new(api_version, &gvk.kind);
        let lasts = self::life(&other).is_none_or(|life| minor(&life.deprecated) > minor(schemas.version()));
        (schemas.scope(&other).is_some() && lasts).then(|| api_version.to_owned())
    };
    let named = life.instead.as_deref().and_then(served);
    let lasting = named.or_else(|| {
        let same = schemas.kinds().filter(|known| known.group == gvk.group && known.kind == gvk.kind);
        let mut versions: Vec<String> = same.filter_map(|known| served(&known.api_version())).collect();
        // `v1` before `v1beta2`.
        versions.sort_by_key(|version| (version.contains("alpha"), version.contains("beta"), version.clone()));
        versions.into_iter().next()
    });
    lasting.map(|version| format!("Write `apiVersion: {version}` and compare the fields: some may have changed."))
}

/// The minor number of `1.34`.
fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_data_can_be_read() {
        assert!(LIVES.len() > 80, "{}", LIVES.len());
        assert!(LIVES.values().all(|life| minor(&life.deprecated) > 0));
    }
}
