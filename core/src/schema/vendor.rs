//! Schemas of custom resources to keep in a repository, out of what people have of them: CRDs, the
//! OpenAPI documents of an API server, JSON schemas.

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::manifest::{self, Limits};

/// Steps that references between the types of a document are followed.
const MOST_DEPTH: usize = 40;

/// Parts of one schema once all references are followed.
const MOST_PARTS: usize = 200_000;

/// Why nothing can be made of a text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("it is no YAML or JSON: {0}")]
    Unreadable(String),
    /// It holds neither a CRD nor a schema.
    #[error("it holds no CustomResourceDefinition, no OpenAPI document with kinds, and no JSON schema")]
    Nothing,
    /// A JSON schema does not say of which kind it is.
    #[error("a JSON schema does not say which kind it is of")]
    NoKind,
    /// Its types refer to each other without end.
    #[error("its types refer to each other too deeply, or are too large")]
    TooLarge,
}

/// What a JSON schema does not say of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindName {
    /// API group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

/// The CRDs that a text holds or amounts to. `kind` says of which kind a JSON schema is.
///
/// # Errors
/// If nothing can be made of it.
pub fn crds(text: &[u8], kind: Option<&KindName>) -> Result<Vec<Value>, Unusable> {
    let (documents, problems) = manifest::documents(text, &Limits::default());
    if let Some(problem) = problems.first() {
        return Err(Unusable::Unreadable(problem.to_string()));
    }
    let mut found = Vec::new();
    for document in &documents {
        let value = &document.value;
        let items = value["items"].as_array().filter(|_| value["kind"].as_str().is_some_and(|k| k.ends_with("List")));
        match items {
            Some(items) => found.extend(items.iter().filter(|i| is_crd(i)).map(trimmed)),
            None if is_crd(value) => found.push(trimmed(value)),
            None if value["components"]["schemas"].is_object() => found.extend(of_openapi(value)?),
            None if value["properties"].is_object() && value.get("kind").is_none() => {
                let kind = kind.ok_or(Unusable::NoKind)?;
                let schema = Inliner { schemas: &Map::new(), parts: 0 }.schema(value, 0)?;
                found.push(crd(kind, &format!("{}s", kind.kind.to_lowercase()), schema));
            }
            None => {}
        }
    }
    if found.is_empty() { Err(Unusable::Nothing) } else { Ok(found) }
}

fn is_crd(value: &Value) -> bool {
    value["kind"] == "CustomResourceDefinition" && value["apiVersion"] == "apiextensions.k8s.io/v1"
}

/// Without what only a cluster says of it.
fn trimmed(crd: &Value) -> Value {
    let mut crd = crd.clone();
    if let Some(fields) = crd.as_object_mut() {
        fields.remove("status");
        let name = fields.get("metadata").and_then(|m| m.get("name")).cloned().unwrap_or_default();
        fields.insert("metadata".to_owned(), json!({ "name": name }));
    }
    crd
}

fn crd(kind: &KindName, plural: &str, schema: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{}", kind.group)},
        "spec": {
            "group": kind.group,
            "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
            "names": {"kind": kind.kind, "plural": plural},
            "versions": [{"name": kind.version, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

/// The kinds of an OpenAPI v3 document, as `kubectl get --raw /openapi/v3/apis/GROUP/VERSION` gives it.
fn of_openapi(document: &Value) -> Result<Vec<Value>, Unusable> {
    let Some(schemas) = document["components"]["schemas"].as_object() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        // `/apis/GROUP/VERSION/[namespaces/{namespace}/]PLURAL`: where one is created.
        let gvk = &operations["post"]["x-kubernetes-group-version-kind"];
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (namespaced, plural) = match parts[..] {
            ["apis", _, _, plural] => (false, plural),
            ["apis", _, _, "namespaces", "{namespace}", plural] => (true, plural),
            _ => continue,
        };
        let text = |field: &str| gvk[field].as_str().unwrap_or_default().to_owned();
        let kind = KindName { group: text("group"), version: text("version"), kind: text("kind"), namespaced };
        let of_kind = |schema: &&Value| {
            schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|kinds| kinds.contains(gvk))
        };
        let Some(schema) = schemas.values().find(of_kind) else { continue };
        let schema = Inliner { schemas, parts: 0 }.schema(schema, 0)?;
        found.push(crd(&kind, plural, schema));
    }
    Ok(found)
}

/// Puts types in place of references to them, and leaves out what no CRD says.
struct Inliner<'a> {
    schemas: &'a Map<String, Value>,
    parts: usize,
}

impl Inliner<'_> {
    fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value, Unusable> {
        self.parts += 1;
        if depth > MOST_DEPTH || self.parts > MOST_PARTS {
            return Err(Unusable::TooLarge);
        }
        let Some(fields) = schema.as_object() else { return Ok(schema.clone()) };
        if let Some(target) = reference(schema) {
            let name = target.rsplit('/').next().unwrap_or_default();
            // What every object has is Kubernetes' own to check.
            return match self.schemas.get(name).filter(|_| !name.ends_with(".ObjectMeta")) {
                Some(target) => self.schema(target, depth + 1),
                None => Ok(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})),
            };
        }
        let mut written = Map::new();
        for (name, value) in fields {
            let value = match (name.as_str(), value) {
                ("$schema" | "$id" | "x-kubernetes-group-version-kind" | "description", _) => continue,
                ("properties", Value::Object(properties)) => {
                    let mut inlined = Map::new();
                    for (name, property) in properties {
                        inlined.insert(name.clone(), self.schema(property, depth + 1)?);
                    }
                    inlined.into()
                }
                ("items" | "additionalProperties" | "not", Value::Object(_)) => self.schema(value, depth + 1)?,
                // CRDs take `false` for the same as nothing.
                ("additionalProperties", Value::Bool(false)) => continue,
                ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                    let list: Result<Vec<Value>, Unusable> = list.iter().map(|s| self.schema(s, depth + 1)).collect();
                    list?.into()
                }
                // JSON schemas allow null beside a type, which CRDs write as `nullable`.
                ("type", Value::Array(types)) => {
                    if types.contains(&json!("null")) {
                        written.insert("nullable".to_owned(), true.into());
                    }
                    types.iter().find(|t| **t != "null").cloned().unwrap_or_default()
                }
                _ => value.clone(),
            };
            written.insert(name.clone(), value);
        }
        if written.get("format").is_some_and(|f| f == "int-or-string") {
            return Ok(json!({"x-kubernetes-int-or-string": true}));
        }
        Ok(written.into())
    }
}

