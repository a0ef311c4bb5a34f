//! How the environments of a cluster stand, by what they say of themselves and by Events.

use std::collections::BTreeMap;

use gitward_index::environment::{Condition, Environment};
use gitward_index::trouble::says;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde::Serialize;

use crate::sight::{chosen, environments};
use crate::{Counts, Result};

/// The environments, and what was left alone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct States {
    /// The environments.
    pub environments: Vec<EnvironmentState>,
    /// What differs from Git and was left as it is, as far as Events still say so (an hour, unless the
    /// API server keeps them longer).
    pub left_alone: Vec<LeftAlone>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// One environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentState {
    /// Its name.
    pub name: String,
    /// Where its commits come from.
    pub repository: String,
    /// By which ref.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// The commit that the cluster was last brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Objects that it declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<i64>,
    /// When it took over its namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<String>,
    /// Its conditions, in the order in which things come.
    pub conditions: Vec<Condition>,
    /// How its objects stand, where that was asked for and could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Why it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncounted: Option<String>,
}

/// Something that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftAlone {
    /// When that was told last.
    pub time: Option<Timestamp>,
    /// What and why.
    pub message: String,
}

/// The conditions that have to be `True` for an environment to be well.
const VITAL: [&str; 3] = ["CommitUsable", "Converged", "Ready"];

/// The order in which conditions are told.
const ORDER: [&str; 6] = ["CommitUsable", "Converged", "Ready", "Valid", "Guarded", "BreakGlass"];

impl EnvironmentState {
    /// Whether its commit can be used, the cluster was brought to it, what it declares runs, and, where
    /// that was counted, nothing differs.
    pub fn is_well(&self) -> bool {
        let is_as_git = self.counts.as_ref().is_none_or(Counts::is_as_git);
        is_as_git && VITAL.iter().all(|kind| self.conditions.iter().any(|c| c.type_ == *kind && c.status == "True"))
    }

    fn of(environment: Environment) -> Self {
        let name = environment.name_any();
        let (spec, status) = (environment.spec, environment.status.unwrap_or_default());
        let mut conditions = status.conditions;
        let rank = |c: &Condition| ORDER.iter().position(|kind| *kind == c.type_).unwrap_or(ORDER.len());
        conditions.sort_by_key(rank);
        Self {
            name,
            repository: spec.repository,
            git_ref: spec.git_ref,
            commit: status.commit,
            objects: status.objects,
            adopted_at: status.adopted_at,
            conditions,
            counts: None,
            uncounted: None,
        }
    }
}

/// How the environments stand, or the one of that name.
///
/// # Errors
/// The Environments cannot be read, or there is none (of that name).
pub async fn states(client: &Client, name: Option<&str>) -> Result<States> {
    let mut all = environments(client).await?;
    if name.is_some() || all.is_empty() {
        all = vec![chosen(all, name)?];
    }
    all.sort_by_key(ResourceExt::name_any);
    let told = ListParams::default().fields("reason=LeftAlone");
    let (left_alone, unread) = match Api::<Event>::all(client.clone()).list(&told).await {
        Ok(events) => (left_alone(events.items), None),
        Err(error) => (Vec::new(), Some(says(&error))),
    };
    Ok(States { environments: all.into_iter().map(EnvironmentState::of).collect(), left_alone, unread })
}

/// What gitward's own Events say, each message once.
fn left_alone(events: Vec<Event>) -> Vec<LeftAlone> {
    let own = |event: &Event| event.source.as_ref().and_then(|s| s.component.as_deref()) == Some("gitward");
    let mut latest: BTreeMap<String, Option<Timestamp>> = BTreeMap::new();
    for event in events.into_iter().filter(own) {
        let time = event.last_timestamp.map(|t| t.0);
        let before = latest.entry(event.message.unwrap_or_default()).or_default();
        *before = time.max(*before);
    }
    latest.into_iter().map(|(message, time)| LeftAlone { time, message }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_thing_left_alone_is_told_once_with_its_last_time() {
        let event = |component: &str, message: &str, time: &str| -> Event {
            serde_json::from_value(json!({"metadata": {}, "involvedObject": {}, "message": message,
                "source": {"component": component}, "lastTimestamp": time}))
            .unwrap()
        };
        let events = vec![
            event("gitward", "a", "2026-01-01T00:00:00Z"),
            event("gitward", "a", "2026-01-02T00:00:00Z"),
            event("kubelet", "b", "2026-01-02T00:00:00Z"),
        ];
        let time = "2026-01-02T00:00:00Z".parse().ok();
        assert_eq!(left_alone(events), [LeftAlone { time, message: "a".into() }]);
    }

    #[test]
    fn an_environment_is_well_when_its_commit_runs() {
        let state = |conditions: Value| {
            let environment = json!({"apiVersion": "gitward.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "prod"},
                "spec": {"repository": "r", "ref": "refs/heads/main"}, "status": {"conditions": conditions}});
            EnvironmentState::of(serde_json::from_value(environment).unwrap())
        };
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": "x", "lastTransitionTime": "t"});
        let mut all =
            vec![condition("Guarded", "False"), condition("Ready", "True"), condition("CommitUsable", "True")];
        assert!(!state(json!(all)).is_well());
        all.push(condition("Converged", "True"));
        let mut state = state(json!(all));
        assert!(state.is_well());
        state.counts = Some(Counts { missing: 1, ..Counts::default() });
        assert!(!state.is_well());
        let order: Vec<&str> = state.conditions.iter().map(|c| c.type_.as_str()).collect();
        assert_eq!(order, ["CommitUsable", "Converged", "Ready", "Guarded"]);
    }
}
