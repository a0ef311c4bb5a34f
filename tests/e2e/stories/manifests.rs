//! What the stories declare.

/// Namespaces that are there from the first commit on.
const NAMESPACES: [&str; 15] = [
    "rolls", "scales", "turns", "jobs", "cron", "sets", "daemons", "nodes", "limits", "tokens", "claims", "orphans",
    "spare", "kinds", "ends",
];

/// What the simulated nodes read by, as they make it themselves.
const SIMULATED_NODES: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: \
    'gitward:simulated-nodes'}, rules: [{apiGroups: [''], resources: [nodes], verbs: [get, list, watch]}, {apiGroups: \
    [coordination.k8s.io], resources: [leases], verbs: [get, list, watch]}]}\n";

/// A workload under construction.
pub(super) struct Workload {
    kind: &'static str,
    namespace: &'static str,
    name: String,
    image: String,
    spec: Vec<String>,
    annotations: Vec<String>,
    pod: Vec<String>,
    container: Vec<String>,
}

/// A Deployment that rolls.
pub(super) fn deployment(namespace: &'static str, name: &str) -> Workload {
    workload("apps/v1, kind: Deployment", namespace, name)
        .spec(&format!("selector: {{matchLabels: {{app: {name}}}}}"))
        .pod("terminationGracePeriodSeconds: 1")
}

/// A StatefulSet without claims.
pub(super) fn stateful_set(namespace: &'static str, name: &str) -> Workload {
    Workload { kind: "apps/v1, kind: StatefulSet", ..deployment(namespace, name) }.spec(&format!("serviceName: {name}"))
}

/// A DaemonSet.
pub(super) fn daemon_set(namespace: &'static str, name: &str) -> Workload {
    Workload { kind: "apps/v1, kind: DaemonSet", ..deployment(namespace, name) }
}

/// A Job.
pub(super) fn job(namespace: &'static str, name: &str) -> Workload {
    workload("batch/v1, kind: Job", namespace, name).pod("restartPolicy: Never")
}

fn workload(kind: &'static str, namespace: &'static str, name: &str) -> Workload {
    Workload {
        kind,
        namespace,
        name: name.to_owned(),
        image: image(1),
        spec: Vec::new(),
        annotations: Vec::new(),
        pod: Vec::new(),
        container: Vec::new(),
    }
}

/// One of the images that the stories run.
pub(super) fn image(version: u32) -> String {
    format!("registry.example.org/app:{version}")
}

impl Workload {
    /// Another version of its image.
    pub(super) fn version(mut self, version: u32) -> Self {
        self.image = image(version);
        self
    }

    pub(super) fn replicas(self, replicas: u32) -> Self {
        self.spec(&format!("replicas: {replicas}"))
    }

    /// A field of its spec, in flow style.
    pub(super) fn spec(mut self, field: &str) -> Self {
        self.spec.push(field.to_owned());
        self
    }

    /// A field of its Pods' spec.
    pub(super) fn pod(mut self, field: &str) -> Self {
        self.pod.push(field.to_owned());
        self
    }

    /// A field of its container.
    pub(super) fn container(mut self, field: &str) -> Self {
        self.container.push(field.to_owned());
        self
    }

    /// An annotation of its Pods.
    pub(super) fn annotation(mut self, annotation: &str) -> Self {
        self.annotations.push(annotation.to_owned());
        self
    }

    /// The manifest.
    pub(super) fn text(&self) -> String {
        let Self { kind, namespace, name, .. } = self;
        let spec = [self.spec.clone(), vec![format!("template: {}", self.template())]].concat();
        format!(
            "{{apiVersion: {kind}, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{{}}}}}\n",
            spec.join(", ")
        )
    }

    /// A CronJob that runs this every minute.
    pub(super) fn cron_job(&self, fields: &str) -> String {
        let Self { namespace, name, .. } = self;
        format!(
            "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{schedule: \
             '* * * * *', {fields}, jobTemplate: {{spec: {{{}}}}}}}}}\n",
            [self.spec.clone(), vec![format!("template: {}", self.template())]].concat().join(", ")
        )
    }

    fn template(&self) -> String {
        let Self { name, image, .. } = self;
        let container = [vec![format!("name: main, image: {image}")], self.container.clone()].concat().join(", ");
        let pod = [vec![format!("containers: [{{{container}}}]")], self.pod.clone()].concat().join(", ");
        let annotations = self.annotations.join(", ");
        format!("{{metadata: {{labels: {{app: {name}}}, annotations: {{{annotations}}}}}, spec: {{{pod}}}}}")
    }
}

/// A Service for a workload of that name.
pub(super) fn service(namespace: &str, name: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{selector: \
         {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}}}\n"
    )
}

/// An object of which only its data counts.
pub(super) fn config_map(namespace: &str, name: &str, value: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}}}, data: {{key: '{value}'}}}}\n"
    )
}

/// A volume of a class.
fn volume(name: &str, class: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}}}, spec: {{capacity: {{storage: 1Gi}}, \
         accessModes: [ReadWriteOnce], storageClassName: {class}, hostPath: {{path: /srv/{name}}}}}}}\n"
    )
}

fn class(name: &str, mode: &str) -> String {
    format!(
        "---\n{{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {{name: {name}}}, provisioner: \
         kubernetes.io/no-provisioner, volumeBindingMode: {mode}}}\n"
    )
}

/// The files of the first commit.
pub(super) fn first() -> Vec<(String, String)> {
    let namespaces = NAMESPACES.map(|n| format!("---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {n}}}}}\n"));
    let mut storage = class("early", "Immediate") + &class("late", "WaitForFirstConsumer");
    for n in 0..3 {
        storage += &volume(&format!("early-{n}"), "early");
        storage += &volume(&format!("late-{n}"), "late");
    }
    let priorities = [("low", 10), ("high", 1000)].map(|(name, value)| {
        format!("---\n{{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: {name}}}, value: {value}}}\n")
    });
    vec![
        ("prod/namespaces.yaml".to_owned(), namespaces.concat()),
        ("prod/storage.yaml".to_owned(), storage),
        ("prod/priorities.yaml".to_owned(), priorities.concat()),
        ("prod/simulated-nodes.yaml".to_owned(), SIMULATED_NODES.to_owned()),
        ("prod/nodes/lost.yaml".to_owned(), super::nodes::to_be_lost()),
    ]
}