/// What a schema refers to: directly, or as the one part of an `allOf`.
fn reference(schema: &Value) -> Option<&str> {
    let one = schema["allOf"].as_array().filter(|list| list.len() == 1).and_then(|list| list.first());
    schema["$ref"].as_str().or_else(|| one?["$ref"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::schema::Schemas;

    fn read(value: &Value) -> Manifest {
        let text = value.to_string();
        let (mut manifests, findings) = manifest::read(&"x.yaml".into(), text.as_bytes(), &Limits::default());
        assert_eq!(findings, []);
        manifests.remove(0)
    }

    /// What is found in an object by the one CRD.
    fn found(crds: &[Value], object: &Value) -> Vec<String> {
        let manifests: Vec<Manifest> = crds.iter().map(read).collect();
        let newest = Schemas::builtin("1.36").unwrap();
        let (schemas, problems) = newest.with_crds(manifests.iter());
        assert_eq!(problems, []);
        manifests.iter().for_each(|crd| assert_eq!(schemas.check(crd), []));
        schemas.check(&read(object)).into_iter().map(|f| f.message).collect()
    }

    fn widget(size: Value) -> Value {
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"},
            "spec": {"size": size}})
    }

    const WRONG: &str = "`spec.size` must be a whole number, not a string";

    #[test]
    fn a_crd_is_kept_without_what_its_cluster_said() {
        let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.org\n  \
                   uid: x\nspec:\n  group: example.org\n  names: {kind: Widget, plural: widgets}\n  scope: Namespaced\n  versions:\n  \
                   - name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object, properties: {spec: \
                   {type: object, properties: {size: {type: integer}}}}}}\nstatus: {conditions: []}\n";
        let both = format!("kind: ConfigMap\n---\n{crd}");
        let crds = crds(both.as_bytes(), None).unwrap();
        assert_eq!((crds.len(), &crds[0]["metadata"]), (1, &json!({"name": "widgets.example.org"})));
        assert!(crds[0].get("status").is_none());
        assert_eq!(found(&crds, &widget(json!("big"))), [WRONG]);
        assert_eq!(found(&crds, &widget(json!(1))), [""; 0]);
    }

    #[test]
    fn an_openapi_document_gives_its_kinds() {
        let gvk = json!({"group": "example.org", "version": "v1", "kind": "Widget"});
        let document = json!({
            "paths": {
                "/apis/example.org/v1/widgets": {"get": {}},
                "/apis/example.org/v1/namespaces/{namespace}/widgets": {"post": {"x-kubernetes-group-version-kind": gvk}},
            },
            "components": {"schemas": {
                "org.example.v1.Widget": {
                    "type": "object", "x-kubernetes-group-version-kind": [gvk],
                    "properties": {
                        "metadata": {"allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}]},
                        "spec": {"$ref": "#/components/schemas/org.example.v1.Spec"},
                    },
                },
                "org.example.v1.Spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
            }},
        });
        let crds = crds(document.to_string().as_bytes(), None).unwrap();
        assert_eq!(crds[0]["metadata"]["name"], "widgets.example.org");
        assert_eq!(found(&crds, &widget(json!("big"))), [WRONG]);
        assert_eq!(found(&crds, &widget(json!(1))), [""; 0]);
    }

    #[test]
    fn a_json_schema_needs_the_name_of_its_kind() {
        let schema = json!({"type": "object", "properties": {"apiVersion": {"type": "string"}, "spec": {"type": ["object", "null"],
            "additionalProperties": false, "properties": {"size": {"type": "integer"}}}}})
        .to_string();
        assert_eq!(crds(schema.as_bytes(), None), Err(Unusable::NoKind));
        let kind =
            KindName { group: "example.org".into(), version: "v1".into(), kind: "Widget".into(), namespaced: true };
        let crds = crds(schema.as_bytes(), Some(&kind)).unwrap();
        assert_eq!(found(&crds, &widget(json!("big"))), [WRONG]);
    }

    #[test]
    fn what_is_none_of_these_is_said_to_be() {
        assert_eq!(crds(b"kind: ConfigMap\n", None), Err(Unusable::Nothing));
        assert!(matches!(crds(b"a: [", None), Err(Unusable::Unreadable(_))));
        let endless = json!({
            "paths": {"/apis/a.b/v1/as": {"post": {"x-kubernetes-group-version-kind": {"kind": "A"}}}},
            "components": {"schemas": {"A": {"x-kubernetes-group-version-kind": [{"kind": "A"}], "properties": {"a": {"$ref": "#/A"}, "b": {"$ref": "#/A"}}}}},
        });
        assert_eq!(crds(endless.to_string().as_bytes(), None), Err(Unusable::TooLarge));
    }
}
