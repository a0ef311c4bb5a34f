//! The certificate that the API server sees, and the authority that it is told to trust.
//!
//! Without files from outside the webhook is its own authority: it keeps a CA of one year in its
//! state directory, or in a Secret that all replicas share, and signs serving certificates of thirty
//! days, which only live in memory. The successor of a CA is in the bundle a month before it signs
//! anything.

mod authorities;
mod authority;
mod files;
mod shared;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gitward_index::pauses::Pauses;
use gitward_index::trouble::Told;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use authority::Authority;
pub use files::Files;
pub use shared::Shared;

use crate::state_dir::StateDir;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{what}: {error}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{what}: {reason}")]
    Content {
        /// Which.
        what: String,
        /// Why.
        reason: String,
    },
    /// The authority that replicas share can be neither read nor written.
    #[error("the shared authority {secret} cannot be used: {error}")]
    Shared {
        /// The Secret.
        secret: String,
        /// Why.
        error: String,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The key and the certificate cannot be used by the server.
    #[error("the certificate cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

/// Where the certificate comes from.
pub enum CertificateSource {
    /// Its own authority, for these names and addresses.
    Own(Box<Authority>),
    /// Files that others keep up to date.
    Files(Files),
}

/// A certificate ready to serve with, and what to trust it by.
pub(crate) struct Issued {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) bundle: String,
}

impl CertificateSource {
    /// Its own authority in a state directory.
    pub fn own(state: StateDir, names: Vec<String>) -> Self {
        Self::Own(Box::new(Authority::new(state, names)))
    }

    /// An authority in a Secret, shared with other replicas.
    pub fn shared(state: StateDir, names: Vec<String>, shared: Shared) -> Self {
        Self::Own(Box::new(Authority::shared(state, names, shared)))
    }

    /// What to serve with now, if it has to change; always something at the first call.
    async fn issue(&mut self, now: Timestamp) -> Result<Option<Issued>, CertificateError> {
        match self {
            Self::Own(authority) => authority.issue(now).await,
            Self::Files(files) => files.issue(),
        }
    }

    /// Waits until it has to be looked at again.
    async fn due(&mut self) {
        let interval = self.interval();
        let changed = async {
            match self {
                Self::Own(authority) => authority.changed().await,
                Self::Files(_) => std::future::pending().await,
            }
        };
        // Time alone brings a new certificate too.
        let _ = tokio::time::timeout(interval, changed).await;
    }

    fn interval(&self) -> Duration {
        match self {
            Self::Own(_) => Duration::from_secs(3600),
            Self::Files(_) => Duration::from_secs(30),
        }
    }
}

/// The certificate in use.
pub struct Certificate {
    resolver: Arc<Resolver>,
    bundle: watch::Sender<String>,
    source: CertificateSource,
}

impl Certificate {
    /// Loads or makes the certificate. A shared authority that cannot be had yet is waited for: the
    /// API server, from which it comes, is the only one that asks for it.
    ///
    /// # Errors
    /// There is none to serve with.
    pub async fn awaited(mut source: CertificateSource) -> Result<Self, CertificateError> {
        let told = Told::default();
        let mut pauses = Pauses::default();
        loop {
            match Self::load_from(&mut source, Timestamp::now()).await {
                Ok((resolver, bundle)) => return Ok(Self { resolver, bundle, source }),
                Err(CertificateError::Shared { secret, error }) => {
                    if told.is_news(&error) {
                        tracing::warn!(secret, "waiting for the shared certificate authority: {error}");
                    }
                }
                Err(other) => return Err(other),
            }
            tokio::time::sleep(pauses.next().unwrap_or_default()).await;
        }
    }

    /// Loads or makes the certificate.
    ///
    /// # Errors
    /// There is none to serve with.
    pub async fn load(mut source: CertificateSource, now: Timestamp) -> Result<Self, CertificateError> {
        let (resolver, bundle) = Self::load_from(&mut source, now).await?;
        Ok(Self { resolver, bundle, source })
    }

    async fn load_from(
        source: &mut CertificateSource,
        now: Timestamp,
    ) -> Result<(Arc<Resolver>, watch::Sender<String>), CertificateError> {
        let issued = source.issue(now).await?.ok_or_else(|| CertificateError::Content {
            what: "certificate".to_owned(),
            reason: "there is none".to_owned(),
        })?;
        let resolver = Arc::new(Resolver(ArcSwap::from(certified(&issued)?)));
        Ok((resolver, watch::channel(issued.bundle).0))
    }

    /// The CA certificates (PEM) that the API server has to trust, now and whenever they change.
    pub fn bundle(&self) -> watch::Receiver<String> {
        self.bundle.subscribe()
    }

    /// Settings of a TLS server that always presents the certificate in use.
    ///
    /// # Errors
    /// Ring does not have the protocol versions asked for.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.resolver.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Keeps the certificate fresh until `shutdown`.
    pub async fn keep_fresh(mut self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(self.source.due()).await.is_some() {
            match self.renew(Timestamp::now()).await {
                Ok(true) => tracing::info!("serving with a new certificate"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the certificate cannot be renewed; the old one stays"),
            }
        }
    }

    async fn renew(&mut self, now: Timestamp) -> Result<bool, CertificateError> {
        let Some(issued) = self.source.issue(now).await? else { return Ok(false) };
        self.resolver.0.store(certified(&issued)?);
        self.bundle.send_if_modified(|bundle| {
            let changed = *bundle != issued.bundle;
            bundle.clone_from(&issued.bundle);
            changed
        });
        Ok(true)
    }
}

fn certified(issued: &Issued) -> Result<Arc<CertifiedKey>, CertificateError> {
    let key = any_supported_type(&issued.key)?;
    let certified = CertifiedKey::new(issued.chain.clone(), key);
    certified.keys_match()?;
    Ok(Arc::new(certified))
}

#[derive(Debug)]
struct Resolver(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
