//! Whether the cluster is as the work tree says, by kubectl's reading of both and by a comparison
//! that shares nothing with gitward's.

use gitward_test_cluster::{Output, Stage};
use serde_json::{Map, Value};

/// Fails with every difference between what the work tree declares and what the cluster holds.
pub(crate) async fn verify(stage: &Stage) -> Result<(), String> {
    let declared = declared(stage).await?;
    let live = items(kubectl(stage, &["get", "-R", "-o", "json", "-f"]).await?)?;
    let mut differences = Vec::new();
    for object in &declared {
        match live.iter().find(|l| identity(l) == identity(object)) {
            Some(found) => compare_objects(object, found, &mut differences),
            None => differences.push(format!("{} is not there", identity(object))),
        }
    }
    if declared.len() < 100 {
        differences.push(format!("kubectl reads only {} declared objects", declared.len()));
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{} differences from Git:\n{}", differences.len(), differences.join("\n")))
}

/// What the work tree declares, as kubectl reads it.
pub(crate) async fn declared(stage: &Stage) -> Result<Vec<Value>, String> {
    items(kubectl(stage, &["create", "--dry-run=client", "--validate=false", "-R", "-o", "json", "-f"]).await?)
}

async fn kubectl(stage: &Stage, arguments: &[&str]) -> Result<Output, String> {
    let manifests = stage.work.path().join("manifests");
    let arguments: Vec<&str> = arguments.iter().copied().chain(manifests.to_str()).collect();
    stage.cluster.kubectl(&arguments).await.map_err(|e| e.to_string())
}

/// kubectl writes one list, or one object after another.
fn items(output: Output) -> Result<Vec<Value>, String> {
    let text = output.checked().map_err(|e| e.to_string())?;
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        flatten(value.map_err(|e| format!("kubectl's answer: {e}"))?, &mut all);
    }
    Ok(all)
}

fn flatten(mut value: Value, into: &mut Vec<Value>) {
    let is_list = value["kind"].as_str().is_some_and(|k| k.ends_with("List"));
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => items.into_iter().for_each(|i| flatten(i, into)),
        _ => into.push(value),
    }
}

/// Kind, namespace and name, for people and for telling objects apart.
pub(crate) fn identity(object: &Value) -> String {
    let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    format!("{} {}/{}", object["kind"].as_str().unwrap_or_default(), metadata("namespace"), metadata("name"))
}

fn compare_objects(declared: &Value, live: &Value, differences: &mut Vec<String>) {
    let name = identity(declared);
    let mut declared = declared.clone();
    decode_string_data(&mut declared);
    let mut compare = Compare { name: &name, differences };
    compare.holds(&declared, live, "");
    for field in ["labels", "annotations"] {
        let map = |o: &Value| o["metadata"][field].as_object().cloned().unwrap_or_default();
        compare.nothing_more(&map(&declared), &map(live), &allowed(&declared, field), &format!(".metadata.{field}"));
    }
    for field in ["ownerReferences", "finalizers"] {
        let extra = &live["metadata"][field];
        if !extra.is_null() && declared["metadata"][field].is_null() {
            compare.differs(&format!(".metadata.{field}"), &Value::Null, extra);
        }
    }
    let template = "/spec/template/spec";
    if let (Some(declared), Some(live)) = (declared.pointer(template), live.pointer(template)) {
        compare.containers(declared, live);
    }
    for field in ["data", "rules", "subjects"] {
        let size = |o: &Value| o[field].as_object().map(Map::len).or_else(|| o[field].as_array().map(Vec::len));
        if size(&declared).unwrap_or(0) != size(live).unwrap_or(0) {
            compare.differs(&format!(".{field}"), &declared[field], &live[field]);
        }
    }
}

/// What Kubernetes itself adds to objects of this story.
fn allowed(declared: &Value, field: &str) -> Vec<&'static str> {
    match (declared["kind"].as_str().unwrap_or_default(), field) {
        ("Namespace", "labels") => vec!["kubernetes.io/metadata.name"],
        ("Deployment", "annotations") => vec!["deployment.kubernetes.io/revision"],
        ("DaemonSet", "annotations") => vec!["deprecated.daemonset.template.generation"],
        _ => Vec::new(),
    }
}

/// `stringData` is written and never read back.
fn decode_string_data(object: &mut Value) {
    use base64::Engine;
    let Some(Value::Object(plain)) = object.get_mut("stringData").map(Value::take) else { return };
    if let Some(fields) = object.as_object_mut() {
        fields.remove("stringData");
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        for (key, value) in plain {
            let text = value.as_str().unwrap_or_default();
            data[key] = base64::engine::general_purpose::STANDARD.encode(text).into();
        }
    }
}

struct Compare<'a> {
    name: &'a str,
    differences: &'a mut Vec<String>,
}

impl Compare<'_> {
    fn differs(&mut self, path: &str, declared: &Value, live: &Value) {
        let short = |v: &Value| v.to_string().chars().take(200).collect::<String>();
        self.differences.push(format!("{} {path}: Git {}, cluster {}", self.name, short(declared), short(live)));
    }

    /// Every declared field is there with the declared value; lists are the same element by element.
    fn holds(&mut self, declared: &Value, live: &Value, path: &str) {
        match (declared, live) {
            (Value::Object(d), Value::Object(l)) => {
                for (field, value) in d.iter().filter(|(f, _)| !(path.is_empty() && *f == "status")) {
                    self.holds(value, l.get(field).unwrap_or(&Value::Null), &format!("{path}.{field}"));
                }
            }
            (Value::Array(d), Value::Array(l)) if d.len() == l.len() => {
                for (i, (d, l)) in d.iter().zip(l).enumerate() {
                    self.holds(d, l, &format!("{path}[{i}]"));
                }
            }
            (d, l) if d == l || (is_empty(d) && is_empty(l)) || same_amount(d, l) => {}
            (d, l) => self.differs(path, d, l),
        }
    }

    fn nothing_more(&mut self, declared: &Map<String, Value>, live: &Map<String, Value>, allowed: &[&str], path: &str) {
        for (key, value) in live.iter().filter(|(k, _)| !declared.contains_key(*k) && !allowed.contains(&k.as_str())) {
            self.differs(&format!("{path}[{key}]"), &Value::Null, value);
        }
    }

    /// The fields that the API server fills in, and no others.
    fn containers(&mut self, declared: &Value, live: &Value) {
        const DEFAULTED: [&str; 4] =
            ["imagePullPolicy", "resources", "terminationMessagePath", "terminationMessagePolicy"];
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let of = |o: &Value| o[list].as_array().cloned().unwrap_or_default();
            let (declared, live) = (of(declared), of(live));
            if declared.len() != live.len() {
                self.differs(list, &Value::Array(declared.clone()), &Value::Array(live.clone()));
            }
            for (d, l) in declared.iter().zip(&live) {
                if let (Some(d), Some(l)) = (d.as_object(), l.as_object()) {
                    self.nothing_more(d, l, &DEFAULTED, list);
                }
            }
        }
    }
}

/// What the API server does not store: empty, or false, which stands for unset.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Quantities are stored in another form than they are written in.
fn same_amount(a: &Value, b: &Value) -> bool {
    matches!((amount(a), amount(b)), (Some(a), Some(b)) if (a - b).abs() <= a.abs() * 1e-12)
}

fn amount(value: &Value) -> Option<f64> {
    if let Value::Number(number) = value {
        return number.as_f64();
    }
    let text = value.as_str()?;
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let scale = match &text[end..] {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(text[..end].parse::<f64>().ok()? * scale)
}
