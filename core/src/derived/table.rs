//! The table: who writes what, by which rule it is recognised, and what that rests on.

use super::accounts::Account::{self, ApiServer, Controller, ControllerManager, Node, Scheduler};
use super::case::Act::{self, Connect, Create, Live, Update};
use super::case::Case;
use super::{
    Judged, Proof, Refusal, api_service, binding, bootstrap, certificate, claim, controller_revision, deletion,
    endpoint_slice, endpoints, eviction, fields, job, namespace, node, origin, pod, replica_set, resource_claim,
    root_ca, scale, service_account, status, token,
};
use crate::object;
use crate::verdict::Origin;

/// What a rule rests on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Content proves it. What is there may have been written by anyone; a request has to come from
    /// the writer all the same, if one is named: nobody else has any business with it.
    Content,
    /// The same, and for some of the content the writer has to be believed: the rule asks where it must.
    Both,
    /// The writer, whatever the rule demands besides.
    Identity,
    /// Nothing makes it right.
    Never,
}

struct Row {
    group: &'static str,
    kind: &'static str,
    resource: &'static str,
    subresource: &'static str,
    acts: &'static [Act],
    name: &'static str,
    writers: &'static [Account],
    needs: Needs,
    rule: fn(&Case<'_>) -> Judged,
}

/// Any group, kind, resource or subresource.
const ANY: &str = "*";

#[rustfmt::skip]
const TABLE: &[Row] = {
    use Needs::{Both, Content, Identity, Never};
    const PODS: &[Account] = &[
        Controller("replicaset-controller"), Controller("statefulset-controller"), Controller("daemon-set-controller"),
        Controller("job-controller"), Controller("replication-controller"),
    ];
    const EVERYBODY: &[Account] = &[];
    const fn row(
        (group, kind, resource, subresource): (&'static str, &'static str, &'static str, &'static str),
        acts: &'static [Act], name: &'static str, writers: &'static [Account], needs: Needs, rule: fn(&Case<'_>) -> Judged,
    ) -> Row {
        Row { group, kind, resource, subresource, acts, name, writers, needs, rule }
    }
    &[
        // group, kind, resource, subresource                                          acts              rule                    writers    needs     by
        row(("apps", "ReplicaSet", "replicasets", ""),                                 &[Create, Live],  "replica-set.create",   &[Controller("deployment-controller")], Content, replica_set::judge),
        row(("", "Pod", "pods", ""),                                                   &[Create, Live],  "pod.create",           PODS, Content, pod::judge),
        row(("batch", "Job", "jobs", ""),                                              &[Create, Live],  "job.create",           &[Controller("cronjob-controller")], Content, job::judge),
        row(("apps", "ControllerRevision", "controllerrevisions", ""),                 &[Create, Live],  "revision.create",      &[Controller("statefulset-controller"), Controller("daemon-set-controller")], Content, controller_revision::judge),
        row(("", "PersistentVolumeClaim", "persistentvolumeclaims", ""),               &[Create, Live],  "claim.create",         &[Controller("statefulset-controller"), Controller("ephemeral-volume-controller")], Content, claim::judge),
        row(("discovery.k8s.io", "EndpointSlice", "endpointslices", ""),               &[Create, Update, Live], "endpoint-slice", &[Controller("endpointslice-controller"), Controller("endpointslicemirroring-controller"), ApiServer], Both, endpoint_slice::judge),
        row(("", "Endpoints", "endpoints", ""),                                        &[Create, Update, Live], "endpoints",     &[Controller("endpoint-controller"), ApiServer], Both, endpoints::judge),
        row(("resource.k8s.io", "ResourceClaim", "resourceclaims", ""),                &[Create, Live],  "resource-claim.create", &[Controller("resource-claim-controller")], Content, resource_claim::judge),
        row(("", "ServiceAccount", "serviceaccounts", ""),                             &[Create, Live],  "service-account.default", &[Controller("service-account-controller")], Content, service_account::judge),
        row(("", "ConfigMap", "configmaps", ""),                                       &[Create, Update, Live], "root-ca",       &[Controller("root-ca-cert-publisher")], Content, root_ca::judge),
        row(("apiregistration.k8s.io", "APIService", "apiservices", ""),               &[Create, Update, Live], "api-service.local", &[ApiServer], Content, api_service::judge),
        row(("networking.k8s.io", "IPAddress", "ipaddresses", ""),                     &[Create, Update, Live], "ip-address",    &[ApiServer], Identity, bootstrap::ip_address),
        row(("", "Node", "nodes", ""),                                                 &[Create, Live],  "node.create",          &[Node], Identity, node::created),
        row(("resource.k8s.io", "ResourceSlice", "resourceslices", ""),                &[Create, Update, Live], "resource-slice", &[Node], Identity, node::resource_slice),
        row(("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", ""), &[Create, Live], "csr.kubelet", &[Node], Identity, certificate::requested),
        row(("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", "approval"), &[Update], "csr.approve", &[Controller("certificate-controller")], Identity, certificate::approved),

        row(("", "Pod", "pods", "binding"),                                            &[Create],        "pod.bind",             &[Scheduler], Identity, binding::judge),
        row(("", "Binding", "bindings", ""),                                           &[Create],        "pod.bind",             &[Scheduler], Identity, binding::judge),
        row(("", "Pod", "pods", "eviction"),                                           &[Create],        "pod.evict",            EVERYBODY, Content, eviction::judge),
        row(("", "Pod", "pods", "ephemeralcontainers"),                                &[Update],        "pod.debug",            EVERYBODY, Never, never),
        row(("", "Pod", "pods", "resize"),                                             &[Update],        "pod.resize",           EVERYBODY, Never, never),
        row((ANY, ANY, ANY, ANY),                                                      &[Connect],       "connect",              EVERYBODY, Never, never),
        row((ANY, ANY, ANY, "scale"),                                                  &[Update],        "scale.hpa",            &[Controller("horizontal-pod-autoscaler")], Content, scale::judge),
        row(("", "ServiceAccount", "serviceaccounts", "token"),                        &[Create],        "token",                &[Node, ControllerManager], Identity, token::judge),
        row(("", "Namespace", "namespaces", "finalize"),                               &[Update],        "namespace.finalize",   &[Controller("namespace-controller")], Identity, namespace::finalized),
        row((ANY, ANY, ANY, "status"),                                                 &[Update],        "status",               EVERYBODY, Both, status::judge),

        row(("authentication.k8s.io", ANY, ANY, ""),                                   &[Create],        "outside.review",       EVERYBODY, Content, nothing_stored),
        row(("authorization.k8s.io", ANY, ANY, ""),                                    &[Create],        "outside.review",       EVERYBODY, Content, nothing_stored),
        row(("", "Event", "events", ""),                                               &[Create, Update, Live], "outside.event", EVERYBODY, Both, bootstrap::outside),
        row(("events.k8s.io", "Event", "events", ""),                                  &[Create, Update, Live], "outside.event", EVERYBODY, Both, bootstrap::outside),
        row(("coordination.k8s.io", "Lease", "leases", ""),                            &[Create, Update, Live], "outside.lease", EVERYBODY, Both, bootstrap::outside),
    ]
};

