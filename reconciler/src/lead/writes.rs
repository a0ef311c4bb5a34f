//! A client that writes only while this process leads.

use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use tokio::time::timeout_at;
use tower::BoxError;

use super::elector::{LAST_WRITES, Leadership};

/// Why a request was not sent, or not waited for.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("another reconciler leads, or the Lease could not be renewed")]
    NotLeading,
    #[error("the lead ended before the API server answered")]
    Ended,
}

/// A client that reads as `plain` does, and sends anything else only while `leadership` lasts: all
/// that the reconciler writes goes through it. Must be called within the tokio runtime that uses it.
pub(super) fn while_leading(plain: Client, leadership: Leadership) -> Client {
    let namespace = plain.default_namespace().to_owned();
    let send = tower::service_fn(move |request: Request<Body>| {
        let (plain, leadership) = (plain.clone(), leadership.clone());
        async move {
            if request.method() == Method::GET {
                return plain.send(request).await.map_err(BoxError::from);
            }
            let until = leadership.until().ok_or(Refused::NotLeading)?;
            match timeout_at(until + LAST_WRITES, plain.send(request)).await {
                Ok(answer) => answer.map_err(BoxError::from),
                Err(_) => Err(Refused::Ended.into()),
            }
        }
    });
    Client::new(send, namespace)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::Response;
    use tokio::sync::watch;
    use tokio::time::{Instant, advance, sleep};

    use super::*;

    /// A client of an API server that counts what reaches it and answers after a while.
    fn server(takes: Duration) -> (Client, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let answer = tower::service_fn(move |_: Request<Body>| {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                sleep(takes).await;
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        });
        (Client::new(answer, "default"), asked)
    }

    async fn send(client: &Client, method: Method) -> Result<(), String> {
        let request = Request::builder().method(method).uri("/api/v1/namespaces/a/configmaps/b");
        let sent = client.send(request.body(Body::empty()).unwrap()).await;
        sent.map(drop).map_err(|error| format!("{error:?}"))
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_leader_writes_and_anybody_reads() {
        let (plain, asked) = server(Duration::ZERO);
        let (until, leadership) = watch::channel(None);
        let client = while_leading(plain, Leadership::of(leadership));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(send(&client, method).await.unwrap_err().contains("NotLeading"));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing was sent");
        send(&client, Method::GET).await.unwrap();

        until.send_replace(Some(Instant::now() + Duration::from_secs(6)));
        send(&client, Method::PUT).await.unwrap();
        advance(Duration::from_secs(6)).await;
        assert!(send(&client, Method::PUT).await.is_err(), "it was not renewed");
        until.send_replace(Some(Instant::now() + Duration::from_secs(6)));
        send(&client, Method::PUT).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_drags_on_is_given_up_before_another_may_lead() {
        let (plain, _) = server(Duration::from_secs(60));
        let began = Instant::now();
        let (_until, leadership) = watch::channel(Some(began + Duration::from_secs(6)));
        let client = while_leading(plain, Leadership::of(leadership));
        assert!(send(&client, Method::PUT).await.unwrap_err().contains("Ended"));
        assert!(began.elapsed() < Duration::from_secs(super::super::elector::LEASE.unsigned_abs().into()));
    }
}
