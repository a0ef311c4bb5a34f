//! Aggregated roles, and the Secrets that hold a service account's token.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Subject, annotation, at, copy, map_entry, remove, set, str_at};
use crate::account_token::is_made_for;
use crate::change::same;
use crate::derived::{Context, aggregated};
use crate::object::{self, ObjectKey};
use crate::snapshot::Declared;

/// The rules of an aggregated role are the union of the roles that it selects, in the controller's
/// order: by name, each rule once. Just written, it has those that Git declares.
pub(super) fn aggregated_rules(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    let selectors = at(subject.declared, &["aggregationRule", "clusterRoleSelectors"]).and_then(Value::as_array);
    let Some(selectors) = selectors else { return };
    if same(
        at(subject.live, &["rules"]).unwrap_or(&Value::Null),
        at(subject.declared, &["rules"]).unwrap_or(&Value::Null),
    ) {
        return copy(target, subject.declared, &["rules"]);
    }
    let mut union: Vec<Value> = Vec::new();
    let roles = others(&subject.key.name, context);
    for selector in selectors {
        for role in roles.iter().filter(|r| aggregated(object::name(r), context) && selects(selector, r)) {
            for rule in role.get("rules").and_then(Value::as_array).into_iter().flatten() {
                if !union.iter().any(|u| same(u, rule)) {
                    union.push(rule.clone());
                }
            }
        }
    }
    set(target, &["rules"], Value::Array(union));
}

/// Roles that an aggregated one selects and that may bring nothing into it, by name: nobody judges what
/// they say.
pub fn strangers_selected(declared: &Declared, context: &Context<'_>) -> Vec<String> {
    let key = &declared.manifest.key;
    let selectors = at(&declared.canonical, &["aggregationRule", "clusterRoleSelectors"]).and_then(Value::as_array);
    let Some(selectors) = selectors.filter(|_| key.kind == "ClusterRole") else { return Vec::new() };
    let strange = |role: &Value| {
        !aggregated(object::name(role), context) && selectors.iter().any(|selector| selects(selector, role))
    };
    let roles = others(&key.name, context);
    roles.iter().filter(|role| strange(role)).map(|role| object::name(role).to_owned()).collect()
}

/// All roles but that one, by name.
fn others(name: &str, context: &Context<'_>) -> Vec<Arc<Value>> {
    let mut roles = context.live.list("rbac.authorization.k8s.io", "ClusterRole", "");
    roles.retain(|role| object::name(role) != name);
    roles.sort_by(|a, b| object::name(a).cmp(object::name(b)));
    roles
}

fn selects(selector: &Value, role: &Value) -> bool {
    let label = |key: &str| object::label(role, key);
    let by_labels = at(selector, &["matchLabels"])
        .and_then(Value::as_object)
        .is_none_or(|m| m.iter().all(|(k, v)| label(k) == v.as_str()));
    let expressions = at(selector, &["matchExpressions"]).and_then(Value::as_array);
    by_labels && expressions.is_none_or(|list| list.iter().all(|e| holds(e, &label)))
}

fn holds<'a>(expression: &Value, label: &impl Fn(&str) -> Option<&'a str>) -> bool {
    let Some(key) = expression.get("key").and_then(Value::as_str) else { return false };
    let among =
        |v: &str| expression.get("values").and_then(Value::as_array).is_some_and(|vs| vs.iter().any(|x| x == v));
    match expression.get("operator").and_then(Value::as_str) {
        Some("In") => label(key).is_some_and(among),
        Some("NotIn") => !label(key).is_some_and(among),
        Some("Exists") => label(key).is_some(),
        Some("DoesNotExist") => label(key).is_none(),
        _ => false,
    }
}

/// The token controller fills a declared Secret of this type: certificate, namespace, and a token
/// of the named account, made for this Secret.
pub(super) fn account_token(target: &mut Value, subject: &Subject<'_>, context: &Context<'_>) {
    if str_at(subject.declared, &["type"]) != Some("kubernetes.io/service-account-token") {
        return;
    }
    let namespace = &subject.key.namespace;
    let name = object::annotation(subject.declared, "kubernetes.io/service-account.name").unwrap_or_default();
    let account = context.live.get(&ObjectKey::new("", "ServiceAccount", namespace, name));
    annotation(target, subject, "kubernetes.io/service-account.uid", |v| {
        account.as_deref().is_some_and(|a| object::uid(a) == v)
    });
    map_entry(target, subject, "labels", "kubernetes.io/legacy-token-last-used", is_date);
    let root = context.live.get(&ObjectKey::new("", "ConfigMap", namespace, "kube-root-ca.crt"));
    let certificate = root.as_deref().and_then(|r| str_at(r, &["data", "ca.crt"])).map(|c| STANDARD.encode(c));
    let encoded_namespace = STANDARD.encode(namespace);
    for key in ["namespace", "ca.crt", "token"] {
        let path = ["data", key];
        if subject.declares(&path) {
            continue;
        }
        let proven = |value: &str| match key {
            "namespace" => value == encoded_namespace,
            "ca.crt" => certificate.as_deref() == Some(value),
            _ => account.as_deref().is_some_and(|a| is_made_for(value, &subject.key.name, namespace, a)),
        };
        match str_at(subject.live, &path) {
            Some(value) if proven(value) => set(target, &path, json!(value)),
            _ => remove(target, &path),
        }
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok()
}
