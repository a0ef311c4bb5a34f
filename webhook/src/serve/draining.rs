//! The time between the word to end and the end: a Service goes on sending requests here for some
//! seconds, and the API server keeps its connections for as long as they are any good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Whether it has begun.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    /// From now on.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Each answer is the last one of its connection, once this has begun: to close one that is in use
/// would cost the request that is on its way.
pub(super) async fn last_answers(State(draining): State<Arc<Draining>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if draining.has_begun() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
