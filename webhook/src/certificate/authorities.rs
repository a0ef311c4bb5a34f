//! The certificate authorities in use: one that signs, and before its end its successor, which is
//! trusted a month before it signs anything.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use super::CertificateError;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const CA_DAYS: i32 = 365;
const SERVING_DAYS: i32 = 30;

/// A serving certificate is replaced with this much of its time left.
const RENEW_SERVING: i32 = 20;

/// The next CA is made, and trusted, with this much of the present one's time left.
const MAKE_NEXT: i32 = 60;

/// The next CA takes over with this much of the present one's time left.
const TAKE_OVER: i32 = 30;

/// A CA as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ca {
    certificate: String,
    key: String,
    expires: Timestamp,
}

/// Those that are trusted.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Authorities {
    /// The one that signs.
    pub(super) present: Option<Ca>,
    /// The one that will sign.
    pub(super) next: Option<Ca>,
    /// The one that signed before: another replica may serve with its signature still.
    pub(super) previous: Option<Ca>,
}

/// A certificate to serve with.
pub(super) struct Serving {
    pub(super) chain: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    expires: Timestamp,
}

impl Authorities {
    /// What there has to be now: the same, unless one is over, due, or not there.
    ///
    /// # Errors
    /// No key can be made.
    pub(super) fn at(&self, now: Timestamp) -> Result<Self, CertificateError> {
        let next = self.next.clone().filter(|ca| left(ca.expires, now) > TAKE_OVER);
        let is_valid = |ca: &Ca| left(ca.expires, now) > 0;
        let (present, previous) = (self.present.clone().filter(is_valid), self.previous.clone().filter(is_valid));
        let (present, next, previous) = match (present, next) {
            (None, Some(next)) => (next, None, previous),
            (None, None) => (Ca::made(now)?, None, previous),
            (Some(present), Some(next)) if left(present.expires, now) <= TAKE_OVER => (next, None, Some(present)),
            (Some(present), None) if left(present.expires, now) <= MAKE_NEXT => {
                (present, Some(Ca::made(now)?), previous)
            }
            (Some(present), next) => (present, next, previous),
        };
        Ok(Self { present: Some(present), next, previous })
    }

    /// The certificates (PEM) of those that are trusted.
    pub(super) fn bundle(&self) -> String {
        self.present.iter().chain(&self.next).chain(&self.previous).map(|ca| ca.certificate.as_str()).collect()
    }

    /// A certificate for these names, signed by the present authority.
    ///
    /// # Errors
    /// There is no authority, or it or one of the names cannot be used.
    pub(super) fn sign(&self, names: &[String], now: Timestamp) -> Result<Serving, CertificateError> {
        let wrong =
            |reason: &str| CertificateError::Content { what: "authority".to_owned(), reason: reason.to_owned() };
        let ca = self.present.as_ref().ok_or_else(|| wrong("there is none"))?;
        let ca_key = KeyPair::from_pem(&ca.key)?;
        let (ca_params, _) = ca_params(&ca_key, now);
        let issuer = Issuer::from_params(&ca_params, &ca_key);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name = name("gitward webhook");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        // Never past its issuer, or it would be refused then.
        let days = SERVING_DAYS.min(left(ca.expires, now));
        let expires = validity(&mut params, now, days);
        let certificate = params.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(wrong)?;
        Ok(Serving { chain: certificate.der().clone(), key, expires })
    }
}

impl Serving {
    /// Whether another has to be signed.
    pub(super) fn is_due(expires: Timestamp, now: Timestamp) -> bool {
        left(expires, now) <= RENEW_SERVING
    }

    /// When it ends.
    pub(super) fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl Ca {
    fn made(now: Timestamp) -> Result<Self, CertificateError> {
        let key = KeyPair::generate()?;
        let (params, expires) = ca_params(&key, now);
        let ca = Self { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem(), expires };
        tracing::info!(%expires, "made a certificate authority");
        Ok(ca)
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

    fn now() -> Timestamp {
        "2026-05-01T12:00:00Z".parse().unwrap()
    }

    fn count(bundle: &str) -> usize {
        bundle.matches("BEGIN CERTIFICATE").count()
    }

    #[test]
    fn the_next_authority_is_trusted_long_before_it_signs() {
        let first = Authorities::default().at(now()).unwrap();
        assert_eq!(count(&first.bundle()), 1);
        assert!(first.at(now() + DAY * 300).unwrap() == first);
        let both = first.at(now() + DAY * 310).unwrap();
        assert!(both.present == first.present && count(&both.bundle()) == 2);
        assert!(both.at(now() + DAY * 320).unwrap() == both);
        let after = both.at(now() + DAY * 340).unwrap();
        assert!(after.present == both.next && after.next.is_none());
        assert!(after.previous == both.present && count(&after.bundle()) == 2, "another replica may be late");
        assert_eq!(count(&after.at(now() + DAY * 370).unwrap().bundle()), 1);
    }

    #[test]
    fn what_is_over_signs_nothing_more() {
        let first = Authorities::default().at(now()).unwrap();
        let years_later = first.at(now() + DAY * 1000).unwrap();
        assert!(years_later.present != first.present && years_later.next.is_none());
    }
}
