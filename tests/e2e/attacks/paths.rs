//! Short names of the API server's paths: `deployments/NAME/scale`, `pods@other?labelSelector=…`.

/// The governed namespace that most attacks happen in.
pub(crate) const NAMESPACE: &str = "field";

/// Group and version with the plurals in them; cluster-scoped ones end with a dot.
const SERVED: &[(&str, &str)] = &[
    (
        "/api/v1",
        "configmaps secrets services serviceaccounts pods persistentvolumeclaims endpoints events limitranges \
         resourcequotas replicationcontrollers podtemplates bindings namespaces. nodes. persistentvolumes.",
    ),
    ("/apis/apps/v1", "deployments replicasets statefulsets daemonsets controllerrevisions"),
    ("/apis/batch/v1", "jobs cronjobs"),
    ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
    ("/apis/networking.k8s.io/v1", "ingresses networkpolicies ingressclasses."),
    ("/apis/policy/v1", "poddisruptionbudgets"),
    ("/apis/rbac.authorization.k8s.io/v1", "roles rolebindings clusterroles. clusterrolebindings."),
    ("/apis/discovery.k8s.io/v1", "endpointslices"),
    ("/apis/coordination.k8s.io/v1", "leases"),
    ("/apis/storage.k8s.io/v1", "storageclasses."),
    ("/apis/scheduling.k8s.io/v1", "priorityclasses."),
    ("/apis/node.k8s.io/v1", "runtimeclasses."),
    ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions."),
    ("/apis/apiregistration.k8s.io/v1", "apiservices."),
    ("/apis/certificates.k8s.io/v1", "certificatesigningrequests."),
    ("/apis/resource.k8s.io/v1", "resourceclaims resourceclaimtemplates"),
    (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations. mutatingwebhookconfigurations. validatingadmissionpolicies. \
         validatingadmissionpolicybindings. mutatingadmissionpolicies. mutatingadmissionpolicybindings.",
    ),
    ("/apis/gitward.dev/v1alpha1", "environments."),
    ("/apis/attack.example.org/v1", "coupons"),
];

/// The whole path of a short one. One that begins with a slash is whole already.
pub(crate) fn whole(short: &str) -> String {
    if short.starts_with('/') {
        return short.to_owned();
    }
    let end = short.find(['/', '?']).unwrap_or(short.len());
    let (resource, rest) = short.split_at(end);
    let (plural, namespace) = resource.split_once('@').unwrap_or((resource, NAMESPACE));
    for (prefix, plurals) in SERVED {
        for served in plurals.split_whitespace() {
            if served.strip_suffix('.') == Some(plural) {
                return format!("{prefix}/{plural}{rest}");
            }
            if served == plural {
                return format!("{prefix}/namespaces/{namespace}/{plural}{rest}");
            }
        }
    }
    panic!("{plural} is not among the served resources")
}

/// The collection that holds what a path names: of one object, the collection narrowed to it.
pub(crate) fn collection(path: &str) -> String {
    let whole = whole(path);
    if whole.contains('?') {
        return whole;
    }
    let steps: Vec<&str> = whole.trim_start_matches('/').split('/').collect();
    // api/v1 or apis/group/version, and the namespace.
    let version = if steps.first() == Some(&"api") { 2 } else { 3 };
    let within = match steps.get(version) {
        Some(&"namespaces") if steps.len() > version + 2 => version + 2,
        _ => version,
    };
    match steps.get(within + 1) {
        Some(name) => format!("/{}?fieldSelector=metadata.name%3D{name}", steps[..=within].join("/")),
        None => whole,
    }
}
