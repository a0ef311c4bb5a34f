//! Which additions are in force: those learnt for the content that the commit in force declares.

use gitward_core::additions::Additions;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::Digest;

/// Chooses for each declared object the newest entry that was learnt for its content.
///
/// The leader may be a commit ahead: its entries for the new content must not take away what is
/// known of the content still in force here.
pub(super) fn in_force<'a>(
    declared: impl Iterator<Item = (&'a ObjectKey, &'a Digest)>,
    published: &Additions,
    before: &Additions,
) -> Additions {
    let mut chosen = Additions::default();
    for (key, digest) in declared {
        let candidates = [published, before].map(|a| a.entries.get(key));
        if let Some(entry) = candidates.into_iter().flatten().find(|e| e.digest == *digest) {
            chosen.entries.insert(key.clone(), entry.clone());
        }
    }
    chosen
}

/// Whether entries were learnt for a content that is not declared here: the leader knows a commit
/// that was not fetched yet.
pub(super) fn ahead<'a>(declared: impl Iterator<Item = (&'a ObjectKey, &'a Digest)>, published: &Additions) -> bool {
    let mut declared = declared;
    declared.any(|(key, digest)| published.entries.get(key).is_some_and(|e| e.digest != *digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitward_core::additions::Entry;
    use serde_json::{Value, json};

    fn entry(name: &str, digest: &str) -> Entry {
        Entry {
            key: key(name),
            digest: Digest(digest.into()),
            uid: None,
            patch: serde_json::from_value(json!([])).unwrap(),
            record: Value::Null,
            finished: false,
        }
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("", "ConfigMap", "a", name)
    }

    fn additions(entries: &[(&str, &str)]) -> Additions {
        Additions { entries: entries.iter().map(|(n, d)| (key(n), entry(n, d))).collect() }
    }

    #[test]
    fn a_leader_ahead_takes_nothing_away() {
        let (a, b) = (key("a"), key("b"));
        let (old, same) = (Digest("old".into()), Digest("same".into()));
        let declared = [(&a, &old), (&b, &same)];
        let published = additions(&[("a", "new"), ("b", "same"), ("gone", "x")]);
        let before = additions(&[("a", "old"), ("b", "older")]);
        assert_eq!(in_force(declared.into_iter(), &published, &before), additions(&[("a", "old"), ("b", "same")]));
        assert!(ahead(declared.into_iter(), &published));
        assert!(!ahead(declared.into_iter(), &before.clone_with("b", "same")));
    }

    trait With {
        fn clone_with(&self, name: &str, digest: &str) -> Additions;
    }

    impl With for Additions {
        fn clone_with(&self, name: &str, digest: &str) -> Additions {
            let mut all = self.clone();
            all.entries.insert(key(name), entry(name, digest));
            all
        }
    }
}
