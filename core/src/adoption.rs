//! What stays in the cluster though Git does not declare it: nothing that holds data, and nothing that
//! was there before, is deleted by surprise.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::config::{EnvironmentConfig, Mode, names_kind};
use crate::object::{self, ObjectKey};

/// Since when an environment governs what it governs. Namespaces and cluster-scoped kinds come under it one
/// after the other, so each has a time of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption(BTreeMap<String, Timestamp>);

impl Adoption {
    /// What was written down: names of namespaces and kinds, as the environment has them, each with its
    /// time. One that is still to come would let all that is made until then pass for what was there
    /// before, so it counts as `now`.
    pub fn read(written: impl IntoIterator<Item = (String, Timestamp)>, now: Timestamp) -> Self {
        Self(written.into_iter().map(|(name, at)| (name, at.min(now))).collect())
    }

    /// Names and times, to be written down.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.0.iter().map(|(name, at)| (name.as_str(), *at))
    }

    /// What the environment governs from now on it governs since `at`, unless it did before. What it does
    /// not govern any more is forgotten: it may come back full of what others made.
    pub fn take_over(&mut self, environment: &EnvironmentConfig, at: Timestamp) {
        let governed = environment.namespaces.iter().chain(&environment.cluster_kinds);
        self.0 = governed.map(|name| (name.clone(), self.0.get(name).copied().unwrap_or(at))).collect();
    }

    /// Since when everything is governed.
    pub fn latest(&self) -> Option<Timestamp> {
        self.0.values().max().copied()
    }

    /// Since when an object's namespace, or its cluster-scoped kind, is governed.
    pub fn since(&self, key: &ObjectKey) -> Option<Timestamp> {
        if !key.namespace.is_empty() {
            return self.0.get(&key.namespace).copied();
        }
        // A kind may be named with and without its group. Names of namespaces have no capital letter.
        let of_kind = self.0.iter().filter(|(name, _)| names_kind(std::slice::from_ref(*name), key));
        of_kind.map(|(_, at)| *at).min()
    }

    /// Whether an object was made after the environment took over what it is of; unknown is no.
    pub fn is_older_than(&self, key: &ObjectKey, object: &Value) -> bool {
        object::made(object).zip(self.since(key)).is_some_and(|(made, since)| made >= since)
    }
}

/// Why an undeclared object is left alone; `None` if it is removed.
pub fn stays_because(mode: Mode, key: &ObjectKey, live: &Value, adoption: &Adoption) -> Option<&'static str> {
    if mode != Mode::Enforce {
        return Some("the environment is only observed");
    }
    if object::holds_data(&key.group, &key.kind) {
        return Some("it holds data");
    }
    (!adoption.is_older_than(key, live)).then_some("it was there before this environment took over")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(time: &str) -> Timestamp {
        format!("2026-01-{time}T00:00:00Z").parse().unwrap()
    }

    fn made(time: &str) -> Value {
        json!({"metadata": {"creationTimestamp": at(time).to_string()}})
    }

    fn governing(namespaces: &[&str], kinds: &[&str]) -> EnvironmentConfig {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        EnvironmentConfig { namespaces: owned(namespaces), cluster_kinds: owned(kinds), ..EnvironmentConfig::default() }
    }

    #[test]
    fn only_what_came_under_enforcement_and_holds_no_data_goes() {
        let (map, secret) = (ObjectKey::new("", "ConfigMap", "a", "b"), ObjectKey::new("", "Secret", "a", "b"));
        let mut adoption = Adoption::default();
        adoption.take_over(&governing(&["a"], &[]), at("02"));
        assert_eq!(stays_because(Mode::Enforce, &map, &made("03"), &adoption), None);
        assert!(stays_because(Mode::Enforce, &map, &made("01"), &adoption).is_some());
        assert!(stays_because(Mode::Enforce, &map, &made("03"), &Adoption::default()).is_some());
        assert!(stays_because(Mode::Enforce, &secret, &made("03"), &adoption).is_some());
        assert!(stays_because(Mode::Observe, &map, &made("03"), &adoption).is_some());
    }

    #[test]
    fn what_is_governed_later_has_a_time_of_its_own() {
        let of = |namespace: &str| ObjectKey::new("", "ConfigMap", namespace, "x");
        let class = ObjectKey::new("scheduling.k8s.io", "PriorityClass", "", "x");
        let mut adoption = Adoption::default();
        adoption.take_over(&governing(&["shop"], &[]), at("02"));
        adoption.take_over(&governing(&["shop", "books"], &["PriorityClass.scheduling.k8s.io"]), at("05"));
        assert_eq!(["shop", "books", "desk"].map(|n| adoption.since(&of(n))), [Some(at("02")), Some(at("05")), None]);
        assert!(adoption.is_older_than(&of("shop"), &made("04")) && !adoption.is_older_than(&of("books"), &made("04")));
        assert!(adoption.is_older_than(&class, &made("06")) && !adoption.is_older_than(&class, &made("04")));
        assert_eq!(adoption.since(&ObjectKey::new("", "PriorityClass", "", "x")), None);
        // Spelt with its group and without, it has been governed since the first.
        adoption.take_over(&governing(&[], &["PriorityClass.scheduling.k8s.io", "PriorityClass"]), at("07"));
        assert_eq!(adoption.since(&class), Some(at("05")));

        // Let go and taken over again.
        adoption.take_over(&governing(&["shop"], &[]), at("08"));
        assert_eq!([adoption.since(&of("shop")), adoption.since(&class)], [Some(at("08")), None]);
    }

    #[test]
    fn what_was_written_down_is_read_back_and_not_believed_for_times_to_come() {
        let mut adoption = Adoption::default();
        adoption.take_over(&governing(&["shop", "books"], &[]), at("02"));
        let written: Vec<_> = adoption.entries().map(|(name, time)| (name.to_owned(), time)).collect();
        assert_eq!(Adoption::read(written, at("03")), adoption);
        let forged = Adoption::read([("shop".to_owned(), at("30"))], at("03"));
        assert_eq!(forged.since(&ObjectKey::new("", "ConfigMap", "shop", "x")), Some(at("03")));
    }
}
