//! What a simulated node needs in the cluster before its program starts.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Lets simulated nodes read nodes and leases. They act as kubelets do, with a kubelet's rights; but
/// a kubelet reads no node but its own and lists no leases, as kwok does.
const READERS: &str = "gitward:simulated-nodes";
const GROUP: &str = "rbac.authorization.k8s.io";

/// Registers the node, as a kubelet does before all else, and lets it read what kwok reads.
pub(crate) async fn register(client: &Client, name: &str) -> Result<()> {
    create(client, &role()).await?;
    create(client, &binding()).await?;
    let mut metadata = named(name);
    let labels = [("kubernetes.io/hostname", name), ("kubernetes.io/os", "linux")];
    metadata.labels = Some(labels.map(|(label, value)| (label.to_owned(), value.to_owned())).into());
    create(client, &Node { metadata, ..Node::default() }).await
}

fn role() -> ClusterRole {
    let strings = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let read = |group: &str, resource: &str| PolicyRule {
        api_groups: Some(strings(&[group])),
        resources: Some(strings(&[resource])),
        verbs: strings(&["get", "list", "watch"]),
        ..PolicyRule::default()
    };
    let rules = vec![read("", "nodes"), read("coordination.k8s.io", "leases")];
    ClusterRole { metadata: named(READERS), rules: Some(rules), ..ClusterRole::default() }
}

fn binding() -> ClusterRoleBinding {
    let subject = Subject {
        api_group: Some(GROUP.into()),
        kind: "Group".into(),
        name: "system:nodes".into(),
        ..Subject::default()
    };
    let role_ref = RoleRef { api_group: Some(GROUP.into()), kind: "ClusterRole".into(), name: READERS.into() };
    ClusterRoleBinding { metadata: named(READERS), role_ref, subjects: Some(vec![subject]) }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// Creates an object; one that is there stays as it is.
async fn create<K>(client: &Client, object: &K) -> Result<()>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    match Api::<K>::all(client.clone()).create(&PostParams::default(), object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(Error::kube(format!("create the {} of a simulated node", K::kind(&())))(error)),
    }
}
