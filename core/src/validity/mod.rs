//! What the API server validates beyond the schema: in the built-in kinds, and in the metadata of all.
//!
//! One table says which rule looks at which objects. Nothing is found here that an API server of the versions
//! that gitward carries would take as new; where versions or feature gates differ, the mildest counts. Sources: `pkg/apis/*/validation` of Kubernetes,
//! `apimachinery/pkg/util/validation`, and `apiextensions-apiserver/pkg/apis/apiextensions/validation`.
//!
//! | rule | finds |
//! | --- | --- |
//! | `valid/label` | keys and values of labels and selectors, keys of annotations |
//! | `valid/name` | names of objects, containers, volumes, ports, variables and keys, hosts and paths |
//! | `valid/duplicate` | what may stand in a list once and stands there twice |
//! | `valid/missing` | what is needed and empty or not there: lists, fields, keys of Secrets, volumes that are mounted |
//! | `valid/value` | values of which the schema does not say what they may be |
//! | `valid/port` | numbers that are no port |
//! | `valid/selector` | workloads whose selector does not match their own template |
//! | `valid/restart-policy` | restart policies that a workload cannot have |
//! | `valid/bounds` | numbers out of their bounds, and fields that exclude each other |
//! | `valid/schedule` | schedules and time zones of CronJobs that cannot be read |
//! | `valid/cidr` | addresses and network ranges that cannot be read, or lie outside of what they are taken from |
//! | `valid/definition` | CustomResourceDefinitions without exactly one version that is stored |

mod alternatives;
mod autoscaling;
mod cidr;
mod containers;
mod definition;
mod formats;
mod forms;
mod jobs;
mod keys;
mod labels;
mod network;
mod numbers;
mod object;
mod pods;
mod priority;
mod quantities;
mod required;
mod schedule;
mod scheduling;
mod secrets;
mod security;
mod services;
mod storage;
mod values;
mod webhooks;
mod workloads;

use serde_json::Value;

use crate::finding::Finding;
use crate::manifest::Manifest;
use crate::path::FieldPath;
use object::{Object, each};

