//! Where learnt additions are published in the cluster: ConfigMaps in gitward's own namespace, one
//! a shard, that only the leader may write.

use gitward_core::additions::Additions;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;
use kube::{Api, Client};
use serde_json::Value;

/// gitward's own namespace.
pub const NAMESPACE: &str = "gitward-system";

/// Label that names the environment a published shard belongs to.
pub const LABEL: &str = "gitward.dev/environment";

/// Key of the shard's JSON in the ConfigMap's data.
pub const KEY: &str = "entries.json";

/// Annotation of a shard that names the commit it was published for: the one that the cluster is held
/// to.
pub const COMMIT: &str = "gitward.dev/commit";

/// Name of the ConfigMap that holds a shard.
pub fn config_map_name(environment: &str, shard: u8) -> String {
    format!("additions-{environment}-{shard}")
}

/// The shard that a ConfigMap's name stands for; `None` if it is no shard of the environment.
pub fn shard_of_name(environment: &str, name: &str) -> Option<u8> {
    let digits = name.strip_prefix("additions-")?.strip_prefix(environment)?.strip_prefix('-')?;
    let shard: u8 = digits.parse().ok()?;
    (config_map_name(environment, shard) == name).then_some(shard)
}

/// The shard's JSON in a ConfigMap.
pub fn entries(config_map: &Value) -> Option<&str> {
    config_map.get("data")?.get(KEY)?.as_str()
}

/// Everything that was published last for an environment.
///
/// # Errors
/// The API server could not be asked. A shard that cannot be read is left out: of its objects
/// nothing is known then.
pub async fn load(client: &Client, environment: &str) -> Result<Additions, kube::Error> {
    let labelled = ListParams::default().labels(&format!("{LABEL}={environment}"));
    let mut additions = Additions::default();
    for map in Api::<ConfigMap>::namespaced(client.clone(), NAMESPACE).list(&labelled).await? {
        let name = map.metadata.name.unwrap_or_default();
        let entries = map.data.unwrap_or_default().remove(KEY);
        if let (Some(shard), Some(entries)) = (shard_of_name(environment, &name), entries)
            && let Err(error) = additions.load_shard(shard, &entries)
        {
            tracing::warn!(%name, %error, "a published shard cannot be read");
        }
    }
    Ok(additions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_told_by_its_name() {
        assert_eq!(shard_of_name("prod", &config_map_name("prod", 7)), Some(7));
        for other in ["additions-prod-eu-7", "additions-prod-07", "additions-prod-300", "additions-dev-7", "x"] {
            assert_eq!(shard_of_name("prod", other), None, "{other}");
        }
    }
}
