//! What the API server validates beyond the schema: in the built-in kinds, and in the metadata of all.
//!
//! One table says which rule looks at which objects. Nothing is found here that an API server of the versions
//! that gitward carries would take; where versions or feature gates differ, the mildest counts, and what a mutating
//! webhook commonly fills in (an image) is not missed. Sources: `pkg/apis/*/validation` of Kubernetes,
//! `apimachinery/pkg/util/validation`, and `apiextensions-apiserver/pkg/apis/apiextensions/validation`.
//!
//! | rule | finds |
//! | --- | --- |
//! | `valid/label` | keys and values of labels and selectors, keys of annotations |
//! | `valid/name` | names of objects, containers, volumes, ports, variables and keys |
//! | `valid/duplicate` | what may stand in a list once and stands there twice |
//! | `valid/missing` | empty lists, and volumes that are mounted and not there |
//! | `valid/port` | numbers that are no port |
//! | `valid/selector` | workloads whose selector does not match their own template |
//! | `valid/restart-policy` | restart policies that a workload cannot have |
//! | `valid/bounds` | least values above the greatest, and values that exclude each other |
//! | `valid/schedule` | schedules of CronJobs that cannot be read |
//! | `valid/cidr` | network ranges that cannot be read, or lie outside of what they are taken from |
//! | `valid/definition` | CustomResourceDefinitions without exactly one version that is stored |

mod autoscaling;
mod cidr;
mod containers;
mod definition;
mod formats;
mod keys;
mod labels;
mod network;
mod object;
mod pods;
mod schedule;
mod services;
mod workloads;

use crate::finding::Finding;
use crate::manifest::Manifest;
use object::Object;

/// The objects that a row looks at.
enum On {
    /// All, custom resources too.
    Everything,
    /// Whatever has a Pod template, and Pods.
    Pods,
    /// Kinds of a group.
    Kinds(&'static str, &'static [&'static str]),
}

/// A row of the table: which objects, and what looks at them.
struct Row(On, fn(&mut Object<'_>));

use On::{Everything, Kinds, Pods};

const TABLE: &[Row] = &[
    Row(Everything, labels::metadata),
    Row(Kinds("", &["Service", "Namespace"]), keys::label_as_name),
    Row(Kinds("", &["ConfigMap", "Secret"]), keys::data),
    Row(Kinds("", &["Service"]), services::ports),
    Row(Kinds("", &["Service"]), services::selector),
    Row(Pods, labels::template),
    Row(Pods, pods::volumes),
    Row(Pods, pods::containers),
    Row(Kinds("apps", &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"]), workloads::selector),
    Row(Kinds("apps", &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"]), workloads::restarts_always),
    Row(Kinds("batch", &["Job", "CronJob"]), workloads::comes_to_an_end),
    Row(Kinds("batch", &["CronJob"]), schedule::cron_job),
    Row(Kinds("networking.k8s.io", &["NetworkPolicy"]), network::policy),
    Row(Kinds("networking.k8s.io", &["Ingress"]), network::ingress),
    Row(Kinds("autoscaling", &["HorizontalPodAutoscaler"]), autoscaling::replicas),
    Row(Kinds("policy", &["PodDisruptionBudget"]), autoscaling::budget),
    Row(Kinds("apiextensions.k8s.io", &["CustomResourceDefinition"]), definition::versions),
];

/// What the API server would refuse of an object that fits its schema.
pub fn check(manifest: &Manifest) -> Vec<Finding> {
    let mut object = Object::new(manifest);
    for Row(on, look) in TABLE {
        let counts = match on {
            Everything => true,
            Pods => object.template().is_some(),
            Kinds(group, kinds) => manifest.gvk.group == *group && kinds.contains(&manifest.gvk.kind.as_str()),
        };
        if counts {
            look(&mut object);
        }
    }
    object.findings
}

#[cfg(test)]
mod tests;
