//! Namespaces, kinds, roles and devices that come and go through Git.

use serde_json::Value;

use super::manifests::{config_map, deployment, image};
use super::scene::Scene;

pub(super) async fn namespace(scene: Scene<'_>) {
    let all = "{apiVersion: v1, kind: Namespace, metadata: {name: born}}\n".to_owned()
        + &config_map("born", "note", "yes")
        + "---\n"
        + &deployment("born", "life").replicas(2).text();
    for _ in 0..2 {
        scene.declare("all", &all).await;
        scene.runs("life", &image(1), 2).await;
        let number = scene.declare_all(&[("all", None)]).await;
        scene.theatre.converged(number).await;
        scene.until("the namespace is gone", "namespace/born", Value::is_null).await;
    }
}

fn definition(second: bool) -> String {
    let version = |name: &str, storage: bool, field: &str| {
        format!(
            "{{name: {name}, served: true, storage: {storage}, schema: {{openAPIV3Schema: {{type: object, properties: \
             {{spec: {{type: object, properties: {{size: {{type: integer, default: 1}}{field}}}}}}}}}}}}}"
        )
    };
    let versions = match second {
        false => version("v1", true, ""),
        true => {
            let field = ", colour: {type: string, default: red}";
            format!("{}, {}", version("v1", false, field), version("v2", true, field))
        }
    };
    format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: \
         widgets.stories.example.org}}, spec: {{group: stories.example.org, scope: Namespaced, names: {{kind: Widget, \
         plural: widgets}}, versions: [{versions}]}}}}\n"
    )
}

fn widget(version: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: stories.example.org/{version}, kind: Widget, metadata: {{name: one, namespace: kinds}}, spec: {{{spec}}}}}\n"
    )
}

pub(super) async fn definition_of_widgets(scene: Scene<'_>) {
    let (old, new) = (definition(false), definition(true));
    let (one, two) = (widget("v1", "size: 2"), widget("v2", "size: 3, colour: blue"));
    // The kind and the first of its kind in one commit.
    scene.declare_all(&[("definition", Some(&old)), ("widget", Some(&one))]).await;
    scene.until("there is a widget", "widget/one", |w| w["spec"]["size"] == 2).await;
    let number = scene.declare("definition", &new).await;
    scene.until("it has the new default", "widget/one", |w| w["spec"]["colour"] == "red").await;
    scene.theatre.converged(number).await;
    scene.declare("widget", &two).await;
    scene.until("it is of the new version", "widget2/one", |w| w["spec"]["colour"] == "blue").await;
    scene.quiet().await;
    let number = scene.declare_all(&[("definition", None), ("widget", None)]).await;
    scene.until("the kind is gone", "crd/widgets.stories.example.org", Value::is_null).await;
    scene.theatre.converged(number).await;
}

fn role(name: &str, resource: &str, label: &str) -> String {
    format!(
        "---\n{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}, labels: {{{label}: \
         'true'}}}}, rules: [{{apiGroups: [''], resources: [{resource}], verbs: [get]}}]}}\n"
    )
}

pub(super) async fn aggregated(scene: Scene<'_>) {
    const LABEL: &str = "example.org/in-whole";
    let whole = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: stories-whole}, \
                 aggregationRule: {clusterRoleSelectors: [{matchLabels: {example.org/in-whole: 'true'}}]}}\n";
    let has = |role: &Value, wanted: &[&str]| {
        let rules = role["rules"].as_array().cloned().unwrap_or_default();
        rules.len() == wanted.len() && wanted.iter().all(|w| rules.iter().any(|r| r["resources"][0] == *w))
    };
    let rounds: [(String, &[&str]); 4] = [
        (role("stories-a", "pods", LABEL), &["pods"]),
        (role("stories-a", "pods", LABEL) + &role("stories-b", "services", LABEL), &["pods", "services"]),
        (role("stories-a", "secrets", LABEL) + &role("stories-b", "services", LABEL), &["secrets", "services"]),
        (role("stories-b", "services", LABEL), &["services"]),
    ];
    for (roles, wanted) in rounds {
        scene.declare("roles", &format!("{whole}{roles}")).await;
        scene.until(&format!("it holds {wanted:?}"), "clusterrole/stories-whole", |r| has(r, wanted)).await;
    }
    // One of the API server's own takes it in.
    scene.declare("view", &role("stories-view", "nodes", "rbac.authorization.k8s.io/aggregate-to-view")).await;
    scene
        .until("those who view see it", "clusterrole/view", |r| {
            r["rules"].as_array().is_some_and(|rules| rules.iter().any(|r| r["resources"][0] == "nodes"))
        })
        .await;
    scene.declare_all(&[("view", None)]).await;
    scene
        .until("those who view see it no more", "clusterrole/view", |r| {
            r["rules"].as_array().is_some_and(|rules| rules.iter().all(|r| r["resources"][0] != "nodes"))
        })
        .await;
}

pub(super) async fn devices(scene: Scene<'_>) {
    let slice = "{apiVersion: resource.k8s.io/v1, kind: ResourceSlice, metadata: {name: node-0-gpus}, spec: {driver: \
                 gpu.example.org, nodeName: node-0, pool: {name: node-0, generation: 1, resourceSliceCount: 1}, devices: \
                 [{name: gpu-0}, {name: gpu-1}, {name: gpu-2}]}}";
    scene.theatre.stage.cluster.apply(slice).await.unwrap().checked().unwrap();
    let text = |version| {
        let app = deployment("claims", "trains").replicas(2).version(version);
        let app = app.pod("resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}]");
        app.container("resources: {claims: [{name: gpu}]}").text()
            + "---\n{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: gpu}, spec: {selectors: [{cel: \
               {expression: 'device.driver == \"gpu.example.org\"'}}]}}\n---\n{apiVersion: resource.k8s.io/v1, kind: \
               ResourceClaimTemplate, metadata: {name: gpu, namespace: claims}, spec: {metadata: {labels: {made: up}}, \
               spec: {devices: {requests: [{name: one, exactly: {deviceClassName: gpu}}]}}}}\n"
    };
    scene.declare("trains", &text(1)).await;
    scene.runs("trains", &image(1), 2).await;
    scene
        .until_all("two claims are allocated", "resourceclaim", "trains-", |claims| {
            claims.len() == 2 && claims.iter().all(|c| c["status"]["allocation"].is_object())
        })
        .await;
    scene.declare("trains", &text(2)).await;
    scene.runs("trains", &image(2), 2).await;
    scene.until_all("claims follow their Pods", "resourceclaim", "trains-", |claims| claims.len() == 2).await;
}
