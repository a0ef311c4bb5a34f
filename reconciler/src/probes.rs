//! What a reconciler shows of itself over HTTP: that it lives, and its metrics. Nothing of it is
//! secret, and nothing can be asked of it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Answers at an address that is listened at already until `stop`.
///
/// # Errors
/// The address cannot be served.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, stop: CancellationToken) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, routes(metrics)).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

fn routes(metrics: Arc<Metrics>) -> Router {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = move || {
        let metrics = metrics.clone();
        async move { ([(header::CONTENT_TYPE, TEXT)], metrics.text()).into_response() }
    };
    // Who stands by is as ready as who leads.
    Router::new().route("/livez", get(|| async { "ok" })).route("/metrics", get(text))
}
