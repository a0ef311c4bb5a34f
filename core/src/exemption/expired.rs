//! Exemptions and delegations that hold no more. The time comes from outside: a commit says the same at any time.

use jiff::Timestamp;

use crate::config::Configuration;
use crate::finding::Finding;
use crate::path::FieldPath;

/// A warning for each exemption and delegation whose `until` lies before `now`, at its place in
/// `gitward.yaml`.
pub fn expired(configuration: &Configuration, now: Timestamp) -> Vec<Finding> {
    let exemptions = configuration.exemptions.iter().enumerate().map(|(i, e)| {
        let place = configuration.exemption_ends.get(i).cloned().unwrap_or_else(|| configuration.exemption_place(i));
        ("exemption", "exemptions", i, &e.name, e.until, place)
    });
    let delegations = configuration.delegations.iter().enumerate().map(|(i, d)| {
        let place = configuration.delegation_ends.get(i).cloned().unwrap_or_else(|| configuration.delegation_place(i));
        ("delegation", "delegations", i, &d.name, d.until, place)
    });
    let all = exemptions.chain(delegations);
    all.filter_map(|(what, list, i, name, until, place)| {
        let until = until.filter(|until| now > *until)?;
        Some(
            Finding::warning("config/expired", format!("{what} {name:?} holds no more since {until}"))
                .with_field(FieldPath::of([list]).index(i).field("until"))
                .with_place(Some(place))
                .with_hint(format!("remove the {what}, or move `until` if it is still needed")),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const TEXT: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
exemptions:
- {name: ever, accounts: [a], kinds: [Pod], reason: tests}
- name: over
  accounts: [a]
  kinds: [Pod]
  until: 2026-01-01T00:00:00Z
  reason: tests
delegations:
- name: operator
  accounts: [o]
  sets: [{kinds: [Pod], fields: [metadata.finalizers]}]
  until: 2026-02-01T00:00:00Z
  reason: tests
";

    #[test]
    fn what_is_over_is_told_where_it_says_so() {
        let configuration = crate::config::parse(&Arc::from("gitward.yaml"), TEXT.as_bytes()).unwrap();
        let at = |now: &str| expired(&configuration, now.parse().unwrap());
        assert_eq!(at("2026-01-01T00:00:00Z"), [], "the last moment is one at which it holds");
        let [finding] = &at("2026-01-01T00:00:01Z")[..] else { panic!() };
        assert_eq!(
            finding.line(),
            "gitward.yaml:8:10: exemption \"over\" holds no more since 2026-01-01T00:00:00Z [config/expired]; to do: \
             remove the exemption, or move `until` if it is still needed"
        );
        let [_, finding] = &at("2026-02-02T00:00:00Z")[..] else { panic!() };
        let said = "gitward.yaml:14:10: delegation \"operator\" holds no more since 2026-02-01T00:00:00Z";
        assert!(finding.line().starts_with(said), "{}", finding.line());
    }
}
