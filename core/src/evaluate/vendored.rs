//! Files in `crds` that say nothing: broken ones, and definitions in a version that is no longer served.

use std::sync::Arc;

use super::judging::Reading;
use crate::finding::Finding;
use crate::schema::{Schemas, is_crd};

/// What keeps a file from being read at all. Other documents in it are nobody's business.
const UNREADABLE: [&str; 4] = ["manifest/syntax", "manifest/duplicate-key", "manifest/too-large", "manifest/encoding"];

/// What is wrong with files that should say what custom resources look like.
pub(super) fn unusable(schemas: &Schemas, files: &[(Arc<str>, Reading)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, reading) in files {
        findings.extend(reading.findings.iter().filter(|f| UNREADABLE.contains(&&*f.rule)).map(unreadable));
        let old = reading.manifests.iter().filter(|m| m.gvk.kind == "CustomResourceDefinition" && !is_crd(&m.gvk));
        findings.extend(old.flat_map(|manifest| schemas.check(manifest)));
    }
    findings
}

/// It declares nothing, so what the tree declares is not left open by it, as by a manifest that cannot be read.
fn unreadable(finding: &Finding) -> Finding {
    Finding {
        rule: "schema/crd".into(),
        message: format!("the file cannot be read: {}", finding.message),
        ..finding.clone()
    }
}
