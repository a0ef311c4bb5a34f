//! cert-manager's controllers and its CA injector, by the delegations that `deploy/` has for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gitward_test_cluster::{CertManager, CertManagerPart, Options, Output, Progress, RunningOperator, Sources, Stage};
use serde_json::{Value, json};

use super::bare;
use crate::fleet::gitward;

const WITHIN: Duration = Duration::from_secs(120);
const MANIFESTS: &str = "prod/certificates.yaml";
const DELEGATIONS: &str = include_str!("../../../deploy/delegations/cert-manager/gitward.yaml");
const READS: &str = include_str!("../../../deploy/delegations/cert-manager/webhook-rbac.yaml");

const CERTIFICATE: &str = "secret/web-tls";
const REGISTRATION: &str = "validatingwebhookconfiguration/shop";

#[tokio::test(flavor = "multi_thread")]
async fn what_cert_manager_issues_and_injects_passes_and_nothing_else() {
    let scene = Scene::set().await;
    scene.issues_and_injects().await;
    scene.issues_again_as_git_asks().await;
    scene.is_let_alone().await;
    scene.denies_the_controller_what_no_certificate_asks_for().await;
    scene.reverts_the_injector_in_all_but_the_bundle().await;
    scene.denies_others_what_is_theirs().await;
}

struct Scene {
    stage: Stage,
    programs: Vec<RunningOperator>,
    /// Credentials of the two accounts, in the wrong hands.
    controller: PathBuf,
    injector: PathBuf,
    mallory: PathBuf,
}

impl Scene {
    async fn set() -> Self {
        let provided = tokio::task::spawn_blocking(|| {
            CertManager::provide(&Sources::from_env(), &Progress::to(|line| println!("{line}")))
        });
        let options = Options { people: vec![("mallory".to_owned(), Vec::new())], ..Options::with_nodes(0) };
        let (program, stage) = tokio::join!(provided, Stage::set(gitward(), options));
        let (program, mut stage) = (program.unwrap().unwrap(), stage.unwrap());
        stage.install_hooks().unwrap();
        let configuration = format!("{}{DELEGATIONS}", include_str!("cert_manager/gitward.yaml"));
        stage.work.write("gitward.yaml", configuration).unwrap();
        stage.work.write(MANIFESTS, include_str!("cert_manager/certificates.yaml")).unwrap();
        for (name, text) in program.definitions().unwrap() {
            stage.work.write(&format!("prod/crds/{name}"), text).unwrap();
        }
        let bound = ["create", "clusterrolebinding", "mallory", "--clusterrole=cluster-admin", "--user=mallory"];
        stage.cluster.kubectl(&bound).await.unwrap().checked().unwrap();
        stage.cluster.apply(READS).await.unwrap().checked().unwrap();
        let (commit, pushed) = stage.push("Certificates").unwrap();
        pushed.checked().unwrap();
        stage.create_environment().await.unwrap();
        stage.start_reconciler().await.unwrap();
        stage.wait_converged(&commit, WITHIN).await.unwrap();
        // Kubelets ask for the tokens of real Pods; with the gate up nobody else may.
        let account = |name| stage.cluster.kubeconfig_for_service_account("cert-manager", name);
        let (controller, injector) =
            (account("cert-manager").await.unwrap(), account("cert-manager-cainjector").await.unwrap());
        let mallory = stage.cluster.person_kubeconfig("mallory", &[]).unwrap();
        stage.start_webhook().await.unwrap();
        let log = |name: &str| stage.cluster.folder().join(name);
        let programs = vec![
            program.start(CertManagerPart::Controller, &controller, &log("cert-manager.log")).unwrap(),
            program.start(CertManagerPart::CaInjector, &injector, &log("cainjector.log")).unwrap(),
        ];
        Self { stage, programs, controller, injector, mallory }
    }

    async fn get(&self, what: &str) -> Value {
        super::get(&self.stage, what, "shop").await
    }

    async fn until(&self, what: &str, object: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let waited = self.stage.wait_for(what, WITHIN, async || {
            let found = self.get(object).await;
            Ok(holds(&found).then_some(found))
        });
        match waited.await {
            Ok(found) => found,
            Err(why) => {
                let logs: Vec<String> = self.programs.iter().map(RunningOperator::log_tail).collect();
                panic!("{why}\ntheir logs end with:\n{}", logs.join("\n---\n"))
            }
        }
    }

    async fn write_as(&self, who: &Path, how: &str, object: &Value) -> Output {
        let namespace: &[&str] = if object["metadata"]["namespace"].is_null() { &[] } else { &["-n", "shop"] };
        let arguments = [&[how, "-f", "-"], namespace].concat();
        self.stage.cluster.kubectl_as(who, &arguments, &object.to_string()).await.unwrap()
    }

    async fn denied(&self, who: &Path, how: &str, object: &Value, what: &str) {
        let denied = self.write_as(who, how, object).await;
        assert!(!denied.success(), "{what}: let through");
        assert!(denied.stderr.contains("gitward.dev\" denied"), "{what}: {}", denied.stderr);
    }

