//! What files of a random history hold: objects that refer to each other, and every kind of mistake that
//! one file makes for another.

pub(crate) const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
kubernetes: ['1.36', '1.34']
starterPolicies: false
policies: [policies]
crds: [crds]
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop], clusterKinds: [CustomResourceDefinition]}
";

pub(crate) const CONFIGURATIONS: [&str; 4] = [
    CONFIGURATION,
    CONFIGURATION,
    "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
policies: [policies]
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop, data], everyCommit: true}
- {name: all, ref: refs/heads/main, path: '', namespaces: [shop], sharedNamespaces: [data]}
",
    "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
crds: [crds]
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop, data]}
delegations:
- name: secrets
  accounts: ['system:serviceaccount:es:es']
  reason: it makes them
  makes:
  - {kinds: [Secret], names: ['tok*'], owners: [{kind: ExternalSecret}]}
",
];

pub(crate) const POLICY: &str = r#"package gitward.replicas
import rego.v1
deny contains {"msg": "too many", "field": "spec.replicas"} if input.object.spec.replicas > 3
warn contains sprintf("%s has no team", [input.file]) if not input.object.metadata.labels.team
"#;

pub(crate) const POLICIES: [&str; 3] = [
    POLICY,
    "",
    r#"package gitward.replicas
import rego.v1
deny contains {"msg": "more than one", "field": "spec.replicas"} if input.object.spec.replicas > 1
"#,
];

pub(crate) const PATHS: [&str; 9] = [
    "deploy/a.yaml",
    "deploy/b.yaml",
    "deploy/c.yaml",
    "deploy/d.yaml",
    "deploy/sub/e.yaml",
    "deploy/sub.yaml",
    "deploy/listed/f.yaml",
    "deploy/listed/g.yaml",
    "elsewhere/h.yaml",
];

pub(crate) const KUSTOMIZATIONS: [&str; 4] =
    ["", "resources: [f.yaml]\n", "resources: [f.yaml, g.yaml]\n", "namePrefix: x-\nresources: [f.yaml]\n"];

pub(crate) const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: shop}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: registry.example.org/web:1
        ports: [{name: http, containerPort: 8080}]
        env:
        - name: COLOUR
          valueFrom: {configMapKeyRef: {name: settings, key: colour}}
        - name: TOKEN
          valueFrom: {secretKeyRef: {name: token, key: token}}
      volumes:
      - {name: disk, persistentVolumeClaim: {claimName: data-db-0}}
";

pub(crate) const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {colour: red}\n";

pub(crate) const DEFINITIONS: [&str; 4] = [
    "",
    "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}, secret: {type: string}}}
",
    "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Cluster
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: string}, secret: {type: strange}}}
",
    "# not a definition any more\n",
];

pub(crate) const TEXTS: [&str; 24] = [
    "",
    "",
    DEPLOYMENT,
    DEPLOYMENT,
    CONFIG_MAP,
    CONFIG_MAP,
    "# moved down\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {color: red}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: data}\ndata: {colour: 1}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: setings, namespace: shop}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\nstringData: {token: x}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\nstringData: {other: x}\n",
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n",
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop, labels: {team: x}}\nspec:\n  selector: {app: web}\n  ports: [{name: http, port: 80, targetPort: http}]\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {app: wbe, tier: front}\n  ports: [{name: web, port: 81, targetPort: web}]\n",
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec:\n  rules:\n  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}\n",
    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: shop}\nspec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop}\nspec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: shop}\nspec:\n  replicas: 5\n  serviceName: web\n  selector: {matchLabels: {app: db}}\n  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: 'a:1', ports: [{name: web, containerPort: 1}]}]}}\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n",
    "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: 3, secret: token}\n",
    "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: web, namespace: shop}\nspec: {size: '3'}\n---\napiVersion: example.org/v1\nkind: Widget\nmetadata: {name: web, namespace: shop}\nspec: {sise: 3}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web, namespace: shop}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: web, namespace: shop}]\n",
    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop, annotations: {\"a.b/c\": x}}\nsubsets: nothing\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken, namespace: shop\n",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}, data: {colour: 2}}\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: shop}}\n",
];
