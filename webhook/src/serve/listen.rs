//! The TLS server itself.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio_util::sync::CancellationToken;

/// Time that open requests have to end in at shutdown.
const GRACE: Duration = Duration::from_secs(12);

/// Serves at an address that is listened at already until `shutdown`.
///
/// # Errors
/// The server failed.
pub async fn listen(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    app: axum::Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let handle = axum_server::Handle::new();
    let stop = handle.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        stop.graceful_shutdown(Some(GRACE));
    });
    // Without TCP_NODELAY answers to the real API server wait 40 ms for an acknowledgement.
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(tls)).acceptor(NoDelayAcceptor::new());
    tracing::info!(address = %listener.local_addr()?, "serving");
    listener.set_nonblocking(true)?;
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .handle(handle)
        .http1_only()
        .first_request_timeout(Duration::from_secs(10));
    server.http_builder().http1().header_read_timeout(Duration::from_secs(300));
    server.serve(app.into_make_service()).await
}

#[cfg(test)]
mod tests;
