//! The webhook's own certificate authority, kept in its state directory or shared with its replicas.

use jiff::Timestamp;

use super::authorities::{Authorities, Ca, Serving};
use super::shared::Shared;
use super::{CertificateError, Issued};
use crate::state_dir::StateDir;

const PRESENT: &str = "tls/ca.json";
const NEXT: &str = "tls/ca-next.json";
const PREVIOUS: &str = "tls/ca-previous.json";

/// The authority, and the names to sign for.
pub struct Authority {
    state: StateDir,
    names: Vec<String>,
    shared: Option<Shared>,
    /// What was in force last.
    last: Authorities,
    /// When the serving certificate expires, and the bundle that went with it.
    served: Option<(Timestamp, String)>,
}

impl Authority {
    /// An authority of its own, in a state directory.
    pub fn new(state: StateDir, names: Vec<String>) -> Self {
        Self { state, names, shared: None, last: Authorities::default(), served: None }
    }

    /// An authority shared with other replicas. The state directory keeps a copy, by which one can
    /// start while the API server is away.
    pub fn shared(state: StateDir, names: Vec<String>, shared: Shared) -> Self {
        Self { shared: Some(shared), ..Self::new(state, names) }
    }

    /// Waits until others may have changed it; for ever where it is not shared.
    pub(super) async fn changed(&mut self) {
        match &mut self.shared {
            Some(shared) => shared.changed().await,
            None => std::future::pending().await,
        }
    }

    pub(super) async fn issue(&mut self, now: Timestamp) -> Result<Option<Issued>, CertificateError> {
        let authorities = self.authorities(now).await?;
        let bundle = authorities.bundle();
        let is_fresh = |(expires, trusted): &(Timestamp, String)| !Serving::is_due(*expires, now) && *trusted == bundle;
        if self.served.as_ref().is_some_and(is_fresh) {
            return Ok(None);
        }
        let serving = authorities.sign(&self.names, now)?;
        self.served = Some((serving.expires(), bundle.clone()));
        Ok(Some(Issued { chain: vec![serving.chain], key: serving.key, bundle }))
    }

    async fn authorities(&mut self, now: Timestamp) -> Result<Authorities, CertificateError> {
        if self.last == Authorities::default() {
            let previous = self.load(PREVIOUS)?;
            self.last = Authorities { present: self.load(PRESENT)?, next: self.load(NEXT)?, previous };
        }
        let wanted = match &mut self.shared {
            Some(shared) => shared.agree(&self.last, now).await?,
            None => self.last.at(now)?,
        };
        if wanted != self.last {
            self.keep(&wanted)?;
            self.last = wanted.clone();
        }
        Ok(wanted)
    }

    /// The next one first: of a stop in between nothing worse comes than that it is made anew.
    fn keep(&self, authorities: &Authorities) -> Result<(), CertificateError> {
        let Authorities { present, next, previous } = authorities;
        for (name, ca) in [(PREVIOUS, previous), (NEXT, next), (PRESENT, present)] {
            let json = serde_json::to_vec(ca)
                .map_err(|e| CertificateError::Content { what: name.to_owned(), reason: e.to_string() })?;
            self.state.write(name, &json).map_err(|error| CertificateError::Io { what: name.to_owned(), error })?;
        }
        Ok(())
    }

    /// What is kept cannot be read: it is made anew, which costs one update of the registration.
    fn load(&self, name: &str) -> Result<Option<Ca>, CertificateError> {
        let json = self.state.read(name).map_err(|error| CertificateError::Io { what: name.to_owned(), error })?;
        Ok(json.and_then(|json| {
            serde_json::from_str(&json)
                .inspect_err(|_| tracing::warn!(name, "the kept authority cannot be read and is made anew"))
                .unwrap_or_default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn authority(dir: &tempfile::TempDir) -> Authority {
        let state = StateDir::open(dir.path()).unwrap();
        Authority::new(state, vec!["127.0.0.1".to_owned(), "gitward.gitward-system.svc".to_owned()])
    }

    #[tokio::test]
    async fn a_restart_keeps_the_authorities() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        for days in [0, 310] {
            let first = authority(&dir).issue(now + DAY * days).await.unwrap().unwrap();
            let again = authority(&dir).issue(now + DAY * days).await.unwrap().unwrap();
            assert_eq!(first.bundle, again.bundle);
            assert_ne!(first.chain, again.chain);
        }
    }

    #[tokio::test]
    async fn the_serving_certificate_is_renewed_before_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let mut authority = authority(&dir);
        assert!(authority.issue(now).await.unwrap().is_some());
        assert!(authority.issue(now + DAY * 3).await.unwrap().is_none());
        assert!(authority.issue(now + DAY * 12).await.unwrap().is_some());
    }
}
