//! Reading and editing live objects as a cluster administrator.

use std::collections::HashMap;

use gitward_test_cluster::Stage;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::Mutex;

pub(crate) struct Live {
    client: Client,
    kinds: Mutex<HashMap<GroupVersionKind, (kube::core::ApiResource, Scope)>>,
}

impl Live {
    pub(crate) async fn of(stage: &Stage) -> Result<Self, String> {
        let client = stage.cluster.client().await.map_err(|e| e.to_string())?;
        Ok(Self { client, kinds: Mutex::default() })
    }

    async fn api(&self, api_version: &str, kind: &str, namespace: &str) -> Result<Api<DynamicObject>, String> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let mut kinds = self.kinds.lock().await;
        if !kinds.contains_key(&gvk) {
            let (resource, capabilities) = pinned_kind(&self.client, &gvk).await.map_err(|e| e.to_string())?;
            kinds.insert(gvk.clone(), (resource, capabilities.scope));
        }
        let (resource, scope) = &kinds[&gvk];
        Ok(match scope {
            Scope::Cluster => Api::all_with(self.client.clone(), resource),
            Scope::Namespaced => Api::namespaced_with(self.client.clone(), namespace, resource),
        })
    }

    async fn api_of(&self, object: &Value) -> Result<(Api<DynamicObject>, String), String> {
        let field = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (field(&object["apiVersion"]), field(&object["kind"]));
        let api = self.api(&version, &kind, &field(&object["metadata"]["namespace"])).await?;
        Ok((api, field(&object["metadata"]["name"])))
    }

    pub(crate) async fn exists(&self, version: &str, kind: &str, namespace: &str, name: &str) -> Result<(), String> {
        self.api(version, kind, namespace).await?.get(name).await.map(|_| ()).map_err(|e| e.to_string())
    }

    /// The live object of a declared one.
    pub(crate) async fn get(&self, object: &Value) -> Result<Value, String> {
        let (api, name) = self.api_of(object).await?;
        let found = api.get(&name).await.map_err(|e| e.to_string())?;
        serde_json::to_value(found).map_err(|e| e.to_string())
    }

    /// Merges `patch` into the live object.
    pub(crate) async fn edit(&self, object: &Value, patch: &Value) -> Result<(), String> {
        let (api, name) = self.api_of(object).await?;
        let by_hand = PatchParams { field_manager: Some("by-hand".to_owned()), ..PatchParams::default() };
        api.patch(&name, &by_hand, &Patch::Merge(patch)).await.map(|_| ()).map_err(|e| e.to_string())
    }
}
