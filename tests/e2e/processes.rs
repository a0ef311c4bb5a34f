//! What webhook and reconciler say while something that they need is not there yet, and that they
//! go on by themselves when it is.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use gitward_test_cluster::{Component, ControlPlane, DEPLOY, Options, WorkTree};
use serde_json::{Value, json};

use crate::running::Running;

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: prod, namespaces: [shop], clusterKinds: [StorageClass]}
";

const SHOP: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";

/// Webhook and reconciler under one account.
struct Both([Running; 2]);

impl Both {
    fn start(kubeconfig: &Path, folder: &Path, name: &str, learner: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let webhook = [format!("--listen={port}"), format!("--learner={learner}")];
        let webhook: Vec<&str> = webhook.iter().map(String::as_str).collect();
        Self([
            Running::start("webhook", kubeconfig, folder, name, &webhook),
            Running::start("reconcile", kubeconfig, folder, name, &[]),
        ])
    }

    async fn say(&mut self, part: &str) {
        for process in &mut self.0 {
            process.says(part, 1).await;
        }
    }
}

/// The kubeconfig of the administrator with another user in it.
fn kubeconfig_of(cluster: &ControlPlane, user: &Value) -> PathBuf {
    let text = std::fs::read_to_string(cluster.admin_kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"] = user.clone();
    let path = cluster.folder().join("other.kubeconfig");
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_once_and_waited_for() {
    let people = vec![("nobody".to_owned(), Vec::new())];
    let options = Options { people, controller_manager: false, ..Options::default() };
    let mut cluster = ControlPlane::start(options).await.unwrap();
    let folder = cluster.folder().to_owned();
    let admin = cluster.admin_kubeconfig().to_owned();
    let whoami = ["auth", "whoami", "--output=jsonpath={.status.userInfo.username}"];
    let learner = cluster.kubectl(&whoami).await.unwrap().checked().unwrap();
    let other = kubeconfig_of(&cluster, &json!({"token": "not-to-be-shown"}));

    cluster.kill(Component::ApiServer);
    let mut both = Both::start(&admin, &folder, "admin", &learner);
    both.say("the API server cannot be reached: Connection refused").await;
    cluster.start_component(Component::ApiServer).await.unwrap();
    both.say("the cluster does not know the kind Environment of gitward.dev; to do: kubectl apply -k deploy/").await;
    for manifest in &DEPLOY[..2] {
        cluster.apply(manifest).await.unwrap().checked().unwrap();
    }
    both.say("there is no Environment prod in the cluster; to do: create it").await;

    let mut refused = Both::start(&other, &folder, "unknown", &learner);
    refused.say("the API server refuses the credentials (401); to do: give a kubeconfig").await;
    let nobody = cluster.person_kubeconfig("nobody", &[]).unwrap();
    let mut powerless = Both::start(&nobody, &folder, "powerless", &learner);
    powerless
        .say("resource \"environments\" in API group \"gitward.dev\" at the cluster scope (403); to do: give the account")
        .await;
    for process in refused.0.iter().chain(&powerless.0) {
        assert!(!process.text().contains("not-to-be-shown") && !process.text().contains("panicked"));
    }

    let remote = folder.join("fleet.git");
    let made = Command::new("git").args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(&remote).status();
    assert!(made.unwrap().success());
    let work = WorkTree::clone(remote.to_str().unwrap(), folder.join("work")).unwrap();
    work.write("gitward.yaml", CONFIGURATION).unwrap();
    work.write("prod/shop.yaml", SHOP).unwrap();
    work.commit("The shop").unwrap();
    work.push().unwrap().checked().unwrap();
    let environment = format!(
        "apiVersion: gitward.dev/v1alpha1\nkind: Environment\nmetadata: {{name: prod}}\nspec: {{repository: '{}', ref: \
         refs/heads/main}}\n",
        remote.display()
    );
    cluster.apply(&environment).await.unwrap().checked().unwrap();
    let [webhook, reconciler] = &mut both.0;
    reconciler.says("1 objects as Git says", 1).await;
    webhook.says("registered with the API server", 1).await;

    // With all their watches: one word that it is gone, one that it is back.
    let before = [webhook.text().lines().count(), reconciler.text().lines().count()];
    let gone = [webhook, reconciler].map(|p| p.count("the API server cannot be reached"));
    cluster.kill(Component::ApiServer);
    for (process, gone) in both.0.iter_mut().zip(gone) {
        process.says_more("the API server cannot be reached", gone).await;
    }
    cluster.start_component(Component::ApiServer).await.unwrap();
    for (process, before) in both.0.iter_mut().zip(before) {
        process.says_more("the API server answers again", 0).await;
        let lines = process.text().lines().count() - before;
        assert!(lines <= 8, "{lines} lines about one outage: {}", process.text());
        assert!(!process.text().contains("panicked"), "{}", process.text());
    }
}
