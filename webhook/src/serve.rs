//! The HTTP side: reviews in, answers out, within bounds on size, number and time.

mod draining;
mod duration;
mod limits;
mod listen;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Query, Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gitward_index::bounds;
use prometheus_client::metrics::gauge::Gauge;
use serde::Deserialize;
use tokio::time::Instant;
use tracing::Instrument;

use crate::judge::Gate;
use crate::metrics::{Decision, Metrics};
use crate::readiness::Readiness;
use crate::receipts;
use crate::register::Conversions;
use crate::review::{self, Review};
use crate::traces;

pub use draining::Draining;
pub use duration::parse as parse_duration;
pub use limits::Limits;
pub use listen::listen;

/// Path of reviews of everyone's requests.
pub const ADMIT: &str = "/admit";

/// Path of reviews of the control plane's own requests, which must not be denied for want of a
/// snapshot.
pub const ADMIT_CONTROL_PLANE: &str = "/admit/control-plane";

/// Path of reviews of everyone's requests in whatever version, of which some are
/// [judged converted](Conversions).
pub const ADMIT_ANY_VERSION: &str = "/admit/any-version";

/// The same of the control plane's own requests.
pub const ADMIT_CONTROL_PLANE_ANY_VERSION: &str = "/admit/control-plane/any-version";

/// What the answers need.
pub struct App {
    /// Decides.
    pub gate: Gate,
    /// Says whether it may.
    pub readiness: Arc<Readiness>,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Name of the environment.
    pub environment: String,
    /// Bounds.
    pub limits: Limits,
    /// What the registration has converted.
    pub conversions: Arc<Conversions>,
    /// Whether it is about to end.
    pub draining: Arc<Draining>,
}

