//! What Git declares for the attacks: each has objects of its own, so that all are played at once.

/// A kind of object that Git declares for an attack, named `NAME`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fixture {
    /// A Deployment of one Pod.
    App,
    /// A Deployment of none.
    Idle,
    /// A ConfigMap.
    Config,
    /// A Secret.
    Secret,
    /// A Service of the Pods of `App`.
    Service,
    /// A ServiceAccount.
    Account,
    /// A Role.
    Role,
    /// A RoleBinding.
    Binding,
    /// A StatefulSet of one Pod.
    Set,
    /// A DaemonSet that no node is selected by.
    Daemon,
    /// A suspended Job.
    Job,
    /// A CronJob.
    Cron,
    /// A CronJob that runs every minute, suspended.
    Suspended,
    /// An Ingress.
    Ingress,
    /// An autoscaler of `App`, one to three.
    Autoscaler,
    /// A NetworkPolicy.
    Policy,
    /// A PodDisruptionBudget.
    Budget,
    /// A claim.
    Claim,
    /// A custom resource.
    Coupon,
    /// A governed namespace of this name, with a ConfigMap in it.
    Space,
    /// A CustomResourceDefinition with two versions, and an object of it.
    Definition,
    /// A StorageClass.
    Class,
    /// A PriorityClass.
    Priority,
    /// An IngressClass.
    IngressClass,
    /// A volume.
    Volume,
    /// An aggregated ClusterRole, and one that it selects.
    Aggregate,
    /// A Pod of its own.
    Pod,
    /// Endpoints of a Service without a selector.
    Endpoints,
}

impl Fixture {
    /// The manifests, with `NAME` in them.
    pub(crate) fn manifests(self) -> &'static str {
        match self {
            Self::App => include_str!("fixtures/app.yaml"),
            Self::Idle => include_str!("fixtures/idle.yaml"),
            Self::Config => {
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: field}\ndata: {greeting: hello}\n"
            }
            Self::Secret => {
                "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME, namespace: field}\nstringData: {token: declared}\n"
            }
            Self::Service => include_str!("fixtures/service.yaml"),
            Self::Account => "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: NAME, namespace: field}\n",
            Self::Role => include_str!("fixtures/role.yaml"),
            Self::Binding => include_str!("fixtures/binding.yaml"),
            Self::Set => include_str!("fixtures/set.yaml"),
            Self::Daemon => include_str!("fixtures/daemon.yaml"),
            Self::Job => include_str!("fixtures/job.yaml"),
            Self::Suspended => include_str!("fixtures/suspended.yaml"),
            Self::Cron => include_str!("fixtures/cron.yaml"),
            Self::Ingress => include_str!("fixtures/ingress.yaml"),
            Self::Autoscaler => include_str!("fixtures/autoscaler.yaml"),
            Self::Policy => include_str!("fixtures/policy.yaml"),
            Self::Budget => include_str!("fixtures/budget.yaml"),
            Self::Claim => include_str!("fixtures/claim.yaml"),
            Self::Coupon => {
                "apiVersion: attack.example.org/v1\nkind: Coupon\nmetadata: {name: NAME, namespace: field}\nspec: {percent: 15}\n"
            }
            Self::Space => include_str!("fixtures/space.yaml"),
            Self::Definition => include_str!("fixtures/definition.yaml"),
            Self::Class => {
                "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: NAME}\nprovisioner: example.org/disk\n"
            }
            Self::Priority => {
                "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: NAME}\nvalue: 10\n"
            }
            Self::IngressClass => {
                "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: NAME}\nspec: {controller: example.org/edge}\n"
            }
            Self::Volume => include_str!("fixtures/volume.yaml"),
            Self::Aggregate => include_str!("fixtures/aggregate.yaml"),
            Self::Pod => include_str!("fixtures/pod.yaml"),
            Self::Endpoints => include_str!("fixtures/endpoints.yaml"),
        }
    }
}
