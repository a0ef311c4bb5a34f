//! The comparison: what the API server considers unchanged, gitward does, and nothing else.

use gitward_core::change::is_unchanged;
use gitward_test_cluster::{ControlPlane, Options};
use kube::Client;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::Rng;
use serde_json::{Map, Value, json};

/// Rewrites of each object.
const REWRITES: usize = 150;

const MANIFESTS: &str = include_str!("fixtures/comparison.yaml");

/// Where the objects are, and whether their status is a subresource.
const OBJECTS: [(&str, bool); 9] = [
    ("/apis/apps/v1/namespaces/default/deployments/rich", true),
    ("/apis/apps/v1/namespaces/default/statefulsets/rich", true),
    ("/api/v1/namespaces/default/services/rich", true),
    ("/api/v1/namespaces/default/configmaps/rich", false),
    ("/api/v1/namespaces/default/secrets/rich", false),
    ("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/rich", true),
    ("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/rich", false),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/rich", false),
    ("/apis/example.org/v1/namespaces/default/things/rich", false),
];

/// Every object is rewritten again and again at random, as people and programs do: values respelt,
/// nulls and empty things put in and left out, lists reordered, values changed. Whether anything of
/// it can be seen afterwards has to be what the comparison says; what the API server does not store
/// (its resource version tells) is nothing. It stores some rewrites that nobody can see: of an empty
/// value of a Secret, of `4.0` for `4`.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_and_gitward_agree_on_what_is_a_change() {
    let options = Options { controller_manager: false, ..Options::default() };
    let control_plane = ControlPlane::start(options).await.unwrap();
    for _ in 0..50 {
        if control_plane.apply(MANIFESTS).await.unwrap().success() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let client = control_plane.client().await.unwrap();
    let mut random = Random(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (mut changed, mut unchanged, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    for (path, has_status) in OBJECTS {
        for _ in 0..REWRITES {
            let old = get(&client, path).await;
            let mut body = old.clone();
            for _ in 0..=random.below(2) {
                random.rewrite(&mut body);
            }
            let Some(new) = put(&client, path, &body).await else {
                refused += 1;
                continue;
            };
            let stored = old["metadata"]["resourceVersion"] != new["metadata"]["resourceVersion"];
            let same = visible(&old, has_status) == visible(&new, has_status);
            if is_unchanged(&old, &new, has_status) != same || !(stored || same) {
                let patch = json_patch::diff(&old, &new);
                wrong.push(format!("{path}: stored {stored}, sent {}: {patch}", json_patch::diff(&old, &body)));
            }
            *(if stored { &mut changed } else { &mut unchanged }) += 1;
        }
    }
    println!("{changed} rewrites stored, {unchanged} not, {refused} refused");
    assert!(changed > 100 && unchanged > 100, "too few to tell anything");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

/// An object without what every write changes.
fn visible(object: &Value, has_status: bool) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|field, _| !matches!(field.as_str(), "managedFields" | "resourceVersion" | "generation"));
    }
    if has_status {
        object.as_object_mut().map(|o| o.remove("status"));
    }
    object
}

async fn get(client: &Client, path: &str) -> Value {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    serde_json::from_str(&client.request_text(request).await.unwrap()).unwrap()
}

/// What was stored, `None` if the API server refuses it.
async fn put(client: &Client, path: &str, body: &Value) -> Option<Value> {
    let request = http::Request::put(format!("{path}?fieldManager=rewriter"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .unwrap();
    match client.request_text(request).await {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(kube::Error::Api(_)) => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

struct Random(TestRng);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % n.max(1)
    }

    /// Rewrites one place of an object.
    fn rewrite(&mut self, object: &mut Value) {
        let fields = object.as_object_mut().unwrap();
        let names: Vec<String> =
            fields.keys().filter(|k| !matches!(k.as_str(), "apiVersion" | "kind" | "status")).cloned().collect();
        let name = names[self.below(names.len())].clone();
        if name == "metadata" {
            let which = ["labels", "annotations"][self.below(2)];
            let map = fields["metadata"].as_object_mut().unwrap().entry(which).or_insert_with(|| json!({}));
            self.within(map, 0);
        } else {
            self.within(fields.get_mut(&name).unwrap(), 0);
        }
    }

    fn within(&mut self, value: &mut Value, depth: usize) {
        let deeper = depth < 12 && self.below(4) > 0;
        match value {
            Value::Object(fields) if deeper && !fields.is_empty() => {
                let name = fields.keys().nth(self.below(fields.len())).unwrap().clone();
                self.within(fields.get_mut(&name).unwrap(), depth + 1);
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let n = self.below(items.len());
                self.within(&mut items[n], depth + 1);
            }
            Value::Object(fields) => self.fields(fields),
            Value::Array(items) => self.items(items),
            scalar => self.scalar(scalar),
        }
    }

    fn fields(&mut self, fields: &mut Map<String, Value>) {
        match self.below(5) {
            0 => {
                let Some(name) = fields.keys().nth(self.below(fields.len())).cloned() else { return };
                fields.remove(&name);
            }
            1 => {
                let Some(name) = fields.keys().nth(self.below(fields.len())).cloned() else { return };
                fields.insert(name, Value::Null);
            }
            2 => drop(fields.insert("unheardOf".to_owned(), json!("x"))),
            3 => drop(fields.insert("annotations".to_owned(), json!({}))),
            _ => {
                let reversed: Vec<_> = std::mem::take(fields).into_iter().rev().collect();
                fields.extend(reversed);
            }
        }
    }

    fn items(&mut self, items: &mut Vec<Value>) {
        match self.below(4) {
            0 => items.reverse(),
            1 => drop(items.pop()),
            2 => items.extend(items.last().cloned()),
            _ => items.push(Value::Null),
        }
    }

    fn scalar(&mut self, value: &mut Value) {
        *value = match &*value {
            Value::String(text) => match self.below(5) {
                0 => json!(format!("{text}x")),
                1 => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
                // The same quantity in other words.
                2 => text.strip_suffix('m').and_then(|n| n.parse::<f64>().ok()).map_or_else(
                    || text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(format!("{}m", n * 1000))),
                    |n| json!(format!("{}", n / 1000.0)),
                ),
                3 => text
                    .strip_suffix("Gi")
                    .and_then(|n| n.parse::<i64>().ok())
                    .map_or_else(|| Value::Null, |n| json!(format!("{}Mi", n * 1024))),
                _ => json!(""),
            },
            Value::Number(number) => match self.below(4) {
                0 => json!(number.as_i64().unwrap_or(0) + 1),
                1 => json!(number.to_string()),
                2 => json!(number.as_f64().unwrap_or(0.0)),
                _ => Value::Null,
            },
            Value::Bool(b) => match self.below(3) {
                0 => json!(!b),
                1 => Value::Null,
                _ => json!(b),
            },
            _ => json!("x"),
        };
    }
}
