//! The mistakes.

/// A file, what stands there, what is written instead (with `^` before what the finding points to), and
/// the rule that finds it.
pub(crate) type Mistake = (&'static str, &'static str, &'static str, &'static str);

const WEB: &str = "prod/web.yaml";
const CONFIG: &str = "prod/config.yaml";
const RIGHTS: &str = "prod/rights.yaml";
const QUEUE: &str = "prod/queue.yaml";
const CRD: &str = "schemas/queues.example.org.yaml";
const RULES: &str = "gitward.yaml";
const POLICY: &str = "policies/team.rego";

#[rustfmt::skip]
pub(crate) const MISTAKES: &[Mistake] = &[
    // The file cannot be read.
    (CONFIG, "  colour: red", "  colour: red\n  ^colour: blue", "manifest/duplicate-key"),
    (CONFIG, "  colour: red", "  colour: red\n  motto: a^: b", "manifest/syntax"),
    (CONFIG, "apiVersion: v1\nkind: ConfigMap", "^apiVersion: v1", "manifest/missing-kind"),
    (CONFIG, "apiVersion: v1\nkind: ConfigMap", "^kind: ConfigMap", "manifest/missing-api-version"),
    (CONFIG, "metadata:\n  name: settings\n", "^metadata:\n", "manifest/missing-name"),
    (CONFIG, "name: settings", "name: ^Settings_1", "manifest/invalid-name"),
    (CONFIG, "apiVersion: v1\nkind: ConfigMap", "^- apiVersion: v1\n---\napiVersion: v1\nkind: ConfigMap", "manifest/not-an-object"),
    // The tree.
    (CONFIG, "  namespace: shop", "  namespace: ^shp", "tree/wrong-namespace"),
    (CONFIG, "metadata:\n  name: settings\n  namespace: shop", "metadata:\n  ^name: settings", "tree/missing-namespace"),
    (RIGHTS, "kind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n---\n",
        "kind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n---\n^apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n---\n", "tree/duplicate-object"),
    (RIGHTS, "kind: ClusterRoleBinding\nmetadata:\n  name: shop-view\n", "kind: ClusterRoleBinding\nmetadata:\n  name: shop-view\n---\napiVersion: storage.k8s.io/v1\nkind: ^StorageClass\nprovisioner: x\nmetadata:\n  name: fast\n", "tree/wrong-namespace"),
    // Fields and types.
    (WEB, "  replicas: 2", "  ^replica: 2", "schema/unknown-field"),
    (WEB, "imagePullPolicy: If", "^imagePullPolcy: If", "schema/unknown-field"),
    (WEB, "periodSeconds: 5", "^periodSecond: 5", "schema/unknown-field"),
    (WEB, "{name: http, containerPort: 8080}", "{name: http, ^containerport: 8080}", "schema/unknown-field"),
    (WEB, "      volumes:", "      ^volume:", "schema/unknown-field"),
    (WEB, "    targetPort: http\n---", "    ^target: http\n---", "schema/unknown-field"),
    (WEB, "replicas: 2", "replicas: ^\"2\"", "schema/type"),
    (WEB, "value: \"3\"", "value: ^3", "schema/type"),
    (WEB, "    port: 80", "    port: ^eighty", "schema/type"),
    (WEB, "args: [\"--listen\", \":8080\"]", "args: ^--listen", "schema/type"),
    (CONFIG, "limit: \"10\"", "limit: ^10", "schema/type"),
    (CONFIG, "  colour: red", "  colour: ^yes", "schema/type"),
    (WEB, "runAsNonRoot: true", "runAsNonRoot: ^\"true\"", "schema/type"),
    (WEB, "spec:\n  replicas: 2\n  selector:\n    matchLabels: {app: web}\n", "^spec:\n  replicas: 2\n", "schema/required"),
    (WEB, "- path: /\n        pathType: Prefix", "- ^path: /", "schema/required"),
    (CONFIG, "spec:\n  minReplicas: 2\n  maxReplicas: 5\n", "^spec:\n  minReplicas: 2\n", "schema/required"),
    (WEB, "IfNotPresent", "^IfNotPresnt", "schema/enum"),
    (WEB, "type: ClusterIP", "type: ^Clusterip", "schema/enum"),
    (WEB, "pathType: Prefix", "pathType: ^prefix", "schema/enum"),
    (WEB, "type: RollingUpdate", "type: ^Rolling", "schema/enum"),
    (WEB, "memory: 128Mi", "memory: ^128MB", "schema/invalid"),
    (WEB, "cpu: 100m", "cpu: ^half", "schema/invalid"),
    (WEB, "replicas: 2", "replicas: ^3000000000", "schema/invalid"),
    // Kinds.
    (WEB, "kind: Deployment", "kind: ^Deploymnet", "schema/unknown-kind"),
    (WEB, "apiVersion: apps/v1", "apiVersion: ^apps/v2", "schema/unknown-kind"),
    (QUEUE, "apiVersion: example.org/v1", "apiVersion: ^example.com/v1", "schema/unknown-kind"),
    (CONFIG, "apiVersion: policy/v1", "apiVersion: ^policy/v1beta1", "schema/removed-api"),
    (CONFIG, "apiVersion: autoscaling/v2", "apiVersion: ^autoscaling/v2beta2", "schema/removed-api"),
    (CONFIG, "apiVersion: v1\nkind: ConfigMap", "apiVersion: ^resource.k8s.io/v1beta1\nkind: ResourceClaim\nmetadata: {name: c, namespace: shop}\nspec: {}\n---\napiVersion: v1\nkind: ConfigMap", "schema/deprecated-api"),
    // Custom resources.
    (QUEUE, "spec:\n  minimum: 2\n  maximum: 10\n", "^spec:\n  minimum: 2\n", "schema/required"),
    (QUEUE, "  mode: fifo", "  ^mod: fifo", "schema/unknown-field"),
    (QUEUE, "mode: fifo", "mode: ^lifo", "schema/enum"),
    (QUEUE, "minimum: 2", "minimum: ^-1", "schema/invalid"),
    (QUEUE, "owner: \"team-a\"", "owner: ^ops", "schema/invalid"),
    (QUEUE, "maximum: 10", "maximum: ^ten", "schema/type"),
    (QUEUE, "  topics:\n", "  topics:\n  ^- name: a\n  - name: b\n", "schema/invalid"),
    (QUEUE, "- name: paid", "- ^name: placed", "schema/invalid"),
    (QUEUE, "minimum: 2", "minimum: ^11", "schema/rule"),
    (QUEUE, "partitions: 6", "partitions: ^7", "schema/rule"),
    (CRD, "self.minimum <= self.maximum", "^self.minimum <=", "schema/crd"),
    (CRD, "self.minimum <= self.maximum", "^slef.minimum <= 1", "schema/crd"),
    (CRD, "self.minimum <= self.maximum", "^self.topics.sortBy(t, t.name) == self.topics", "schema/unchecked"),
    (CRD, "mode: {type: string", "mode: ^{type: strng", "schema/crd"),
    // References.
    (WEB, "serviceAccountName: web", "serviceAccountName: ^wbe", "reference/missing"),
    (WEB, "configMap: {name: settings}", "configMap: {name: ^setings}", "reference/missing"),
    (WEB, "key: colour", "key: ^color", "reference/key"),
    (WEB, "  selector: {app: web}\n  ports", "  selector: ^{app: wbe}\n  ports", "reference/selector"),
    (WEB, "targetPort: http", "targetPort: ^web", "reference/port"),
    (WEB, "            name: web\n            port: {name: http}", "            name: ^wab\n            port: {name: http}", "reference/missing"),
    (WEB, "port: {name: http}", "port: {number: ^8080}", "reference/port"),
    (CONFIG, "kind: Deployment, name: web", "kind: Deployment, name: ^api", "reference/missing"),
    (CONFIG, "matchLabels: {app: web}", "matchLabels: ^{app: api}", "reference/selector"),
    (RIGHTS, "  kind: Role\n  name: reader", "  kind: Role\n  name: ^raeder", "reference/missing"),
    // Policies.
    (WEB, "image: registry.example.org/web:1.4.2", "image: ^registry.example.org/web:latest", "policy/image-tag"),
    (WEB, "image: registry.example.org/web:1.4.2", "image: ^registry.example.org/web", "policy/image-tag"),
    (WEB, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: ^true", "policy/privilege-escalation"),
    (WEB, "allowPrivilegeEscalation: false", "privileged: ^true", "policy/privileged"),
    (WEB, "allowPrivilegeEscalation: false", "capabilities: {add: [^SYS_ADMIN]}", "policy/capabilities"),
    (WEB, "          allowPrivilegeEscalation: false", "          ^allowPrivilegeEscalation: false\n          runAsNonRoot: false\n          runAsUser: 0", "policy/run-as-non-root"),
    (WEB, "requests: {cpu: 100m, memory: 128Mi}\n          limits", "^limits", "policy/resource-requests"),
    (WEB, "      containers:", "      hostNetwork: ^true\n      containers:", "policy/host-namespaces"),
    (WEB, "configMap: {name: settings}\n---", "hostPath: {path: ^/var/run/docker.sock}\n---", "policy/host-path"),
    (WEB, "type: ClusterIP", "type: ^NodePort", "policy/service-exposure"),
    (RIGHTS, "verbs: [get]", "verbs: ^[\"*\"]", "policy/rbac-wildcard"),
    (RIGHTS, "  kind: ClusterRole\n  name: view\nsubjects:\n- kind: Group\n  name: shop-team",
        "  kind: ClusterRole\n  name: cluster-admin\nsubjects:\n- kind: Group\n  name: ^system:authenticated", "policy/anonymous-binding"),
    (CONFIG, "apiVersion: v1\nkind: ConfigMap", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData:\n  token: ^hunter2\n---\napiVersion: v1\nkind: ConfigMap", "policy/secret-in-git"),
    (WEB, "- name: LEVEL\n          value: \"3\"", "- name: API_TOKEN\n          value: ^hunter2", "policy/plain-credential"),
    (WEB, "replicas: 2", "replicas: ^20", "policy/team"),
    // The rules themselves.
    (POLICY, "input.object.spec.replicas > 10", "^input.spec.replicas > 10", "policy/compile"),
    (POLICY, "\"field\"", "\"field\" ^oops", "policy/compile"),
    (POLICY, "package gitward.team", "^package gitward.lib.pod", "policy/compile"),
    (POLICY, "kinds := {\"Deployment.apps\"}", "^kinds := {\"Deploymnet.apps\"}", "policy/judges-nothing"),
    (POLICY, "kinds := {\"Deployment.apps\"}", "^kinds := {\"Deployment.app\"}", "policy/judges-nothing"),
    (POLICY, "package gitward.team\n\ntitle := \"Workloads have few replicas\"\n\nkinds := {\"Deployment.apps\"}\n\ndeny",
        "^package gitward.team\n\nkinds := {\"Deployment.apps\"}\n\ndeyn", "policy/judges-nothing"),
    (CRD, "kind: CustomResourceDefinition\n", "kind: CustomResourceDefinition\n^kind: CustomResourceDefinition\n", "schema/crd"),
    (CRD, "apiVersion: apiextensions.k8s.io/v1\n", "apiVersion: ^apiextensions.k8s.io/v1beta1\n", "schema/removed-api"),
    (RULES, "policies: [policies]", "policies: [^polices]", "config/nothing-there"),
    (RULES, "crds: [schemas]", "crds: [^schema]", "config/nothing-there"),
    (RULES, "path: prod", "^pth: prod", "config/unknown-field"),
    (RULES, "ref: refs/heads/main", "ref: ^main", "config/ref"),
    (RULES, "path: prod", "path: ^../prod", "config/path"),
    (RULES, "name: prod", "name: ^Prod", "config/environment-name"),
    (RULES, "[\"1.36\"]", "[^\"1.2\"]", "config/kubernetes"),
    (RULES, "namespaces: [shop]", "namespaces: [shop, ^shop]", "config/namespace"),
    (RULES, "namespaces: [shop]", "namespaces: [^kube-system]", "config/system-namespace"),
    (RULES, "clusterKinds: [ClusterRole.rbac", "clusterKinds: [^clusterroles.rbac", "config/kind-name"),
    (RULES, "  accounts: [ada]\n", "  accounts: ^[]\n", "config/exemption"),
];
