//! What is known of a Lease, and whether it may be taken.
//!
//! Clocks of different machines are never compared: a Lease is over when nobody changed it for its
//! duration, measured here, as Kubernetes' own components do it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

/// Bounds on the duration that is believed of a Lease, in seconds: what somebody forged must not
/// hold everybody off for years.
const DURATIONS: std::ops::RangeInclusive<i32> = 1..=60;

/// A Lease as it was seen, and since when it is so.
#[derive(Debug, Default)]
pub(super) struct Sight {
    last: Option<(LeaseSpec, Instant)>,
}

impl Sight {
    /// The Lease is like this now.
    pub(super) fn see(&mut self, lease: Option<&LeaseSpec>, now: Instant) {
        self.last = match (lease, self.last.take()) {
            (None, _) => None,
            (Some(lease), Some((before, since))) if before == *lease => Some((before, since)),
            (Some(lease), _) => Some((lease.clone(), now)),
        };
    }

    /// The Lease as it was seen last.
    pub(super) fn last(&self) -> Option<&LeaseSpec> {
        self.last.as_ref().map(|(lease, _)| lease)
    }

    /// Who holds it, if anybody does.
    pub(super) fn holder(&self) -> Option<&str> {
        let (lease, _) = self.last.as_ref()?;
        lease.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// Whether `me` may take or renew it.
    pub(super) fn is_free_for(&self, me: &str, now: Instant) -> bool {
        match (&self.last, self.holder()) {
            (Some((lease, since)), Some(holder)) => holder == me || now >= *since + duration(lease),
            _ => true,
        }
    }

    /// How often it went from one holder to another.
    pub(super) fn transitions(&self) -> i32 {
        self.last.as_ref().and_then(|(lease, _)| lease.lease_transitions).unwrap_or_default()
    }
}

fn duration(lease: &LeaseSpec) -> Duration {
    let seconds = lease.lease_duration_seconds.unwrap_or(*DURATIONS.end());
    Duration::from_secs(seconds.clamp(*DURATIONS.start(), *DURATIONS.end()).unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    fn held(by: &str, renewed: i64, seconds: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(by.to_owned()),
            lease_duration_seconds: Some(seconds),
            renew_time: Some(MicroTime(Timestamp::from_second(renewed).unwrap())),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn nobody_takes_what_is_renewed_and_anybody_what_is_not() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut sight = Sight::default();
        assert!(sight.is_free_for("a", start), "there is none");
        sight.see(Some(&held("b", 0, 10)), start);
        assert!(sight.is_free_for("b", start) && !sight.is_free_for("a", after(9)));
        sight.see(Some(&held("b", 0, 10)), after(9));
        assert!(sight.is_free_for("a", after(10)), "nothing came of it for ten seconds");
        sight.see(Some(&held("b", 9, 10)), after(10));
        assert!(!sight.is_free_for("a", after(19)), "it was renewed");
        sight.see(Some(&held("", 9, 10)), after(19));
        assert!(sight.is_free_for("a", after(19)) && sight.holder().is_none(), "it was given back");
    }

    #[test]
    fn the_time_written_into_it_decides_nothing() {
        let start = Instant::now();
        for renewed in [0, 4_000_000_000] {
            let mut sight = Sight::default();
            sight.see(Some(&held("b", renewed, 10)), start);
            assert!(!sight.is_free_for("a", start));
            assert!(sight.is_free_for("a", start + Duration::from_secs(10)));
        }
    }

    #[test]
    fn durations_out_of_all_bounds_are_not_believed() {
        let start = Instant::now();
        for (seconds, bound) in [(i32::MAX, 60), (i32::MIN, 1), (0, 1)] {
            let mut sight = Sight::default();
            sight.see(Some(&held("b", 0, seconds)), start);
            assert!(sight.is_free_for("a", start + Duration::from_secs(bound)), "{seconds}");
        }
    }
}
