//! One certificate authority for all replicas, in a Secret of gitward's own namespace.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures::{Stream, StreamExt};
use gitward_index::additions::NAMESPACE;
use gitward_index::pauses::Pauses;
use gitward_index::trouble::{Told, explain};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Api, Client};

use super::CertificateError;
use super::authorities::{Authorities, Ca};

const PRESENT: &str = "ca.json";
const NEXT: &str = "ca-next.json";
const PREVIOUS: &str = "ca-previous.json";

/// What the certificates alone are kept under, for people.
const BUNDLE: &str = "ca.crt";

/// Times that a write is tried again after another replica's.
const ATTEMPTS: usize = 5;

type Changes = Pin<Box<dyn Stream<Item = ()> + Send>>;

/// The Secret.
pub struct Shared {
    api: Api<Secret>,
    name: String,
    changes: Changes,
    told: Told,
}

impl Shared {
    /// The Secret of an environment's webhooks.
    pub fn new(client: Client, environment: &str) -> Self {
        let api = Api::<Secret>::namespaced(client, NAMESPACE);
        let name = format!("gitward-webhook-{environment}");
        let config = Config::default().fields(&format!("metadata.name={name}"));
        let events = watcher::watcher(api.clone(), config).backoff(Pauses::default());
        // Each attempt to watch begins with an event that says no more than that.
        let news = |event: &Result<Event<Secret>, watcher::Error>| !matches!(event, Ok(Event::Init) | Err(_));
        let changes = events.filter(move |event| std::future::ready(news(event))).map(drop).boxed();
        Self { api, name, changes, told: Told::default() }
    }

    /// Waits until it may have changed.
    pub(super) async fn changed(&mut self) {
        if self.changes.next().await.is_none() {
            std::future::pending().await
        }
    }

    /// The authorities that all replicas use from now on. Where there are none, or what is there
    /// cannot be read, it is those that were in force `last`; where the API server is away too.
    ///
    /// # Errors
    /// The API server is away, and none were in force yet; or a key cannot be made.
    pub(super) async fn agree(&mut self, last: &Authorities, now: Timestamp) -> Result<Authorities, CertificateError> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let error = match self.try_to_agree(last, now).await? {
                Ok(Some(agreed)) => {
                    self.told.is_over();
                    return Ok(agreed);
                }
                Ok(None) if attempts.next().is_some() => continue,
                Ok(None) => "others write it again and again".to_owned(),
                Err(error) => explain(&error),
            };
            if last.present.is_none() {
                return Err(CertificateError::Shared { secret: self.name.clone(), error });
            }
            if self.told.is_news(&error) {
                tracing::warn!(secret = self.name, "the shared authority cannot be read or written: {error}");
            }
            return Ok(last.clone());
        }
    }

    /// `None` if another replica was faster.
    async fn try_to_agree(
        &mut self,
        last: &Authorities,
        now: Timestamp,
    ) -> Result<Result<Option<Authorities>, kube::Error>, CertificateError> {
        let found = match self.api.get_opt(&self.name).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let kept = found.as_ref().map(|secret| read(secret.data.as_ref())).filter(|kept| kept.present.is_some());
        let before = kept.as_ref().unwrap_or(last);
        let wanted = before.at(now)?;
        if kept.as_ref() == Some(&wanted) {
            return Ok(Ok(Some(wanted)));
        }
        let (is_new, secret) = (found.is_none(), self.written(found, &wanted)?);
        let parameters = PostParams::default();
        let written = if is_new {
            self.api.create(&parameters, &secret).await
        } else {
            self.api.replace(&self.name, &parameters, &secret).await
        };
        Ok(match written {
            Ok(_) => {
                tracing::info!(secret = self.name, "wrote the shared certificate authority");
                Ok(Some(wanted))
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn written(&self, found: Option<Secret>, wanted: &Authorities) -> Result<Secret, CertificateError> {
        let metadata = match found {
            // With the resource version that was seen: of two replicas that write, one does.
            Some(found) => found.metadata,
            None => ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
        };
        Ok(Secret { metadata, data: Some(data(wanted)?), ..Secret::default() })
    }
}

fn data(authorities: &Authorities) -> Result<BTreeMap<String, ByteString>, CertificateError> {
    let mut data = BTreeMap::from([(BUNDLE.to_owned(), ByteString(authorities.bundle().into_bytes()))]);
    let Authorities { present, next, previous } = authorities;
    for (name, ca) in [(PRESENT, present), (NEXT, next), (PREVIOUS, previous)] {
        if let Some(ca) = ca {
            let json = serde_json::to_vec(ca)
                .map_err(|e| CertificateError::Content { what: name.to_owned(), reason: e.to_string() })?;
            data.insert(name.to_owned(), ByteString(json));
        }
    }
    Ok(data)
}

fn read(data: Option<&BTreeMap<String, ByteString>>) -> Authorities {
    let ca = |name: &str| -> Option<Ca> { serde_json::from_slice(&data?.get(name)?.0).ok() };
    Authorities { present: ca(PRESENT), next: ca(NEXT), previous: ca(PREVIOUS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_broken_is_nothing() {
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        let authorities = Authorities::default().at(now).unwrap();
        let mut written = data(&authorities).unwrap();
        assert!(read(Some(&written)) == authorities);
        written.insert(PRESENT.to_owned(), ByteString(b"{}".to_vec()));
        assert!(read(Some(&written)) == Authorities::default() && read(None) == Authorities::default());
    }
}
