//! Fresh reads: exactly the questions that rules asked, answered by the API server, bounded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use gitward_core::lookup::{Lookup, Overlay, Question};
use gitward_core::object::ObjectKey;
use kube::api::{DynamicObject, ListParams, PartialObjectMeta};
use kube::core::ApiResource;
use kube::{Api, Client};
use serde_json::Value;

use crate::discovery::{Discovery, Served};
use crate::raw;
use crate::trouble::says;
use crate::whole::Whole;

/// At most so many questions are read live for one decision.
pub const MAX_QUESTIONS: usize = 32;

/// So many of them at a time.
const CONCURRENT: usize = 8;

/// Objects of one page of a list, and at most so many pages of it.
const PAGE: u32 = 500;
const MAX_PAGES: usize = 20;

/// Group, kind and namespace of a list.
type ListOf = (String, String, String);

/// Fresh answers.
#[derive(Debug, Clone, Default)]
pub struct FreshReads {
    objects: Vec<(ObjectKey, Option<Arc<Value>>)>,
    lists: Vec<(ListOf, Vec<Arc<Value>>)>,
    /// Questions without a fresh answer: past the bound, past the deadline, or the API server
    /// could not be asked. The lookup beneath answers them.
    pub unanswered: usize,
    /// Of these, the ones that the API server refused or could not be asked, and why.
    pub failed: Vec<(Question, String)>,
}

impl FreshReads {
    /// The answers laid over another lookup.
    pub fn over<'a>(&self, beneath: &'a dyn Lookup) -> Overlay<'a> {
        let mut overlay = Overlay::over(beneath);
        for (key, object) in &self.objects {
            overlay.set(key.clone(), object.clone());
        }
        for ((group, kind, namespace), list) in &self.lists {
            overlay.set_list(group, kind, namespace, list.clone());
        }
        overlay
    }

    /// Whether anything was answered.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.lists.is_empty()
    }
}

enum Answer {
    One(ObjectKey, Option<Value>),
    Many(ListOf, Vec<Value>),
}

/// Reads the questions live, several at a time, all within `budget`.
///
/// Secrets that are asked for by name are read whole, lists of Secrets by metadata alone.
pub async fn read_live(
    client: &Client,
    discovery: &Discovery,
    questions: &BTreeSet<Question>,
    budget: Duration,
) -> FreshReads {
    let deadline = tokio::time::Instant::now() + budget;
    let mut fresh = FreshReads::default();
    let ask = |q| answer(client, discovery, q).map(move |answered| (q, answered)).boxed();
    let asked: Vec<_> = questions.iter().take(MAX_QUESTIONS).map(ask).collect();
    let mut answers = futures::stream::iter(asked).buffer_unordered(CONCURRENT);
    while let Ok(Some((question, answer))) = tokio::time::timeout_at(deadline, answers.next()).await {
        match answer {
            Ok(Answer::One(key, object)) => fresh.objects.push((key, object.map(Arc::new))),
            Ok(Answer::Many(what, objects)) => {
                fresh.lists.push((what, objects.into_iter().map(Arc::new).collect()));
            }
            Err(error) => {
                tracing::debug!(%error, "a live read failed");
                fresh.failed.push((question.clone(), says(&error)));
            }
        }
    }
    fresh.unanswered = questions.len() - fresh.objects.len() - fresh.lists.len();
    fresh
}

async fn answer(client: &Client, discovery: &Discovery, question: &Question) -> Result<Answer, kube::Error> {
    match question {
        Question::Get(key) => {
            let object = match discovery.resolve(&key.group, &key.kind).await? {
                Some(served) if served.namespaced != key.namespace.is_empty() && !key.name.is_empty() => {
                    get(client, &served, key).await?
                }
                _ => None,
            };
            Ok(Answer::One(key.clone(), object))
        }
        Question::List(group, kind, namespace) => {
            let objects = match discovery.resolve(group, kind).await? {
                Some(served) if served.namespaced || namespace.is_empty() => list(client, &served, namespace).await?,
                _ => Vec::new(),
            };
            Ok(Answer::Many((group.clone(), kind.clone(), namespace.clone()), objects))
        }
    }
}

async fn get(client: &Client, served: &Served, key: &ObjectKey) -> Result<Option<Value>, kube::Error> {
    read(client, &served.resource, key).await
}

/// One object as it is now, in the version that `resource` names; `None` if there is none.
///
/// # Errors
/// The API server refuses it or cannot be asked.
pub async fn read(client: &Client, resource: &ApiResource, key: &ObjectKey) -> Result<Option<Value>, kube::Error> {
    let api: Api<Whole> = api(client, resource, &key.namespace);
    let found = api.get_opt(&key.name).await?;
    Ok(found.and_then(|o| raw::object(&o, resource)))
}

