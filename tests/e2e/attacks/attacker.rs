//! Making the requests of an attack.

use std::collections::HashMap;
use std::sync::Mutex;

use gitward_test_cluster::Stage;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::Result;
use crate::case::{Body, Identity, Step};
use crate::paths;

/// Somebody who attacks.
pub(crate) struct Attacker {
    client: Client,
    /// Reads what the templates speak of.
    reader: Client,
    kubeconfig: Kubeconfig,
    tokens: Mutex<HashMap<String, Client>>,
}

/// What the API server said.
pub(crate) struct Answer {
    /// The HTTP status; 0 if it could not be asked.
    pub(crate) code: u16,
    /// What it said.
    pub(crate) text: String,
}

impl Attacker {
    /// A person of the stage.
    pub(crate) async fn new(stage: &Stage, person: &str) -> Result<Self> {
        let path = stage.cluster.person_kubeconfig(person, &[]).map_err(|e| e.to_string())?;
        let kubeconfig = Kubeconfig::read_from(&path).map_err(|e| e.to_string())?;
        Ok(Self {
            client: stage.cluster.client_for(&path).await.map_err(|e| e.to_string())?,
            reader: stage.cluster.client().await.map_err(|e| e.to_string())?,
            kubeconfig,
            tokens: Mutex::default(),
        })
    }

    /// Makes one request of an attack on the objects of this name: what the API server answered.
    pub(crate) async fn make(&self, step: &Step, name: &str) -> Vec<Answer> {
        match self.prepare(step, name).await {
            Ok((client, requests)) => {
                futures::future::join_all(requests.into_iter().map(|r| send(client.clone(), r))).await
            }
            Err(answer) => vec![answer],
        }
    }

    async fn prepare(
        &self,
        step: &Step,
        name: &str,
    ) -> std::result::Result<(Client, Vec<http::Request<Vec<u8>>>), Answer> {
        let not_sent = |text: String| Answer { code: 0, text };
        let mut path = paths::whole(&self.fill(step.path, name).await.map_err(not_sent)?);
        if step.content_type.starts_with("application/apply-patch") && !path.contains("fieldManager") {
            path = format!("{path}?force=true&fieldManager=stranger");
        }
        let client = match step.identity {
            Identity::Token(namespace, account) => self.with_token(namespace, account).await?,
            _ => self.client.clone(),
        };
        let mut requests = Vec::new();
        for i in 0..step.times {
            let body = self.body(step, name).await.map_err(not_sent)?;
            let body = match std::str::from_utf8(&body) {
                Ok(text) if text.contains("NTH") => text.replace("NTH", &i.to_string()).into_bytes(),
                _ => body,
            };
            let mut request = http::Request::builder().method(step.method).uri(&path);
            request = request.header("Content-Type", step.content_type).header("Accept", "application/json");
            match step.identity {
                Identity::User(user, group) => {
                    let user = self.fill(user, name).await.map_err(not_sent)?;
                    request = request.header("Impersonate-User", user);
                    for group in group.split(',').filter(|g| !g.is_empty()) {
                        request = request.header("Impersonate-Group", group);
                    }
                }
                Identity::Forged(namespace, account) | Identity::Master(namespace, account) => {
                    let groups = [
                        "system:serviceaccounts",
                        &format!("system:serviceaccounts:{namespace}"),
                        "system:authenticated",
                    ];
                    request = request
                        .header("Impersonate-User", format!("system:serviceaccount:{namespace}:{account}"))
                        .header("Impersonate-Uid", "6f9f4f4e-0000-4000-8000-000000000000")
                        .header(
                            "Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id",
                            "JTI=7f9f4f4e-0000-4000-8000-000000000000",
                        );
                    let master = matches!(step.identity, Identity::Master(..)).then_some("system:masters");
                    for group in groups.into_iter().chain(master) {
                        request = request.header("Impersonate-Group", group);
                    }
                }
                Identity::Own | Identity::Token(..) => {}
            }
            requests.push(request.body(body).map_err(|e| not_sent(e.to_string()))?);
        }
        Ok((client, requests))
    }

    /// A client with a token of a service account, asked for by the attacker.
    async fn with_token(&self, namespace: &str, account: &str) -> std::result::Result<Client, Answer> {
        let key = format!("{namespace}/{account}");
        if let Some(client) = self.tokens.lock().unwrap().get(&key) {
            return Ok(client.clone());
        }
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let request = http::Request::post(path).header("Content-Type", "application/json");
        let request =
            request.body(body.to_string().into_bytes()).map_err(|e| Answer { code: 0, text: e.to_string() })?;
        let answer = send(self.client.clone(), request).await;
        let token: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let Some(token) = token["status"]["token"].as_str() else { return Err(answer) };
        let client = self.client_with(token).await.map_err(|text| Answer { code: 0, text })?;
        self.tokens.lock().unwrap().insert(key, client.clone());
        Ok(client)
    }