/// The objects that a row looks at.
enum On {
    /// All, custom resources too.
    Everything,
    /// Whatever has a Pod template, and Pods: the template is looked at, or the Pod.
    Pods,
    /// Each container and init container of these.
    Containers,
    /// Kinds of a group.
    Kinds(&'static str, &'static [&'static str]),
}

/// Does something to each value that a path leads to, in the objects that a row of a table is about.
fn look<'m>(
    object: &mut Object<'m>,
    on: &On,
    path: &str,
    mut what: impl FnMut(&mut Object<'m>, &'m Value, &FieldPath),
) {
    for (value, at) in object.parts(on) {
        for (value, at) in each(value, &at, path) {
            what(object, value, &at);
        }
    }
}

/// A row of the table: which objects, and what looks at them.
struct Row(On, fn(&mut Object<'_>));

use On::{Containers, Everything, Kinds, Pods};

/// What is made of replicated Pods.
const WORKLOADS: &[&str] = &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"];

const RIGHTS: &str = "rbac.authorization.k8s.io";

const TABLE: &[Row] = &[
    // Tables of their own, by fields.
    Row(Everything, forms::forms),
    Row(Everything, forms::addresses),
    Row(Everything, numbers::bounds),
    Row(Everything, numbers::percentages),
    Row(Everything, values::known),
    Row(Everything, required::filled),
    Row(Everything, required::needed),
    Row(Everything, alternatives::exclusive),
    Row(Everything, alternatives::needed),
    Row(Everything, quantities::not_negative),
    // All objects.
    Row(Everything, labels::metadata),
    Row(Everything, labels::size_of_annotations),
    // Names, keys and values.
    Row(Kinds("", &["Service", "Namespace"]), keys::label_as_name),
    Row(Kinds("", &["ConfigMap", "Secret"]), keys::data),
    Row(Kinds("", &["ConfigMap", "Secret"]), keys::size),
    Row(Kinds("", &["Secret"]), secrets::keys),
    Row(Kinds("", &["Secret"]), secrets::registries),
    Row(Kinds("", &["Secret"]), secrets::token),
    // Services and networks.
    Row(Kinds("", &["Service"]), services::ports),
    Row(Kinds("", &["Service"]), services::selector),
    Row(Kinds("", &["Service"]), services::by_type),
    Row(Kinds("", &["Service"]), services::families),
    Row(Kinds("", &["Service"]), services::affinity),
    Row(Kinds("discovery.k8s.io", &["EndpointSlice"]), forms::endpoints),
    Row(Kinds("networking.k8s.io", &["NetworkPolicy"]), network::policy),
    Row(Kinds("networking.k8s.io", &["Ingress"]), network::ingress),
    // Pods and their templates.
    Row(Pods, labels::template),
    Row(Pods, numbers::modes),
    Row(Pods, pods::volumes),
    Row(Pods, pods::containers),
    Row(Pods, pods::init),
    Row(Pods, pods::host_network),
    Row(Pods, pods::dns),
    Row(Pods, pods::processes),
    Row(Pods, pods::ephemeral),
    Row(Pods, required::image),
    Row(Pods, values::downward),
    Row(Pods, values::resources),
    Row(Pods, quantities::whole),
    Row(Pods, security::profiles),
    Row(Pods, security::privileges),
    Row(Pods, security::propagation),
    Row(Pods, scheduling::tolerations),
    Row(Pods, scheduling::nodes),
    Row(Pods, scheduling::pods),
    Row(Pods, scheduling::once),
    // What makes Pods.
    Row(Kinds("apps", WORKLOADS), workloads::selector),
    Row(Kinds("apps", WORKLOADS), workloads::restarts_always),
    Row(Kinds("apps", WORKLOADS), workloads::has_no_deadline),
    Row(Kinds("apps", &["Deployment", "StatefulSet"]), workloads::strategy),
    Row(Kinds("apps", &["Deployment", "DaemonSet"]), numbers::rollout),
    Row(Kinds("apps", &["Deployment"]), numbers::progress),
    Row(Kinds("batch", &["Job", "CronJob"]), workloads::comes_to_an_end),
    Row(Kinds("batch", &["Job"]), jobs::name),
    Row(Kinds("batch", &["Job", "CronJob"]), jobs::indexed),
    Row(Kinds("batch", &["Job", "CronJob"]), jobs::failures),
    Row(Kinds("batch", &["Job", "CronJob"]), jobs::selector),
    Row(Kinds("batch", &["CronJob"]), schedule::cron_job),
    Row(Kinds("batch", &["CronJob"]), schedule::time_zone),
    Row(Kinds("autoscaling", &["HorizontalPodAutoscaler"]), autoscaling::replicas),
    Row(Kinds("autoscaling", &["HorizontalPodAutoscaler"]), autoscaling::metrics),
    Row(Kinds("autoscaling", &["HorizontalPodAutoscaler"]), autoscaling::from_zero),
    Row(Kinds("policy", &["PodDisruptionBudget"]), autoscaling::budget),
    // The rest.
    Row(Kinds("", &["PersistentVolumeClaim"]), quantities::claim),
    Row(Kinds("", &["PersistentVolumeClaim"]), storage::one_pod),
    Row(Kinds("", &["PersistentVolume"]), storage::local),
    Row(Kinds("", &["LimitRange"]), quantities::limit_range),
    Row(Kinds(RIGHTS, &["Role", "ClusterRole"]), values::rights),
    Row(Kinds(RIGHTS, &["RoleBinding", "ClusterRoleBinding"]), values::subjects),
    Row(Kinds("scheduling.k8s.io", &["PriorityClass"]), priority::class),
    Row(webhooks::CONFIGURATIONS, webhooks::names),
    Row(webhooks::CONFIGURATIONS, webhooks::versions),
    Row(Kinds("apiextensions.k8s.io", &["CustomResourceDefinition"]), definition::versions),
    Row(Kinds("apiextensions.k8s.io", &["CustomResourceDefinition"]), definition::group),
];

/// What the API server would refuse of an object that fits its schema.
pub fn check(manifest: &Manifest) -> Vec<Finding> {
    let mut object = Object::new(manifest);
    for Row(on, look) in TABLE {
        if object.counts(on) {
            look(&mut object);
        }
    }
    object.findings
}

#[cfg(test)]
mod tests;
