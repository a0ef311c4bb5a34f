//! The edits that somebody with all rights tries behind Git's back.

use serde_json::Value;

use super::fleet::{Fleet, WEB, place};
use super::sight::Target;

/// One edit with `kubectl`.
pub(super) struct Edit {
    /// What it is, in a few words.
    pub(super) what: &'static str,
    /// The arguments of `kubectl`.
    pub(super) arguments: Vec<String>,
    /// The object that it is about.
    pub(super) target: Target,
    /// Whether the object is as the edit wants it.
    pub(super) is_in: fn(Option<&Value>) -> bool,
    /// What a denial has to name: what was touched, what Git declares, and where.
    pub(super) denial_names: Vec<String>,
}

impl Edit {
    /// The arguments as a slice of text.
    pub(super) fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }
}

const HOTFIX: &str = "registry.example.org/shop/web:1.4.3-hotfix";
const MINER: &str = r#"[{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"miner","image":"example.org/miner:1"}}]"#;

/// All edits; `web` is the text of the manifest that most of them go against.
pub(super) fn edits(fleet: Fleet, web: &str) -> Vec<Edit> {
    let shop = fleet.shop();
    let edit = |what,
                command: &[&str],
                (api_version, kind, name): (&'static str, &'static str, &str),
                is_in,
                names: &[Option<String>]| Edit {
        what,
        arguments: ["-n", shop].iter().chain(command).map(|&argument| argument.to_owned()).collect(),
        target: Target { api_version, kind, namespace: shop.to_owned(), name: name.to_owned() },
        is_in,
        // A line that is not found leaves a name that no denial has.
        denial_names: names.iter().map(|name| name.clone().unwrap_or_else(|| "(no such line)".to_owned())).collect(),
    };
    let deployment = ("apps/v1", "Deployment", "web");
    let at = |after: &str, needle: &str| place(WEB, web, after, needle);
    let says = |text: &str| Some(text.to_owned());
    vec![
        edit(
            "another image",
            &["set", "image", "deployment/web", &format!("web={HOTFIX}")],
            deployment,
            |object| containers(object).iter().any(|c| c["image"] == HOTFIX),
            &[says("containers[name=web].image"), says("shop/web:1.4.2"), at("kind: Deployment", "image: ")],
        ),
        edit(
            "a container more",
            &["patch", "deployment", "web", "--type=json", "-p", MINER],
            deployment,
            |object| containers(object).iter().any(|c| c["name"] == "miner"),
            &[says("containers[name=miner]"), at("kind: Deployment", "containers:")],
        ),
        edit(
            "a label more",
            &["label", "configmap/web", "owner=me"],
            ("v1", "ConfigMap", "web"),
            |object| object.is_some_and(|o| o["metadata"]["labels"]["owner"] == "me"),
            &[says("metadata.labels.owner"), at("kind: ConfigMap", "metadata:")],
        ),
        edit(
            "more replicas",
            &["scale", "deployment/web", "--replicas=7"],
            deployment,
            |object| object.is_some_and(|o| o["spec"]["replicas"] == 7),
            &[says("spec.replicas: Git declares 2"), at("kind: Deployment", "replicas: ")],
        ),
        edit(
            "a declared object deleted",
            &["delete", "ingress/web"],
            ("networking.k8s.io/v1", "Ingress", "web"),
            |object| object.is_none(),
            &[says("Ingress/web"), at("apiVersion: networking.k8s.io", "apiVersion: ")],
        ),
        edit(
            "a new object that Git does not know",
            &["create", "configmap", "backdoor", "--from-literal=open=sesame"],
            ("v1", "ConfigMap", "backdoor"),
            |object| object.is_some(),
            &[says("backdoor")],
        ),
    ]
}

fn containers(deployment: Option<&Value>) -> &[Value] {
    let containers = deployment.and_then(|d| d.pointer("/spec/template/spec/containers")).and_then(Value::as_array);
    containers.map_or(&[], Vec::as_slice)
}
