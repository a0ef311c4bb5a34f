use std::sync::Arc;

use crate::config::{self, Configuration};
use crate::evaluate::{Judge, TreeFile};
use crate::finding::Severity;

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nstarterPolicies: false\nenvironments:\n\
    - {name: prod, ref: refs/heads/main, path: prod, namespaces: [shop], sharedNamespaces: [default], \
    clusterKinds: [CustomResourceDefinition, ClusterRoleBinding]}\n";

/// A tree in which everything that is named is there.
const WHOLE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: registry.example.org/web:1
        ports: [{name: http, containerPort: 8080}]
        envFrom: [{configMapRef: {name: settings}}]
        env:
        - name: COLOUR
          valueFrom: {configMapKeyRef: {name: settings, key: colour}}
        - name: TOKEN
          valueFrom: {secretKeyRef: {name: token, key: token}}
      volumes:
      - {name: a, configMap: {name: settings}}
      - {name: b, secret: {secretName: token}}
      - {name: c, persistentVolumeClaim: {claimName: disk}}
      - {name: d, projected: {sources: [{configMap: {name: kube-root-ca.crt}}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: []
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: red}
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: shop}
stringData: {token: x}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"#;

/// Rule, place and hint of each finding about a reference.
fn judged(configuration: &str, text: &str) -> Vec<(String, String, String)> {
    let configuration = config::parse(&Arc::from("gitward.yaml"), configuration.as_bytes()).unwrap();
    judged_by(configuration, text)
}

fn judged_by(configuration: Configuration, text: &str) -> Vec<(String, String, String)> {
    let files = [TreeFile { path: Arc::from("prod/all.yaml"), bytes: Arc::from(text.as_bytes()) }];
    let judge = Judge::new(configuration, &[]).unwrap();
    let evaluation = judge.environment(&judge.configuration().environments[0], &files);
    let about_references = evaluation.findings.into_iter().filter(|f| !f.rule.starts_with("schema/unknown-kind"));
    about_references
        .map(|f| {
            assert_eq!(f.severity, Severity::Warning, "{f:?}");
            let place = f.place.as_ref().map(|p| format!("{}:{}", p.line, p.column)).unwrap_or_default();
            (f.rule.to_string(), place, f.hint.unwrap_or_default())
        })
        .collect()
}

/// What is written instead of what, with `^` before what the finding points to; rule and beginning of
/// the hint.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("serviceAccountName: web", "serviceAccountName: ^wbe", "reference/missing", "Did you mean `web`?"),
    ("envFrom: [{configMapRef: {name: settings}}]", "envFrom: [{configMapRef: {name: ^other}}]", "reference/missing", "Declare the ConfigMap"),
    ("{name: settings, key: colour}", "{name: settings, key: ^color}", "reference/key", "Keys there: colour."),
    ("{name: token, key: token}", "{name: token, key: ^tokn}", "reference/key", "Keys there: token."),
    ("{name: token, key: token}", "{name: ^tokens, key: token}", "reference/missing", "Did you mean `token`?"),
    ("configMap: {name: settings}}", "configMap: {name: ^setings}}", "reference/missing", "Did you mean `settings`?"),
    ("configMap: {name: settings}}", "configMap: {name: settings, items: [{key: ^nok, path: a}]}}", "reference/key", "Keys there: colour."),
    ("secretName: token", "secretName: token, items: [{key: token, path: a}, {key: ^nok, path: b}]", "reference/key", "Keys there: token."),
    ("{configMap: {name: kube-root-ca.crt}}", "{configMap: {name: settings, items: [{key: ^nok, path: a}]}}", "reference/key", "Keys there: colour."),
    ("{configMap: {name: kube-root-ca.crt}}", "{secret: {name: token, items: [{key: ^nok, path: a}]}}", "reference/key", "Keys there: token."),
    ("secretName: token", "secretName: ^absent", "reference/missing", "Declare the Secret"),
    ("claimName: disk", "claimName: ^disc", "reference/missing", "Did you mean `disk`?"),
    ("spec:\n  selector: {app: web}", "spec:\n  selector: ^{app: wbe}", "reference/selector", "Did you mean `app: web`?"),
    ("targetPort: http", "targetPort: ^web", "reference/port", "Ports there: http."),
    ("service: {name: web, port", "service: {name: ^wab, port", "reference/missing", "Did you mean `web`?"),
    ("port: {name: http}", "port: {number: ^81}", "reference/port", "Ports there: 80."),
    ("kind: Deployment, name: web", "kind: Deployment, name: ^api", "reference/missing", "Declare the Deployment"),
    ("matchLabels: {app: web}}}", "matchLabels: ^{app: api}}}", "reference/selector", "Did you mean `app: web`?"),
    ("kind: Role, name: reader", "kind: Role, name: ^raeder", "reference/missing", "Did you mean `reader`?"),
    ("ServiceAccount, name: web", "ServiceAccount, name: ^job", "reference/missing", "Declare the ServiceAccount"),
];