    async fn client_with(&self, token: &str) -> Result<Client> {
        let mut config = serde_json::to_value(&self.kubeconfig).map_err(|e| e.to_string())?;
        config["users"][0]["user"] = json!({ "token": token });
        let kubeconfig: Kubeconfig = serde_json::from_value(config).map_err(|e| e.to_string())?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let mut config = config.map_err(|e| e.to_string())?;
        config.proxy_url = None;
        Client::try_from(config).map_err(|e| e.to_string())
    }

    async fn body(&self, step: &Step, name: &str) -> Result<Vec<u8>> {
        match &step.body {
            Body::Text(text) => Ok(self.fill(text, name).await?.into_bytes()),
            Body::Bytes(bytes) => Ok(bytes(name)),
            Body::Live(of, edits) => Ok(self.edited(of, edits, name).await?.to_string().into_bytes()),
            Body::Copy(of, edits) => {
                let mut object = self.live(&self.fill(of, name).await?).await?;
                object["status"].take();
                for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"] {
                    object["metadata"][field].take();
                }
                self.edit(&mut object, edits, name).await?;
                Ok(object.to_string().into_bytes())
            }
        }
    }

    async fn edited(&self, of: &str, edits: &[(&'static str, &'static str)], name: &str) -> Result<Value> {
        let path = self.fill(of, name).await?;
        let mut object = self.live(path.split('?').next().unwrap_or(&path)).await?;
        self.edit(&mut object, edits, name).await?;
        Ok(object)
    }

    async fn edit(&self, object: &mut Value, edits: &[(&'static str, &'static str)], name: &str) -> Result<()> {
        for (pointer, text) in edits {
            let (parent, field) = pointer.rsplit_once('/').ok_or("a pointer begins with a slash")?;
            let field = field.replace("~1", "/").replace("~0", "~");
            let value = match *text {
                "-" => None,
                text => {
                    let text = self.fill(text, name).await?;
                    Some(serde_json::from_str::<Value>(&text).map_err(|e| format!("{text}: {e}"))?)
                }
            };
            let parent = self.fill(parent, name).await?;
            let within = object.pointer_mut(&parent).ok_or_else(|| format!("{parent} is not in the object"))?;
            match (within, value) {
                (Value::Array(items), Some(value)) if field == "+" => items.push(value),
                (Value::Array(items), Some(value)) => {
                    let i: usize = field.parse().map_err(|_| format!("{field} is no index"))?;
                    *items.get_mut(i).ok_or("no such element")? = value;
                }
                (Value::Array(items), None) => {
                    items.remove(field.parse().map_err(|_| format!("{field} is no index"))?);
                }
                (Value::Object(map), Some(value)) => {
                    map.insert(field, value);
                }
                (Value::Object(map), None) => {
                    map.remove(&field);
                }
                _ => return Err(format!("{parent} holds nothing")),
            }
        }
        Ok(())
    }

    /// An object as it is; of a collection, the first that is not going.
    async fn live(&self, path: &str) -> Result<Value> {
        let path = paths::whole(path);
        let request = http::Request::get(&path).body(Vec::new()).map_err(|e| e.to_string())?;
        let text = self.reader.request_text(request).await.map_err(|e| format!("{path}: {e}"))?;
        let mut found: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let kind = found["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
        let api_version = found["apiVersion"].clone();
        let Some(items) = found["items"].as_array_mut() else { return Ok(found) };
        let mut items = items.drain(..).filter(|o| o["metadata"]["deletionTimestamp"].is_null());
        let mut object = items.next().ok_or_else(|| format!("nothing is at {path}"))?;
        object["kind"] = json!(kind);
        object["apiVersion"] = api_version;
        Ok(object)
    }

    /// Fills in `NAME`, and `<uid PATH>`, `<name PATH>`, `<version PATH>` and `<field PATH POINTER>` of
    /// live objects.
    pub(crate) async fn fill(&self, text: &str, name: &str) -> Result<String> {
        let mut text = text.replace("NAME", name);
        for word in ["uid", "name", "version", "field"] {
            let opening = format!("<{word} ");
            while let Some(start) = text.find(&opening) {
                let end = start + text[start..].find('>').ok_or("a placeholder does not end")?;
                let mut words = text[start + opening.len()..end].split(' ');
                let object = self.live(words.next().unwrap_or_default()).await?;
                let value = match word {
                    "uid" => object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
                    "name" => object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
                    "version" => object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned(),
                    _ => {
                        let found = object.pointer(words.next().unwrap_or_default()).cloned().unwrap_or_default();
                        found.as_str().map_or_else(|| found.to_string(), str::to_owned)
                    }
                };
                text.replace_range(start..=end, &value);
            }
        }
        Ok(text)
    }
}

async fn send(client: Client, request: http::Request<Vec<u8>>) -> Answer {
    match client.request_text(request).await {
        Ok(text) => Answer { code: 200, text },
        Err(kube::Error::Api(status)) => Answer { code: status.code, text: status.message.clone() },
        Err(error) => Answer { code: 0, text: error.to_string() },
    }
}
