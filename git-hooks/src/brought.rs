//! What a push brings: the findings that were not there before.

use std::collections::HashMap;

use gitward_core::finding::Finding;

/// What makes two findings the same one, wherever they stand: rule, object (or file, if there is
/// none), field and message. Lines and columns move with every edit.
fn fingerprint(finding: &Finding) -> [String; 4] {
    let whom = match (&finding.object, &finding.place) {
        (Some(object), _) => format!("{} {object}", object.group),
        (None, Some(place)) => place.file.to_string(),
        (None, None) => String::new(),
    };
    let field = finding.field.as_ref().map(ToString::to_string).unwrap_or_default();
    [finding.rule.to_string(), whom, field, finding.message.clone()]
}

/// Splits findings into those that are new and the number of those that were there before. A
/// finding counts as often as it occurs: two where there was one bring one.
pub fn brought(findings: Vec<Finding>, before: &[Finding]) -> (Vec<Finding>, usize) {
    let mut known: HashMap<[String; 4], usize> = HashMap::new();
    for finding in before {
        *known.entry(fingerprint(finding)).or_default() += 1;
    }
    let total = findings.len();
    let new: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| match known.get_mut(&fingerprint(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect();
    let old = total - new.len();
    (new, old)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gitward_core::finding::Place;
    use gitward_core::object::ObjectKey;

    use super::*;

    fn finding(object: &str, message: &str, file: &str, line: u32) -> Finding {
        Finding::error("schema/x", message)
            .with_object(ObjectKey::new("", "Pod", "shop", object))
            .with_place(Some(Place { file: Arc::from(file), line, column: 1 }))
    }

    #[test]
    fn what_only_moved_is_not_brought() {
        let before = [finding("a", "bad", "x.yaml", 3)];
        let (new, old) = brought(vec![finding("a", "bad", "y.yaml", 40)], &before);
        assert_eq!((new.len(), old), (0, 1));
    }

    #[test]
    fn each_occurrence_counts() {
        let before = [finding("a", "bad", "x.yaml", 3)];
        let after = vec![finding("a", "bad", "x.yaml", 3), finding("a", "bad", "x.yaml", 9)];
        let (new, old) = brought(after, &before);
        assert_eq!((new.len(), old), (1, 1));
        let (new, _) = brought(vec![finding("b", "bad", "x.yaml", 3)], &before);
        assert_eq!(new.len(), 1);
    }
}
