//! Findings known from before, and which of others are new.

use std::collections::HashMap;

use serde::Deserialize;

use crate::finding::{Finding, Severity};
use crate::object::ObjectKey;

/// What makes two findings the same one, wherever they stand: lines and columns move with every edit.
type Fingerprint = [String; 4];

/// Findings of before, each as often as it occurred.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    known: HashMap<Fingerprint, usize>,
    /// Whether sentences count.
    by_message: bool,
}

impl Baseline {
    /// Findings of the same version of gitward: rule, object (or file, if there is none), field and
    /// message make one.
    pub fn of(findings: &[Finding]) -> Self {
        let mut baseline = Self { known: HashMap::new(), by_message: true };
        for finding in findings {
            *baseline.known.entry(baseline.fingerprint(finding)).or_default() += 1;
        }
        baseline
    }

    /// The findings that another version of gitward wrote with `--format json`. Sentences may have been
    /// put otherwise since: rule, severity, object and field make one.
    ///
    /// # Errors
    /// If it is no such report.
    pub fn of_report(text: &[u8]) -> Result<Self, serde_json::Error> {
        let report: Report = serde_json::from_slice(text)?;
        let mut known = HashMap::new();
        for entry in report.findings {
            let whom = whom(entry.object.as_ref(), entry.place.as_ref().map(|p| p.file.as_str()));
            let fingerprint = [entry.rule, whom, entry.field.unwrap_or_default(), entry.severity];
            *known.entry(fingerprint).or_default() += 1;
        }
        Ok(Self { known, by_message: false })
    }

    /// Splits findings into those that are new and the number of those that were there before. A
    /// finding counts as often as it occurs: two where there was one give one new.
    pub fn split(mut self, findings: Vec<Finding>) -> (Vec<Finding>, usize) {
        let total = findings.len();
        let new: Vec<Finding> = findings.into_iter().filter(|finding| !self.takes(finding)).collect();
        let known = total - new.len();
        (new, known)
    }

    /// Whether a finding was there before; each occurrence answers once.
    fn takes(&mut self, finding: &Finding) -> bool {
        let fingerprint = self.fingerprint(finding);
        match self.known.get_mut(&fingerprint) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn fingerprint(&self, finding: &Finding) -> Fingerprint {
        let whom = whom(finding.object.as_ref(), finding.place.as_ref().map(|p| &*p.file));
        let field = finding.field.as_ref().map(ToString::to_string).unwrap_or_default();
        let last = if self.by_message { finding.message.clone() } else { severity(finding.severity) };
        [finding.rule.to_string(), whom, field, last]
    }
}

fn whom(object: Option<&ObjectKey>, file: Option<&str>) -> String {
    match (object, file) {
        (Some(object), _) => format!("{} {object}", object.group),
        (None, Some(file)) => file.to_owned(),
        (None, None) => String::new(),
    }
}

fn severity(severity: Severity) -> String {
    severity.to_string()
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    rule: String,
    severity: String,
    #[serde(default)]
    object: Option<ObjectKey>,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    place: Option<EntryPlace>,
}

#[derive(Deserialize)]
struct EntryPlace {
    file: String,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::Place;
    use crate::path::FieldPath;
    use crate::report;

    fn finding(object: &str, message: &str, file: &str, line: u32) -> Finding {
        Finding::error("schema/x", message)
            .with_object(ObjectKey::new("", "Pod", "shop", object))
            .with_field(FieldPath::of(["spec", "a.b/c"]))
            .with_place(Some(Place { file: Arc::from(file), line, column: 1 }))
    }

    #[test]
    fn what_only_moved_is_not_new() {
        let before = [finding("a", "bad", "x.yaml", 3)];
        let (new, old) = Baseline::of(&before).split(vec![finding("a", "bad", "y.yaml", 40)]);
        assert_eq!((new.len(), old), (0, 1));
    }

    #[test]
    fn each_occurrence_counts() {
        let before = [finding("a", "bad", "x.yaml", 3)];
        let after = vec![finding("a", "bad", "x.yaml", 3), finding("a", "bad", "x.yaml", 9)];
        let (new, old) = Baseline::of(&before).split(after);
        assert_eq!((new.len(), old), (1, 1));
        let (new, _) = Baseline::of(&before).split(vec![finding("b", "bad", "x.yaml", 3)]);
        assert_eq!(new.len(), 1);
    }

    #[test]
    fn a_report_of_another_version_tells_what_is_new_whatever_its_sentences() {
        let loose = Finding::error("manifest/syntax", "no YAML").with_place(finding("", "", "z.yaml", 1).place);
        let text = report::json(&[finding("a", "put so", "x.yaml", 3), loose.clone()]);
        let known = Baseline::of_report(text.as_bytes()).unwrap();
        let mut heavier = finding("a", "put otherwise", "x.yaml", 4);
        assert_eq!(known.clone().split(vec![heavier.clone(), loose]), (vec![], 2));
        heavier.severity = Severity::Warning;
        assert_eq!(known.split(vec![heavier]).0.len(), 1, "another weight is another finding");
        assert!(Baseline::of_report(b"[]").is_err());
    }
}
