//! Exemptions that hold no more. The time comes from outside: a commit says the same at any time.

use jiff::Timestamp;

use crate::config::Configuration;
use crate::finding::Finding;
use crate::path::FieldPath;

/// A warning for each exemption whose `until` lies before `now`, at its place in `gitward.yaml`.
pub fn expired(configuration: &Configuration, now: Timestamp) -> Vec<Finding> {
    let over = configuration.exemptions.iter().enumerate().filter(|(_, e)| !e.in_force(now));
    over.filter_map(|(i, exemption)| {
        let message = format!("exemption {:?} holds no more since {}", exemption.name, exemption.until?);
        let place = configuration.exemption_ends.get(i).cloned().unwrap_or_else(|| configuration.exemption_place(i));
        Some(
            Finding::warning("config/expired", message)
                .with_field(FieldPath::of(["exemptions"]).index(i).field("until"))
                .with_place(Some(place))
                .with_hint("remove the exemption, or move `until` if it is still needed"),
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
    }
}
