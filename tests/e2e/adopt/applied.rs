//! What `kubectl apply` installed long ago.

use serde_json::{Value, json};

use super::scene::Scene;

const RUNNING: &str = include_str!("../fixtures/adopt/running.yaml");
const DEFINITION: &str = include_str!("../fixtures/adopt/crd.yaml");

/// The Secret's value, as a person wrote it and as the cluster keeps it.
const SECRETS: [&str; 2] = ["swordfish-8", "c3dvcmRmaXNoLTg"];

/// What no manifest of a person has.
const UNCLEAN: [&str; 27] = [
    "status:",
    "uid:",
    "resourceVersion",
    "creationTimestamp",
    "generation:",
    "managedFields",
    "last-applied",
    "meta.helm.sh",
    "argocd",
    "managed-by",
    "deployment.kubernetes.io/revision",
    "terminationMessagePath",
    "dnsPolicy",
    "schedulerName",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "imagePullPolicy",
    "clusterIPs",
    "nodePort",
    "sessionAffinity",
    "successfulJobsHistoryLimit",
    "engine",
    "metadata: {}",
    "controller-uid",
    "job-name",
    "volumeName",
    "pv.kubernetes.io",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_running_namespace_comes_under_git_without_a_surprise() {
    let mut scene = Scene::set(&[("crds/database.yaml", DEFINITION)], SECRETS.to_vec()).await;
    scene.install().await;
    let before = scene.pods().await;

    scene.refuses_what_it_cannot_do();
    scene.tells_what_restarts();
    scene.says_what_it_may_not_see().await;
    let report = scene.adopts();
    scene.tells_what_changes(&report);
    scene.manifests_are_clean(&report);
    println!("passed: the branch declares what runs");

    let commit = scene.merged("enforce");
    let history = scene.git(&["log", "-p", "--all"]);
    assert!(SECRETS.iter().all(|secret| !history.contains(secret)), "a Secret's value is in the repository");
    scene.gates().await;
    scene.converges(&commit).await;
    assert_eq!(scene.pods().await, before, "Pods were replaced");
    scene.in_peace(0).await;
    assert_eq!(scene.get("secret/payment").await["data"]["token"], "c3dvcmRmaXNoLTg=");
    assert_eq!(scene.get("deployment/web").await["spec"]["replicas"], 2);
    scene.nothing_is_left_to_adopt();
    assert_eq!(scene.differing(), ["main-settings", "payment"]);
}

impl Scene {
    /// What a team installed long ago, and what became of it since.
    async fn install(&self) {
        self.stage.cluster.apply(DEFINITION).await.unwrap().checked().unwrap();
        self.until("everything is installed", async || {
            Ok(self.stage.cluster.apply(RUNNING).await?.success().then_some(()))
        })
        .await;
        self.kubectl(&["rollout", "restart", "deployment/web", "-n", "shop"]).await;
        self.kubectl(&["label", "namespace", "shop", "team=storefront"]).await;
        let database = self.get("database/main").await;
        let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"size": "3"},
            "metadata": {"name": "main-settings", "namespace": "shop", "ownerReferences": [{"apiVersion": "db.example.org/v1",
                "kind": "Database", "name": "main", "uid": database["metadata"]["uid"], "controller": true}]}});
        self.stage.cluster.apply(&made.to_string()).await.unwrap().checked().unwrap();
        // The autoscaler's, not the manifest's number of replicas.
        self.until("everything runs", async || {
            let (web, ledger) = (self.get("deployment/web").await, self.get("statefulset/ledger").await);
            let rolled = web["status"]["observedGeneration"] == web["metadata"]["generation"]
                && ["replicas", "updatedReplicas", "readyReplicas"].iter().all(|n| web["status"][n] == 2);
            let pictures = self.get("pvc/pictures").await;
            Ok((rolled
                && pictures["status"]["phase"] == "Bound"
                && ledger["status"]["readyReplicas"] == 1
                && self.pods().await.len() == 4)
                .then_some(()))
        })
        .await;
    }

    fn refuses_what_it_cannot_do(&self) {
        let no_namespace = self.run(&["adopt", "-n", "shopp"], 2);
        assert!(
            no_namespace.contains("there is no namespace shopp") && no_namespace.contains("hint:"),
            "{no_namespace}"
        );
        let no_environment = self.run(&["adopt", "-n", "shop", "--environment", "dev"], 2);
        assert!(no_environment.contains("it names: prod"), "{no_environment}");
        let elsewhere = self.run(&["adopt", "-n", "shop", "--environment", "prod", "--path", "shop"], 2);
        assert!(elsewhere.contains("shop is not under prod"), "{elsewhere}");
        let checked_out = self.run(&["adopt", "-n", "shop", "--branch", "main", "--force"], 2);
        assert!(checked_out.contains("main is checked out"), "{checked_out}");
    }

    /// Without `--tidy` no Pod is restarted; with it the restart is announced.
    fn tells_what_restarts(&self) {
        let dry = ["adopt", "-n", "shop", "--environment", "prod", "--dry-run"];
        let restarting = |report: &Value| {
            let taken = report["taken"].as_array().unwrap().iter().flat_map(|t| t["effects"].as_array().unwrap());
            taken.filter(|e| e["restarts"] == true).map(|e| e["path"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(restarting(&self.json(&dry, 0)), [""; 0]);
        let tidy: Vec<&str> = dry.iter().copied().chain(["--tidy"]).collect();
        let report = self.json(&tidy, 0);
        assert!(restarting(&report)[0].contains("restartedAt"), "{report:#}");
        assert!(self.run(&tidy, 0).contains("the Pods of 1 workload are RESTARTED"));
        let secrets: Vec<&str> = dry.iter().copied().chain(["--secrets"]).collect();
        let report = self.json(&secrets, 0);
        assert!(report["manifests"]["prod/shop/secret-payment.yaml"].as_str().unwrap().contains(SECRETS[1]));
        assert_eq!(self.git(&["branch", "--list", "adopt/*"]), "");
    }

    /// Somebody who may see some of it is told what is missing.
    async fn says_what_it_may_not_see(&self) {
        let viewer = self.stage.cluster.person_kubeconfig("viewer", &[]).unwrap();
        self.kubectl(&["create", "rolebinding", "viewer", "-n", "shop", "--clusterrole=view", "--user=viewer"]).await;
        let asked = async || {
            let said =
                self.stage.cluster.kubectl(&["auth", "can-i", "list", "pods", "-n", "shop", "--as=viewer"]).await?;
            Ok(said.stdout.starts_with("yes").then_some(()))
        };
        self.until("the viewer's rights", asked).await;
        let text = self.run_as(&viewer, &["adopt", "-n", "shop", "--dry-run"], 2);
        for part in ["? Secret in shop: ", "? Deployment/web in shop: no dry run could be made", "to do: "] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        self.kubectl(&["delete", "rolebinding", "viewer", "-n", "shop"]).await;
    }

    fn adopts(&self) -> Value {
        let at = self.git(&["rev-parse", "HEAD"]);
        let report = self.json(&["adopt", "-n", "shop", "--environment", "prod"], 0);
        assert_eq!(report["branch"], "adopt/shop");
        assert_eq!(self.git(&["rev-parse", "adopt/shop"]).trim(), report["commit"]);
        assert_eq!(self.git(&["rev-parse", "HEAD", "adopt/shop^"]), format!("{at}{at}"));
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        let again = self.run(&["adopt", "-n", "shop"], 2);
        assert!(again.contains("adopt/shop is there already") && again.contains("--force"), "{again}");
        report
    }

    fn tells_what_changes(&self, report: &Value) {
        let of = |file: &str| {
            let taken = report["taken"].as_array().unwrap().iter().find(|t| t["file"] == format!("prod/shop/{file}"));
            let effects = taken.unwrap_or_else(|| panic!("no {file} in {report:#}"))["effects"].as_array().unwrap();
            effects
                .iter()
                .map(|e| format!("{} {}", e["how"].as_str().unwrap(), e["path"].as_str().unwrap()))
                .collect::<Vec<_>>()
        };
        let applied = "removed metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]";
        let tracked = "removed metadata.annotations[\"argocd.argoproj.io/tracking-id\"]";
        let instance = "removed metadata.labels[\"argocd.argoproj.io/instance\"]";
        assert_eq!(of("service-web.yaml"), [tracked, applied, instance]);
        assert_eq!(of("namespace-shop.yaml"), [""; 0]);
        assert_eq!(
            of("deployment-web.yaml"),
            [
                "removed metadata.annotations[\"argocd.argoproj.io/sync-wave\"]",
                tracked,
                applied,
                "removed metadata.annotations[\"meta.helm.sh/release-name\"]",
                "removed metadata.labels[\"app.kubernetes.io/managed-by\"]",
                "removed metadata.labels[\"helm.sh/chart\"]",
            ]
        );
        assert_eq!(report["left"][0]["object"]["name"], "payment", "{report:#}");
        assert_eq!(report["left"].as_array().unwrap().len(), 1);
        assert_eq!(report["operated"][0]["object"]["name"], "main-settings");
        assert_eq!(report["strange"], json!([]));
        let installers = report["installers"].as_array().unwrap();
        let told = installers.iter().map(|i| (i["installer"].as_str().unwrap(), i["objects"].as_u64().unwrap()));
        assert_eq!(told.collect::<Vec<_>>(), [("Argo CD's Application shop", 2)]);
    }

    fn manifests_are_clean(&self, report: &Value) {
        let listed = self.git(&["ls-tree", "-r", "--name-only", "adopt/shop", "prod"]);
        let files: Vec<&str> = listed.lines().collect();
        let expected = [
            "configmap-web",
            "cronjob-report",
            "database-main",
            "deployment-web",
            "gitward.adopt",
            "horizontalpodautoscaler-web",
            "ingress-web",
            "job-once",
            "namespace-shop",
            "persistentvolumeclaim-pictures",
            "role-web",
            "rolebinding-web",
            "service-ledger",
            "service-web",
            "serviceaccount-web",
            "statefulset-ledger",
        ];
        assert_eq!(files, expected.map(|name| format!("prod/shop/{name}.yaml")), "{report:#}");
        for file in files {
            let text = self.git(&["show", &format!("adopt/shop:{file}")]);
            for word in UNCLEAN {
                assert!(!text.contains(word), "{file} has {word}:\n{text}");
            }
        }
        let deployment = self.git(&["show", "adopt/shop:prod/shop/deployment-web.yaml"]);
        let restarted = deployment.lines().find(|l| l.contains("restartedAt")).unwrap();
        assert_eq!(deployment.replace(&format!("{restarted}\n"), ""), DEPLOYMENT);
        let ledger = self.git(&["show", "adopt/shop:prod/shop/statefulset-ledger.yaml"]);
        assert!(!ledger.contains("PersistentVolumeClaim"), "{ledger}");
        let ledger = self.git(&["show", "adopt/shop:prod/shop/service-ledger.yaml"]);
        assert!(ledger.contains("clusterIP: None"), "{ledger}");
    }

    fn nothing_is_left_to_adopt(&self) {
        let text = self.run(&["adopt", "-n", "shop", "--environment", "prod", "--branch", "again"], 0);
        assert!(text.contains("there is nothing in shop that Git would have to declare"), "{text}");
        assert_eq!(self.git(&["branch", "--list", "again"]), "");
    }
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    app: web
  annotations:
    example.org/owner: storefront
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
        helm.sh/chart: web-1.2.3
      annotations:
    spec:
      containers:
      - name: web
        image: registry.example.org/shop/web:1.4.2
        env:
        - name: PAYMENT_TOKEN
          valueFrom:
            secretKeyRef:
              name: payment
              key: token
        - name: POD
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        ports:
        - name: http
          containerPort: 8080
        readinessProbe:
          httpGet:
            path: /healthy
            port: http
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
        securityContext:
          allowPrivilegeEscalation: false
      securityContext:
        runAsNonRoot: true
      serviceAccountName: web
";