    async fn issues_and_injects(&self) {
        let ready = |c: &Value| condition(c, "Ready") == "True";
        self.until("the certificate to be issued", "certificate.cert-manager.io/web", ready).await;
        let issued = self.until("its Secret", CERTIFICATE, |s| s["data"]["tls.crt"].is_string()).await;
        let authority = issued["data"]["ca.crt"].clone();
        let injected = |r: &Value| r["webhooks"][0]["clientConfig"]["caBundle"] == authority;
        self.until("the bundle to be injected", REGISTRATION, injected).await;
    }

    async fn issues_again_as_git_asks(&self) {
        let before = self.get(CERTIFICATE).await["data"]["tls.crt"].clone();
        let text = self.stage.work.read(MANIFESTS).unwrap();
        self.stage.work.write(MANIFESTS, text.replace("[web.shop.svc]", "[web.shop.svc, www.example.org]")).unwrap();
        let (commit, pushed) = self.stage.push("One name more").unwrap();
        pushed.checked().unwrap();
        self.stage.wait_converged(&commit, WITHIN).await.unwrap();
        self.until("another certificate", CERTIFICATE, |s| {
            s["data"]["tls.crt"].is_string() && s["data"]["tls.crt"] != before
        })
        .await;
        let revision = |c: &Value| c["status"]["revision"] == 2 && condition(c, "Ready") == "True";
        self.until("the second revision", "certificate.cert-manager.io/web", revision).await;
    }

    /// Nothing of it was denied, told as a divergence, or taken away.
    async fn is_let_alone(&self) {
        let log = std::fs::read_to_string(self.stage.webhook_log()).unwrap();
        let denied: Vec<&str> = log.lines().filter(|l| l.contains("decision=Denied")).collect();
        assert!(denied.is_empty(), "denied:\n{}", denied.join("\n"));
        let log = std::fs::read_to_string(self.stage.reconciler_log()).unwrap();
        let told: Vec<&str> = log.lines().filter(|l| l.contains("reason=Diverged")).collect();
        assert!(told.is_empty(), "told:\n{}", told.join("\n"));
        let metrics = self.stage.webhook_metrics().await.unwrap();
        let used = r#"kind="Delegated",name="cert-manager""#;
        assert!(metrics.lines().any(|l| l.contains(used) && !l.ends_with(" 0")), "it is not counted");
    }

    async fn denies_the_controller_what_no_certificate_asks_for(&self) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine", "namespace": "shop"}});
        let mut named = secret.clone();
        named["metadata"]["annotations"] = json!({"cert-manager.io/certificate-name": "web"});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine", "namespace": "shop"},
            "spec": {"containers": [{"name": "a", "image": "evil:1"}]}});
        let requests = self.get("certificaterequests.cert-manager.io").await;
        let mut request = bare(&requests["items"][0], "forged");
        request["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        let all =
            [("a Secret of nobody's", secret), ("another Secret of a certificate's", named), ("a request", request)];
        for (what, object) in all {
            self.denied(&self.controller, "create", &object, what).await;
        }
        // It has no right to; with one it would be denied.
        self.denied(&self.mallory, "create", &pod, "a Pod").await;
        let mut certificate = self.get("certificate.cert-manager.io/web").await;
        certificate["spec"]["dnsNames"] = json!(["evil.example.org"]);
        self.denied(&self.controller, "replace", &certificate, "another name in a certificate").await;
    }

    /// No API server asks a webhook about webhooks: the reconciler sees it.
    async fn reverts_the_injector_in_all_but_the_bundle(&self) {
        let registration = self.get(REGISTRATION).await;
        for (what, pointer, value) in [
            ("another service", "/webhooks/0/clientConfig/service/name", json!("evil")),
            ("another rule", "/webhooks/0/rules/0/resources/0", json!("*")),
            ("a closed webhook", "/webhooks/0/failurePolicy", json!("Fail")),
        ] {
            let before = registration.pointer(pointer).unwrap();
            let patch = json!([{"op": "replace", "path": pointer, "value": value}]).to_string();
            let arguments = ["patch", "validatingwebhookconfiguration", "shop", "--type=json", "-p", &patch];
            let patched = self.stage.cluster.kubectl_as(&self.injector, &arguments, "").await.unwrap();
            assert!(patched.success(), "{what}: {}", patched.stderr);
            self.until(&format!("revert of {what}"), REGISTRATION, |r| r.pointer(pointer) == Some(before)).await;
        }
        let bundle = "/webhooks/0/clientConfig/caBundle";
        assert_eq!(self.get(REGISTRATION).await.pointer(bundle), registration.pointer(bundle));
    }

    async fn denies_others_what_is_theirs(&self) {
        let mut issued = self.get(CERTIFICATE).await;
        issued["data"]["tls.key"] = json!("ZXZpbA==");
        self.denied(&self.mallory, "replace", &issued, "another key").await;
    }
}

/// The status of a condition.
fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    conditions.iter().find(|c| c["type"] == kind).and_then(|c| c["status"].as_str()).unwrap_or_default()
}
