//! The `BreakGlass` resource: somebody breaks a glass that Git declares.

// The derived schema repeats each type within a function, where `pub` reaches nobody.
#![allow(unreachable_pub)]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// For a bounded time its creator may change by hand what Git says, as far as a declaration under
/// breakGlass in gitward.yaml reaches. Deleting it ends it; then everything is undone.
#[derive(CustomResource, KubeSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gitward.dev",
    version = "v1alpha1",
    kind = "BreakGlass",
    plural = "breakglasses",
    status = "BreakGlassStatus",
    category = "gitward",
    derive = "PartialEq",
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".spec.environment"}"#,
    printcolumn = r#"{"name":"Account","type":"string","jsonPath":".status.receipt.account"}"#,
    printcolumn = r#"{"name":"Until","type":"string","jsonPath":".status.receipt.until"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".spec.reason"}"#
)]
#[x_kube(validation = Rule::new("self == oldSelf").message("what was asked for cannot be changed; delete it and ask anew"))]
#[serde(rename_all = "camelCase")]
pub struct BreakGlassSpec {
    /// Name of the Environment.
    #[schemars(length(min = 1, max = 63))]
    pub environment: String,
    /// Name of the declaration under breakGlass in gitward.yaml.
    #[schemars(length(min = 1, max = 63))]
    pub declaration: String,
    /// Why the glass has to be broken.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// How long, such as 30m; without it half an hour, or as long as the declaration allows if that
    /// is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub duration: Option<String>,
}

/// Whether it counts.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakGlassStatus {
    /// Written by the webhook for what it judged and let in. Without it nothing is let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// What the webhook let in.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Uid of the object that was judged.
    pub uid: String,
    /// Who created it.
    pub account: String,
    /// When it ends (RFC 3339).
    pub until: String,
}