/// The text with something else written, and where its `^` stood.
fn mistaken(good: &str, bad: &str) -> (String, String) {
    assert!(WHOLE.contains(good), "{good}");
    let marked = WHOLE.replacen(good, bad, 1);
    let before = &marked[..marked.find('^').unwrap()];
    let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    (marked.replace('^', ""), format!("{}:{column}", before.matches('\n').count() + 1))
}

#[test]
fn each_mistake_is_a_warning_at_its_place() {
    assert_eq!(judged(CONFIGURATION, WHOLE), []);
    for (good, bad, rule, hint) in MISTAKES {
        let (text, place) = mistaken(good, bad);
        let found = judged(CONFIGURATION, &text);
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert_eq!((found[0].0.as_str(), &found[0].1), (*rule, &place), "{bad}");
        assert!(found[0].2.starts_with(hint), "{bad}: {}", found[0].2);
    }
}

#[test]
fn what_comes_from_elsewhere_is_not_missed() {
    let without = |kind: &str| {
        let parts: Vec<&str> = WHOLE.split("---\n").filter(|p| !p.contains(&format!("\nkind: {kind}\n"))).collect();
        parts.join("---\n")
    };
    let missed = |text: &str| judged(CONFIGURATION, text).len();
    assert!(missed(&without("Secret")) > 0);

    for custom in [
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: t, namespace: shop}\nspec: {target: {name: token}}\n",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: token, namespace: shop}\nspec: {}\n",
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: shop}\nspec: {secretName: token}\n",
    ] {
        assert_eq!(missed(&format!("{}---\n{custom}", without("Secret"))), 0, "{custom}");
    }
    let delegated = format!(
        "{CONFIGURATION}delegations:\n- name: secrets\n  accounts: ['system:serviceaccount:es:es']\n  reason: it makes them\n  \
         makes:\n  - {{kinds: [Secret], names: ['tok*'], owners: [{{kind: ExternalSecret}}]}}\n"
    );
    assert_eq!(judged(&delegated, &without("Secret")), []);

    // Pods that an operator makes of a custom resource.
    let operated = "apiVersion: db.example.org/v1\nkind: Database\nmetadata: {name: web, namespace: shop}\n";
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: {selector: {db: web}, ports: [{port: 1}]}\n";
    assert_eq!(missed(service), 1);
    assert_eq!(missed(&format!("{operated}{service}")), 0);

    let optional = WHOLE.replace("{name: token, key: token}", "{name: tokens, key: token, optional: true}");
    assert_eq!(missed(&optional), 0);
    let optional =
        WHOLE.replace("secretName: token", "secretName: token, optional: true, items: [{key: nok, path: a}]");
    assert_eq!(missed(&optional), 0);
    let fixed =
        [("serviceAccountName: web", "serviceAccountName: default"), ("claimName: disk", "claimName: data-db-0")];
    let set = "---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: shop}\nspec:\n  serviceName: web\n  \
               selector: {matchLabels: {app: db}}\n  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: 'a:1'}]}}\n  \
               volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n";
    let text = fixed.iter().fold(format!("{WHOLE}{set}"), |text, (from, to)| text.replacen(from, to, 1));
    assert_eq!(judged(CONFIGURATION, &text), []);
}

#[test]
fn nothing_is_missed_where_others_live_or_something_was_not_read() {
    let shared = WHOLE.replace("namespace: shop", "namespace: default").replace("name: settings", "name: other");
    assert_eq!(judged(CONFIGURATION, &shared), []);
    let broken = format!("{}---\nkind: ConfigMap\n", WHOLE.replace("secretName: token", "secretName: absent"));
    let configuration = config::parse(&Arc::from("gitward.yaml"), CONFIGURATION.as_bytes()).unwrap();
    let judge = Judge::new(configuration, &[]).unwrap();
    let files = [TreeFile { path: Arc::from("prod/all.yaml"), bytes: Arc::from(broken.as_bytes()) }];
    let evaluation = judge.environment(&judge.configuration().environments[0], &files);
    assert!(evaluation.findings.iter().all(|f| f.rule.starts_with("manifest/")), "{:?}", evaluation.findings);
}

#[test]
fn a_tree_without_configuration_is_not_asked_for_secrets() {
    let unconfigured = || Configuration { starter_policies: false, ..Configuration::for_unconfigured_tree() };
    let bare = WHOLE.replace(", namespace: shop", "");
    assert_eq!(judged_by(unconfigured(), &bare), []);
    let text =
        bare.replace("secretName: token", "secretName: absent").replacen("claimName: disk", "claimName: disc", 1);
    let found = judged_by(unconfigured(), &text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].2.starts_with("Did you mean `disk`?"), "{found:?}");
}