async fn list(client: &Client, served: &Served, namespace: &str) -> Result<Vec<Value>, kube::Error> {
    let resource = &served.resource;
    let of_secrets = resource.group.is_empty() && resource.kind == "Secret";
    let found = if of_secrets {
        pages::<PartialObjectMeta<DynamicObject>>(client, resource, namespace, MAX_PAGES).await?
    } else {
        pages::<Whole>(client, resource, namespace, MAX_PAGES).await?
    };
    // Half a list would be a wrong answer; the lookup beneath knows better.
    found.ok_or_else(|| kube::Error::Service("the list is longer than a fresh read may be".into()))
}

/// All objects of a kind in a namespace (empty: everywhere), by pages; `None` if there are more
/// pages.
pub(crate) async fn pages<K>(
    client: &Client,
    resource: &ApiResource,
    namespace: &str,
    most: usize,
) -> Result<Option<Vec<Value>>, kube::Error>
where
    K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + serde::Serialize,
{
    let mut objects = Vec::new();
    let mut page = ListParams::default().limit(PAGE);
    let api: Api<K> = api(client, resource, namespace);
    for _ in 0..most {
        let found = api.list(&page).await?;
        objects.extend(found.items.iter().filter_map(|o| raw::object(o, resource)));
        match found.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page.continue_token = Some(token),
            None => return Ok(Some(objects)),
        }
    }
    Ok(None)
}

pub(crate) fn api<K>(client: &Client, resource: &ApiResource, namespace: &str) -> Api<K>
where
    K: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
{
    if namespace.is_empty() {
        Api::all_with(client.clone(), resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;
    use std::convert::Infallible;

    /// An API server that serves Pods and Secrets of one namespace.
    fn client() -> Client {
        let service = tower::service_fn(|request: Request<Body>| async move {
            let metadata_only =
                request.headers().get("accept").is_some_and(|a| a.to_str().unwrap().contains("PartialObjectMetadata"));
            let (status, body) = respond(request.uri().path(), metadata_only);
            let body = Body::from(serde_json::to_vec(&body).unwrap());
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        });
        Client::new(service, "default")
    }

    fn respond(path: &str, metadata_only: bool) -> (u16, Value) {
        let resource = |resource: &str, kind: &str| {
            json!({"resource": resource, "responseKind": {"group": "", "version": "v1", "kind": kind},
                "scope": "Namespaced", "singularResource": "", "verbs": ["get", "list", "watch"]})
        };
        let secret = json!({"metadata": {"name": "s", "namespace": "a", "managedFields": [{"manager": "x"}]}});
        match path {
            "/apis" => (
                200,
                json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
                "metadata": {}, "items": []}),
            ),
            "/api" => (
                200,
                json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
                "metadata": {}, "items": [{"metadata": {}, "versions": [{"version": "v1", "freshness": "Current",
                    "resources": [resource("pods", "Pod"), resource("secrets", "Secret")]}]}]}),
            ),
            "/api/v1/namespaces/a/pods/there" => {
                (200, json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "there", "namespace": "a"}}))
            }
            "/api/v1/namespaces/a/secrets" if metadata_only => (
                200,
                json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {},
                    "items": [secret]}),
            ),
            _ => (
                404,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                "message": "not found", "code": 404}),
            ),
        }
    }

    #[tokio::test]
    async fn questions_are_answered_by_the_api_server_also_with_there_is_none() {
        let client = client();
        let discovery = Discovery::new(client.clone());
        let there = ObjectKey::new("", "Pod", "a", "there");
        let gone = ObjectKey::new("", "Pod", "a", "gone");
        let unserved = ObjectKey::new("x.io", "Thing", "a", "t");
        let questions: BTreeSet<_> = [
            Question::Get(there.clone()),
            Question::Get(gone.clone()),
            Question::Get(unserved.clone()),
            Question::List(String::new(), "Secret".into(), "a".into()),
        ]
        .into();
        let fresh = read_live(&client, &discovery, &questions, Duration::from_secs(5)).await;
        assert_eq!(fresh.unanswered, 0);
        let mut stale = Overlay::default();
        for key in [&gone, &unserved] {
            stale.set(key.clone(), Some(Arc::new(json!({}))));
        }
        let lookup = fresh.over(&stale);
        assert_eq!(lookup.get(&there).unwrap()["kind"], "Pod");
        assert!(lookup.get(&gone).is_none());
        assert!(lookup.get(&unserved).is_none());
        let secrets = lookup.list("", "Secret", "a");
        assert_eq!(secrets[0]["kind"], "Secret");
        assert!(secrets[0]["metadata"].get("managedFields").is_none());
    }

    #[tokio::test]
    async fn past_the_bound_the_lookup_beneath_answers() {
        let client = client();
        let discovery = Discovery::new(client.clone());
        let questions: BTreeSet<_> =
            (0..40).map(|i| Question::Get(ObjectKey::new("", "Pod", "a", &format!("p{i}")))).collect();
        let fresh = read_live(&client, &discovery, &questions, Duration::from_secs(5)).await;
        assert_eq!(fresh.unanswered, 40 - MAX_QUESTIONS);
    }
}
