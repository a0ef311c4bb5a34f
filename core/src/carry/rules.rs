//! The table itself: which rules there are for which kind, each with a name that people are told.

use serde_json::Value;

use super::{CREATE_ONLY, Subject, from_record, metadata, network, rbac, storage, workload};
use crate::created;
use crate::derived::Context;
use crate::object::ObjectKey;

/// Whose a field is that a rule carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// What is proven is proven, whoever writes it: the API server does with any write, or it says no
    /// more than is known.
    Anybody,
    /// What it says is its writer's choice or observation. At admission that writer is known, and the
    /// rules of derived objects ask for it.
    ItsWriter,
}

/// One rule.
pub(super) struct Rule {
    /// What it is about.
    pub(super) name: &'static str,
    /// Who may set what it carries.
    pub(super) by: By,
    /// Carries what it proves.
    pub(super) carries: fn(&mut Value, &Subject<'_>, &Context<'_>),
}

const fn rule(name: &'static str, carries: fn(&mut Value, &Subject<'_>, &Context<'_>)) -> Rule {
    Rule { name, by: By::Anybody, carries }
}

const fn its_writers(name: &'static str, carries: fn(&mut Value, &Subject<'_>, &Context<'_>)) -> Rule {
    Rule { by: By::ItsWriter, ..rule(name, carries) }
}

/// Rules of every kind.
const ALWAYS: [Rule; 2] = [its_writers("finalizers", metadata::finalizers), rule("creation", creation)];

const SERVICE: [Rule; 1] = [rule("service-addresses", |t, s, _| network::service(t, s))];
const INGRESS: [Rule; 1] = [rule("ingress-class", |t, s, _| network::ingress(t, s))];
const CLAIM: [Rule; 1] = [its_writers("claim-binding", storage::claim)];
const VOLUME: [Rule; 1] = [its_writers("volume-binding", storage::volume)];
const DEPLOYMENT: [Rule; 2] = [rule("revision", workload::revision), AUTOSCALED];
const SCALED: [Rule; 1] = [AUTOSCALED];
const AUTOSCALED: Rule = rule("autoscaled-replicas", workload::autoscaled_replicas);
const DAEMON_SET: [Rule; 1] = [rule("template-generation", |t, s, _| workload::template_generation(t, s))];
const JOB: [Rule; 1] = [rule("job-selector", |t, s, _| workload::job_selector(t, s))];
const POD: [Rule; 1] = [rule("pod-admission", workload::pod)];
const NAMESPACE: [Rule; 1] = [rule("namespace-finalizers", |t, s, _| from_record(t, s, &["spec", "finalizers"]))];
const REQUEST: [Rule; 1] = [rule("csr-spec", |t, s, _| from_record(t, s, &["spec"]))];
const CLUSTER_ROLE: [Rule; 1] = [rule("aggregated-rules", rbac::aggregated_rules)];
const SECRET: [Rule; 1] = [its_writers("account-token", rbac::account_token)];

/// The rules for an object, in their order.
pub(super) fn of(key: &ObjectKey) -> impl Iterator<Item = &'static Rule> {
    let own: &'static [Rule] = match (key.group.as_str(), key.kind.as_str()) {
        ("", "Service") => &SERVICE,
        ("networking.k8s.io", "Ingress") => &INGRESS,
        ("", "PersistentVolumeClaim") => &CLAIM,
        ("", "PersistentVolume") => &VOLUME,
        ("apps", "Deployment") => &DEPLOYMENT,
        ("apps", "StatefulSet" | "ReplicaSet") | ("", "ReplicationController") => &SCALED,
        ("apps", "DaemonSet") => &DAEMON_SET,
        ("batch", "Job") => &JOB,
        ("", "Pod") => &POD,
        ("", "Namespace") => &NAMESPACE,
        ("certificates.k8s.io", "CertificateSigningRequest") => &REQUEST,
        ("rbac.authorization.k8s.io", "ClusterRole") => &CLUSTER_ROLE,
        ("", "Secret") => &SECRET,
        _ => &[],
    };
    ALWAYS.iter().chain(own)
}

/// What was set at the object's creation alone.
fn creation(target: &mut Value, subject: &Subject<'_>, _context: &Context<'_>) {
    if let Some(created) = subject.recorded(&[CREATE_ONLY]) {
        created::lay_over(target, subject.declared, created);
    }
}