impl App {
    /// Counts an answer, and says it where the review is traced.
    fn decided(&self, decision: Decision, began: Instant) {
        self.metrics.decided(decision, began.elapsed());
        traces::decided(decision);
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let body_limit = app.limits.body_bytes;
    let app = Arc::new(app);
    let reviews = Router::new()
        .route(ADMIT, post(admit))
        .route(ADMIT_CONTROL_PLANE, post(admit_control_plane))
        .route(ADMIT_ANY_VERSION, post(admit).layer(Extension(AnyVersion(true))))
        .route(ADMIT_CONTROL_PLANE_ANY_VERSION, post(admit_control_plane).layer(Extension(AnyVersion(true))))
        .layer(Extension(AnyVersion(false)))
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(middleware::from_fn_with_state(app.clone(), bounded));
    Router::new()
        .merge(reviews)
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route(bounds::PATH, get(bounds_used))
        .route("/look-now", post(look_now))
        .layer(middleware::from_fn_with_state(app.draining.clone(), draining::last_answers))
        .with_state(app)
}

/// The API server says how long it waits.
#[derive(Debug, Deserialize)]
struct Wait {
    timeout: Option<String>,
}

impl Wait {
    /// When the answer has to be on its way.
    fn deadline(&self, limits: &Limits) -> Instant {
        let wait = self.timeout.as_deref().and_then(duration::parse).unwrap_or(limits.timeout);
        let margin = (wait / 10).min(Duration::from_millis(500));
        Instant::now() + wait.min(limits.longest_timeout).saturating_sub(margin)
    }
}

/// Turns away what is too much, and answers before the API server stops listening.
async fn bounded(
    State(app): State<Arc<App>>,
    Query(wait): Query<Wait>,
    mut request: HttpRequest,
    next: Next,
) -> Result<Response, Infallible> {
    let began = Instant::now();
    let span = traces::review(request.headers());
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok());
    let Some(_place) = app.limits.admit(length) else {
        span.in_scope(|| app.decided(Decision::Busy, began));
        let text = "gitward is judging as many requests as it can; try again";
        return Ok((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], text).into_response());
    };
    let _under_way = UnderWay::begins(&app.metrics.under_way);
    let deadline = wait.deadline(&app.limits);
    request.extensions_mut().insert(Deadline(deadline));
    match tokio::time::timeout_at(deadline, next.run(request)).instrument(span.clone()).await {
        Ok(response) => Ok(response),
        Err(_) => {
            span.in_scope(|| app.decided(Decision::Late, began));
            let text = "gitward could not judge this in the time that the API server gives it; try again";
            Ok((StatusCode::GATEWAY_TIMEOUT, text).into_response())
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

/// A request that is being answered, until it is dropped: also where whoever asked has gone.
struct UnderWay<'a>(&'a Gauge);

impl<'a> UnderWay<'a> {
    fn begins(number: &'a Gauge) -> Self {
        number.inc();
        Self(number)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Whether the same request may come converted as well.
#[derive(Debug, Clone, Copy)]
struct AnyVersion(bool);

async fn admit(
    State(app): State<Arc<App>>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    Extension(version): Extension<AnyVersion>,
    body: Bytes,
) -> Response {
    answer(&app, deadline, version, body, |review| {
        axum::Json(review::busy_with_nothing(review, &app.environment)).into_response()
    })
    .await
}

/// Without a snapshot this is an error and no denial, so that the API server goes on: it is the
/// control plane that asks, which must be able to start while gitward cannot.
async fn admit_control_plane(
    State(app): State<Arc<App>>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    Extension(version): Extension<AnyVersion>,
    body: Bytes,
) -> Response {
    answer(&app, deadline, version, body, |_| {
        (StatusCode::SERVICE_UNAVAILABLE, "gitward has not loaded any commit yet").into_response()
    })
    .await
}

/// Bodies larger than this are parsed on a thread of their own: they take milliseconds.
const LARGE: usize = 256 * 1024;

/// Time kept back for saying that something was denied, when a second look takes all of the rest.
const TO_ANSWER: Duration = Duration::from_millis(200);

async fn answer(
    app: &App,
    deadline: Instant,
    AnyVersion(any_version): AnyVersion,
    body: Bytes,
    unknown: impl FnOnce(&Review) -> Response,
) -> Response {
    let began = Instant::now();
    let parsed = if body.len() > LARGE {
        match tokio::task::spawn_blocking(move || review::parse(&body)).await {
            Ok(parsed) => parsed,
            Err(_) => return (StatusCode::INTERNAL_SERVER_ERROR, "the review could not be read").into_response(),
        }
    } else {
        review::parse(&body)
    };
    let review = match parsed {
        Ok(review) => review,
        Err(malformed) => {
            app.decided(Decision::Malformed, began);
            return (StatusCode::BAD_REQUEST, malformed.to_string()).into_response();
        }
    };
    let served = app.gate.index().discovery().table();
    if any_version && app.conversions.is_judged_converted(review.requested(), app.gate.index(), &served) {
        app.decided(Decision::JudgedConverted, began);
        return axum::Json(review::let_through(&review)).into_response();
    }
    let mut request = review.request(&served);
    request.user.is_reconciler = app.gate.is_reconciler(&request.user);
    let deadline = deadline.checked_sub(TO_ANSWER).unwrap_or(deadline);
    let Some(judged) = app.gate.judge(&request, deadline).await else {
        app.decided(Decision::NothingKnown, began);
        return unknown(&review);
    };
    let verdict = &judged.verdict;
    let decision = match (verdict.allowed(), verdict.findings.is_empty()) {
        (true, true) => Decision::Allowed,
        (true, false) => Decision::Warned,
        (false, _) => Decision::Denied,
    };
    app.decided(decision, began);
    traces::judged(&request, &judged);
    app.metrics.found(decision, &verdict.findings);
    if verdict.allowed() {
        app.metrics.traced(&verdict.traced);
    }
    if verdict.allowed()
        && let Some(receipt) = app.gate.receipt(&request, &judged.snapshot)
    {
        receipts::write(app.gate.index().client().clone(), receipt);
    }
    if decision != Decision::Allowed {
        let rules: Vec<_> = verdict.findings.iter().map(|f| f.rule.as_ref()).collect();
        tracing::info!(
            object = %request.key, operation = ?request.operation, subresource = request.subresource,
            account = review.account(), ?decision, ?rules, commit = judged.snapshot.commit.short(),
        );
        // Messages show values of what is not a Secret: whoever wants them in the log asks for them.
        for finding in &verdict.findings {
            tracing::debug!(object = %request.key, account = review.account(), message = finding.message);
        }
    }
    axum::Json(review::respond(&review, verdict, &judged.snapshot, judged.note)).into_response()
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.draining.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "about to end").into_response();
    }
    match app.readiness.check() {
        Ok(()) => "ready".into_response(),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, missing).into_response(),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    if let Some(snapshot) = app.gate.snapshot() {
        app.metrics.declared(&snapshot.configuration);
    }
    ([(header::CONTENT_TYPE, TEXT)], app.metrics.text()).into_response()
}

/// Which bounds of delegations were used since the start.
async fn bounds_used(State(app): State<Arc<App>>) -> Response {
    let told = app.gate.snapshot().map(|s| app.metrics.bounds.told(&s.configuration));
    axum::Json(told.unwrap_or_default()).into_response()
}

/// "Look now": says nothing and is believed nothing; fetches are rate-limited.
async fn look_now(State(app): State<Arc<App>>) -> StatusCode {
    app.gate.looker().notify();
    StatusCode::ACCEPTED
}

#[cfg(test)]
mod tests;
