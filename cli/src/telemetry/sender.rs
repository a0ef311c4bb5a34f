//! Sending to a collector. It may be away, slow or wrong: nothing waits for it but a thread of its
//! own, and that is told once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gitward_index::trouble::Told;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::tls::{RootCerts, TlsConfig};

/// Longest time for one batch, with all that is tried again.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer, in bytes: it says no more than how much was taken.
const LONGEST: u64 = 64 << 10;

/// Sends batches; clones share what was told.
pub(super) struct Sender {
    agent: ureq::Agent,
    endpoint: String,
    told: Told,
}

impl Sender {
    pub(super) fn new(endpoint: &str) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        Self { agent, endpoint: endpoint.to_owned(), told: Told::default() }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(parts, &body[..]))?;
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(LONGEST).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }

    fn tell(&self, outcome: &Result<Response<Bytes>, ureq::Error>) {
        let why = match outcome {
            Ok(answer) if answer.status().is_success() => {
                if self.told.is_over() {
                    tracing::info!(endpoint = self.endpoint, "traces are sent again");
                }
                return;
            }
            Ok(answer) => format!("it answered {}", answer.status()),
            Err(error) => error.to_string(),
        };
        if self.told.is_news(&why) {
            tracing::warn!(
                endpoint = self.endpoint,
                "traces cannot be sent, and are dropped until they can: {why}; nothing else depends on it"
            );
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = self.send(request);
        self.tell(&outcome);
        Ok(outcome?)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
