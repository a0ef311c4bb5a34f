//! The webhook's own certificate authority.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::PrivateKeyDer;
use serde::{Deserialize, Serialize};

use super::{CertificateError, Issued};
use crate::state_dir::StateDir;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const CA_DAYS: i32 = 365;
const SERVING_DAYS: i32 = 30;

/// A serving certificate is replaced with this much of its time left.
const RENEW_SERVING: i32 = 20;

/// The next CA is made, and trusted, with this much of the present one's time left.
const MAKE_NEXT: i32 = 60;

/// The next CA takes over with this much of the present one's time left.
const TAKE_OVER: i32 = 30;

const PRESENT: &str = "tls/ca.json";
const NEXT: &str = "tls/ca-next.json";

/// A CA as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Ca {
    certificate: String,
    key: String,
    expires: Timestamp,
}

/// The authority: at most two CAs, and the names to sign for.
pub struct Authority {
    state: StateDir,
    names: Vec<String>,
    /// When the serving certificate expires, and the bundle that went with it.
    served: Option<(Timestamp, String)>,
}

impl Authority {
    /// An authority that keeps its CAs in a state directory.
    pub fn new(state: StateDir, names: Vec<String>) -> Self {
        Self { state, names, served: None }
    }

    pub(super) fn issue(&mut self, now: Timestamp) -> Result<Option<Issued>, CertificateError> {
        let (present, next) = self.authorities(now)?;
        let bundle = present.certificate.clone() + next.as_ref().map_or("", |n| &n.certificate);
        let fresh =
            |(expires, trusted): &(Timestamp, String)| left(*expires, now) > RENEW_SERVING && *trusted == bundle;
        if self.served.as_ref().is_some_and(fresh) {
            return Ok(None);
        }
        let (chain, key, expires) = self.sign(&present, now)?;
        self.served = Some((expires, bundle.clone()));
        Ok(Some(Issued { chain: vec![chain], key, bundle }))
    }

    fn authorities(&self, now: Timestamp) -> Result<(Ca, Option<Ca>), CertificateError> {
        let next = self.load(NEXT)?.filter(|ca| left(ca.expires, now) > TAKE_OVER);
        let present = match self.load(PRESENT)?.filter(|ca| left(ca.expires, now) > 0) {
            Some(present) => present,
            None => match next {
                Some(next) => return Ok((self.take_over(next)?, None)),
                None => self.make(PRESENT, now)?,
            },
        };
        match (left(present.expires, now), next) {
            (days, Some(next)) if days <= TAKE_OVER => Ok((self.take_over(next)?, None)),
            (days, None) if days <= MAKE_NEXT => {
                let next = self.make(NEXT, now)?;
                Ok((present, Some(next)))
            }
            (_, next) => Ok((present, next)),
        }
    }

    fn take_over(&self, next: Ca) -> Result<Ca, CertificateError> {
        self.state.rename(NEXT, PRESENT).map_err(|error| CertificateError::Io { what: NEXT.to_owned(), error })?;
        Ok(next)
    }

    /// What is kept cannot be read: it is made anew, which costs one update of the registration.
    fn load(&self, name: &str) -> Result<Option<Ca>, CertificateError> {
        let json = self.state.read(name).map_err(|error| CertificateError::Io { what: name.to_owned(), error })?;
        Ok(json.and_then(|json| {
            serde_json::from_str(&json)
                .inspect_err(|_| tracing::warn!(name, "the kept authority cannot be read and is made anew"))
                .ok()
        }))
    }

    fn make(&self, name: &str, now: Timestamp) -> Result<Ca, CertificateError> {
        let key = KeyPair::generate()?;
        let (params, expires) = ca_params(&key, now);
        let ca = Ca { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem(), expires };
        let json = serde_json::to_vec(&ca)
            .map_err(|e| CertificateError::Content { what: name.to_owned(), reason: e.to_string() })?;
        self.state.write(name, &json).map_err(|error| CertificateError::Io { what: name.to_owned(), error })?;
        tracing::info!(name, %expires, "made a certificate authority");
        Ok(ca)
    }

    fn sign(
        &self,
        ca: &Ca,
        now: Timestamp,
    ) -> Result<(rustls_pki_types::CertificateDer<'static>, PrivateKeyDer<'static>, Timestamp), CertificateError> {
        let ca_key = KeyPair::from_pem(&ca.key)?;
        let (ca_params, _) = ca_params(&ca_key, now);
        let issuer = Issuer::from_params(&ca_params, &ca_key);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name = name("gitward webhook");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        // Never past its issuer, or it would be refused then.
        let days = SERVING_DAYS.min(left(ca.expires, now));
        let expires = validity(&mut params, now, days);
        let certificate = params.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|e| CertificateError::Content { what: "key".to_owned(), reason: e.to_owned() })?;
        Ok((certificate.der().clone(), key, expires))
    }
}

/// The issuer's name is drawn from its key: two CAs of one webhook have two names, and the same
/// parameters are found again from the key alone.
fn ca_params(key: &KeyPair, now: Timestamp) -> (CertificateParams, Timestamp) {
    let digest = gitward_core::snapshot::Digest::of(&serde_json::json!(key.public_key_raw()));
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("gitward webhook CA {digest}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let expires = validity(&mut params, now, CA_DAYS);
    (params, expires)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From yesterday, since clocks differ, for so many days from today on.
fn validity(params: &mut CertificateParams, now: Timestamp, days: i32) -> Timestamp {
    let at = |t: Timestamp| {
        let date = t.to_zoned(TimeZone::UTC).date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    let expires = now + DAY * days;
    params.not_before = at(now - DAY);
    params.not_after = at(expires);
    // The certificate ends at that day's midnight, which is before.
    expires - DAY
}

/// Whole days left; negative once it is over.
fn left(expires: Timestamp, now: Timestamp) -> i32 {
    i32::try_from(expires.duration_since(now).as_hours() / 24).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(dir: &tempfile::TempDir) -> Authority {
        let state = StateDir::open(dir.path()).unwrap();
        Authority::new(state, vec!["127.0.0.1".to_owned(), "gitward.gitward-system.svc".to_owned()])
    }

    fn count(bundle: &str) -> usize {
        bundle.matches("BEGIN CERTIFICATE").count()
    }

    #[test]
    fn a_restart_keeps_the_authority() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let first = authority(&dir).issue(now).unwrap().unwrap();
        let again = authority(&dir).issue(now).unwrap().unwrap();
        assert_eq!(first.bundle, again.bundle);
        assert_ne!(first.chain, again.chain);
    }

    #[test]
    fn the_serving_certificate_is_renewed_before_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let mut authority = authority(&dir);
        assert!(authority.issue(now).unwrap().is_some());
        assert!(authority.issue(now + DAY * 3).unwrap().is_none());
        assert!(authority.issue(now + DAY * 12).unwrap().is_some());
    }

    #[test]
    fn the_next_authority_is_trusted_long_before_it_signs() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let mut authority = authority(&dir);
        let first = authority.issue(now).unwrap().unwrap().bundle;
        assert_eq!(count(&first), 1);
        let both = authority.issue(now + DAY * 310).unwrap().unwrap().bundle;
        assert!(both.starts_with(&first) && count(&both) == 2);
        let after = authority.issue(now + DAY * 340).unwrap().unwrap().bundle;
        assert_eq!(count(&after), 1);
        assert!(both.ends_with(&after));
    }
}
