//! What a story sees and does.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use gitward_test_cluster::Output;
use serde_json::Value;

use super::theatre::Theatre;
use crate::edits::Editor;

/// Where a story takes place.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) theatre: &'a Theatre,
    pub(super) namespace: &'static str,
}

impl Scene<'_> {
    /// Puts a file of the story's into Git.
    pub(super) async fn declare(&self, file: &str, text: &str) -> usize {
        self.declare_all(&[(file, Some(text))]).await
    }

    /// Puts files of the story's into Git, or takes them out.
    pub(super) async fn declare_all(&self, files: &[(&str, Option<&str>)]) -> usize {
        let named: Vec<_> = files.iter().map(|(f, t)| (format!("prod/{}/{f}.yaml", self.namespace), *t)).collect();
        let named: Vec<_> = named.iter().map(|(f, t)| (f.as_str(), *t)).collect();
        let message = format!("{}: {}", self.namespace, files.iter().map(|(f, _)| *f).collect::<Vec<_>>().join(", "));
        self.theatre.commit(&message, &named).await
    }

    pub(super) async fn get(&self, object: &str) -> Value {
        self.theatre.find(self.namespace, object).await
    }

    /// All objects of a kind whose name begins so.
    pub(super) async fn all(&self, kind: &str, prefix: &str) -> Vec<Value> {
        let mut found = self.theatre.find_all(self.namespace, kind).await;
        found.retain(|o| o["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(prefix)));
        found
    }

    /// Waits until an object is as it should be; the object.
    pub(super) async fn until(&self, what: &str, object: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let ask = async || {
            last = self.get(object).await;
            holds(&last).then(|| last.clone())
        };
        let waited = AssertUnwindSafe(self.theatre.wait(what, ask)).catch_unwind().await;
        waited.unwrap_or_else(|_| panic!("{object}: waited in vain until {what}; it is {}", brief(&last)))
    }

    /// Waits until the objects of a kind with such names are as they should be.
    pub(super) async fn until_all(
        &self,
        what: &str,
        kind: &str,
        prefix: &str,
        holds: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let mut last = Vec::new();
        let ask = async || {
            last = self.all(kind, prefix).await;
            holds(&last).then(|| last.clone())
        };
        let waited = AssertUnwindSafe(self.theatre.wait(what, ask)).catch_unwind().await;
        waited.unwrap_or_else(|_| {
            let last: Vec<_> = last.iter().map(brief).collect();
            panic!("{kind}/{prefix}*: waited in vain until {what}; they are {}", last.join("\n"))
        })
    }

    /// Waits until a Deployment runs so many Pods of this image and none of another.
    pub(super) async fn runs(&self, name: &str, image: &str, replicas: i64) {
        let object = format!("deployment/{name}");
        self.until(&format!("{replicas} of {image} run"), &object, |d| {
            d["spec"]["template"]["spec"]["containers"][0]["image"] == image && is_rolled_out(d, replicas)
        })
        .await;
    }

    /// Runs `kubectl` as a person in the story's namespace.
    pub(super) async fn kubectl(&self, person: &str, line: &str) -> Output {
        let line = format!("{line} -n {}", self.namespace);
        Editor::new(&self.theatre.stage, person).unwrap().kubectl(&line, "").await.unwrap()
    }

    /// Waits for a while in which a false revert would come.
    pub(super) async fn quiet(&self) {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Whether a workload runs so many up-to-date Pods, all of them ready, and no others.
pub(super) fn is_rolled_out(workload: &Value, replicas: i64) -> bool {
    let (status, count) = (&workload["status"], |field: &Value| field.as_i64().unwrap_or(0));
    status["observedGeneration"] == workload["metadata"]["generation"]
        && ["replicas", "updatedReplicas", "readyReplicas"].iter().all(|f| count(&status[*f]) == replicas)
}

/// An object without what nobody wants to read.
fn brief(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    let text = object.to_string();
    text.chars().take(3000).collect()
}