impl Row {
    fn matches(&self, case: &Case<'_>) -> bool {
        let is = |wanted: &str, found: &str| wanted == ANY || wanted == found;
        let named = if case.is(Live) { is(self.kind, case.kind) } else { is(self.resource, case.resource) };
        named && is(self.group, case.group) && is(self.subresource, case.subresource) && self.acts.contains(&case.act)
    }

    fn judge(&self, case: &Case<'_>) -> Judged {
        match self.needs {
            Needs::Identity => {
                case.by(self.writers)?;
                Ok((self.rule)(case)?.and(Proof::Identity))
            }
            Needs::Content | Needs::Both | Needs::Never => {
                let proof = (self.rule)(case)?;
                if self.has_writers(case) {
                    case.by(self.writers)?;
                }
                Ok(proof)
            }
        }
    }

    /// Whether a request for a whole object is its writers' alone. Scales are within declared bounds
    /// whoever sets them, and what is being deleted is let go by others too.
    fn has_writers(&self, case: &Case<'_>) -> bool {
        let is_going = case.old.is_some_and(object::is_terminating);
        !self.writers.is_empty() && self.subresource.is_empty() && !case.is(Live) && !is_going
    }
}

/// Judges a case by the first row that is about it.
pub(super) fn judge(case: &Case<'_>) -> Result<Origin, Refusal> {
    ensure!(case.depth <= super::owner::MAX_DEPTH, "the chain of owners is too long");
    if case.is(Act::Delete) && case.subresource.is_empty() {
        return deletion::judge(case);
    }
    if let Some(rule) = bootstrap::rule(case) {
        return Ok(origin(rule, Proof::Identity));
    }
    match TABLE.iter().find(|row| row.matches(case)) {
        Some(row) => row.judge(case).map(|proof| origin(row.name, proof)),
        // What a controller changes of an object that it did not make is judged field by field.
        None if case.is(Update) && case.subresource.is_empty() => {
            fields::all(case).map(|(rule, proof)| origin(rule, proof))
        }
        None => Err(unknown(case)),
    }
}

/// Judges a live object as the owner of another.
pub(super) fn judge_owner(case: &Case<'_>) -> Judged {
    Ok(match judge(case)? {
        Origin::Derived { by_identity: false, .. } => Proof::Content,
        _ => Proof::Identity,
    })
}

/// The refusal for what no row is about.
pub(super) fn unknown(case: &Case<'_>) -> Refusal {
    let what = if case.subresource.is_empty() { String::new() } else { format!("/{}", case.subresource) };
    Refusal::new(format!("{}{what} is not declared in Git, and no controller makes it", case.key()))
}

fn never(case: &Case<'_>) -> Judged {
    let how = if case.is(Connect) { "connections" } else { "changes" };
    Err(Refusal::new(format!("{how} through {}/{} bypass Git", case.resource, case.subresource)))
}

#[expect(clippy::unnecessary_wraps, reason = "a rule like the others")]
fn nothing_stored(_case: &Case<'_>) -> Judged {
    Ok(Proof::Content)
}
