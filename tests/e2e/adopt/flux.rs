//! What the real Flux installed from Git moves to gitward, one namespace and not the other.

mod at_work;

use serde_json::Value;

use at_work::AtWork;

/// Marks that Flux leaves on what it installs.
const MARKS: [&str; 2] = [
    "removed metadata.labels[\"kustomize.toolkit.fluxcd.io/name\"]",
    "removed metadata.labels[\"kustomize.toolkit.fluxcd.io/namespace\"]",
];

/// What no manifest of a person has.
const UNCLEAN: [&str; 8] =
    ["fluxcd", "status:", "uid:", "managedFields", "terminationMessagePath", "clusterIPs", "replicas:", "swordfish"];

/// What Flux may still make in a namespace that has moved.
const DELEGATION: &str = "\
delegations:
- name: secrets-from-flux
  accounts: [\"system:serviceaccount:flux-system:kustomize-controller\"]
  reason: Flux decrypts what Git holds encrypted
  makes:
  - {kinds: [Secret], namespaces: [shop], names: [payment]}
";

/// A Pod that somebody started by hand, in the namespace that moves last.
const CURATOR: &str = include_str!("../fixtures/adopt/flux/curator.yaml");

/// What comes under Git. The name of one ConfigMap ends with a digest.
const TAKEN: [&str; 10] = [
    "ConfigMap pages",
    "ConfigMap settings-",
    "Namespace shop",
    "Service ledger",
    "Service web",
    "ServiceAccount web",
    "Deployment web",
    "StatefulSet ledger",
    "HorizontalPodAutoscaler web",
    "CronJob report",
];

/// The safe order: adopt, observe, suspend, enforce, remove.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_moves_from_flux_and_the_other_stays() {
    let mut flux = AtWork::set(&[("shop", "./flux/shop"), ("books", "./flux/books")]).await;
    let (shop, books) = (flux.everything_in("shop").await, flux.everything_in("books").await);

    let report = flux.scene.json(&["adopt", "-n", "shop", "--environment", "prod"], 0);
    tells_what_changes(&report);
    tells_who_has_to_let_go(&flux, &report);
    manifests_are_clean(&flux);

    let observed = flux.scene.merged("observe");
    flux.scene.gates().await;
    flux.scene.observed(&observed).await;
    flux.scene.differs_as_it_was_told(&report);
    flux.applied("shop", &observed).await;
    assert_eq!(flux.everything_in("shop").await, shop, "observing changes something");

    flux.sets("shop", "suspend", true).await;
    let commit = flux.scene.govern("enforce");
    flux.scene.converges(&commit).await;
    let told = flux.scene.told();
    assert_eq!(flux.everything_in("shop").await, shop, "something was made anew");
    marks_are_gone(&flux).await;

    flux.scene.kubectl(&["delete", "kustomization", "shop", "-n", "flux-system"]).await;
    assert_eq!(flux.everything_in("shop").await, shop, "Flux took something with it");
    flux.applied("books", &commit).await;
    flux.scene.in_peace(told).await;
    // Left out, and nobody's now.
    assert_eq!(flux.scene.differing(), ["payment"]);
    assert_eq!(flux.everything_in("books").await, books);
    println!("passed: nothing noticed that it moved");

    the_other_is_fluxs(&flux).await;
    this_one_is_gits(&flux).await;
    flux_cannot_come_back(&flux).await;
    assert_eq!(flux.everything_in("shop").await, shop);
    what_git_drops_goes(&flux).await;
    the_other_moves_as_well(&flux).await;
    this_one_goes_back(&flux).await;
}

/// The safe order where Flux installs several namespaces together: it forgets one while it does not prune.
/// The Secret, which is no business of gitward's Git, goes on coming from Flux.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_leaves_what_flux_goes_on_installing() {
    let mut flux = AtWork::set(&[("apps", "./flux")]).await;
    let (shop, books) = (flux.everything_in("shop").await, flux.everything_in("books").await);
    flux.sets("apps", "prune", false).await;
    flux.scene.git(&["rm", "-r", "--quiet", "flux/shop"]);
    let commit = flux.push_token("swordfish-9");
    flux.applied("apps", &commit).await;
    flux.sets("apps", "prune", true).await;
    flux.applied("apps", &commit).await;
    flux.installs("secrets", "./secrets").await;
    flux.applied("secrets", &commit).await;
    assert_eq!(flux.everything_in("shop").await, shop, "Flux took something with it");

    flux.scene.json(&["adopt", "-n", "shop", "--environment", "prod"], 0);
    flux.scene.git(&["merge", "--quiet", "--ff-only", "adopt/shop"]);
    let commit = flux.scene.govern_all("shop", "enforce", DELEGATION);
    flux.scene.gates().await;
    flux.scene.converges(&commit).await;
    let told = flux.scene.told();
    marks_are_gone(&flux).await;
    assert_eq!(flux.everything_in("shop").await, shop, "something was made anew");

    flux.push_price("31");
    let commit = flux.push_token("swordfish-10");
    flux.applied("apps", &commit).await;
    flux.applied("secrets", &commit).await;
    assert_eq!(flux.price().await, "31");
    assert_eq!(flux.scene.get("secret/payment").await["data"]["token"], "c3dvcmRmaXNoLTEw");
    let denied = flux.as_flux(&["label", "configmap/pages", "-n", "shop", "by=flux"]).await;
    assert!(denied.contains("gitward.dev\" denied"), "{denied}");
    let other = ["create", "secret", "generic", "other", "-n", "shop", "--from-literal=a=b"];
    assert!(flux.as_flux(&other).await.contains("gitward.dev\" denied"));
    assert_eq!((flux.everything_in("shop").await, flux.everything_in("books").await), (shop, books));
    flux.scene.in_peace(told).await;
}

/// Nobody told Flux to let go of one of two namespaces that it installs together, and it is told the wrong
/// way then.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_namespaces_that_flux_installs_together_is_kept_from_it() {
    let mut flux = AtWork::set(&[("apps", "./flux")]).await;
    let shop = flux.everything_in("shop").await;
    let text = flux.scene.run(&["adopt", "-n", "shop", "--environment", "prod"], 0);
    assert!(text.contains("! Flux's Kustomization flux-system/apps (11 objects)"), "{text}");
    let commit = flux.scene.merged("enforce");
    flux.scene.gates().await;
    flux.scene.converges(&commit).await;
    let told = flux.scene.told();
    marks_are_gone(&flux).await;

    // Flux tries all of it before it writes any, so what it may still install waits as well.
    flux.fails("apps", &["dry-run failed", "gitward.dev\" denied", "this is not what Git says"]).await;
    flux.push_price("31");
    flux.fails("apps", &["gitward.dev\" denied"]).await;
    assert_eq!(flux.price().await, "30");
    assert_eq!(flux.everything_in("shop").await, shop);

    // Gone from what Flux installs, with pruning on. It does not know any more what lost its marks; the
    // Secret, which Git does not declare, has them.
    flux.scene.git(&["rm", "-r", "--quiet", "flux/shop"]);
    let pushed = flux.scene.stage.push("Flux installs the shop no longer").unwrap();
    pushed.1.checked().unwrap();
    flux.price_becomes("31").await;
    flux.fails("apps", &["Secret/shop/payment delete failed", "gitward.dev\" denied"]).await;
    assert_eq!(flux.everything_in("shop").await, shop, "Flux removed something");
    println!("passed: Flux removes nothing");

    // The way out: without pruning it forgets, and then it may prune again.
    flux.sets("apps", "prune", false).await;
    flux.applied("apps", &pushed.0).await;
    flux.sets("apps", "prune", true).await;
    let commit = flux.push_price("32");
    flux.applied("apps", &commit).await;
    assert_eq!(flux.price().await, "32");
    assert_eq!(flux.everything_in("shop").await, shop);
    flux.scene.in_peace(told).await;
}

/// A Kustomization is removed that nobody has suspended.
#[tokio::test(flavor = "multi_thread")]
async fn what_flux_is_told_to_remove_stays() {
    let mut flux = AtWork::set(&[("shop", "./flux/shop"), ("books", "./flux/books")]).await;
    let shop = flux.everything_in("shop").await;
    flux.scene.json(&["adopt", "-n", "shop", "--environment", "prod"], 0);
    let commit = flux.scene.merged("enforce");
    flux.scene.gates().await;
    flux.scene.converges(&commit).await;
    let told = flux.scene.told();

    flux.scene.kubectl(&["delete", "kustomization", "shop", "-n", "flux-system", "--wait=false"]).await;
    flux.is_denied_to_delete("Secret/payment in shop").await;
    for what in ["deployment/web", "configmap/pages", "secret/payment", "statefulset/ledger"] {
        let denied = flux.as_flux(&["delete", what, "-n", "shop"]).await;
        assert!(denied.contains("gitward.dev\" denied"), "{what}: {denied}");
    }
    let denied = flux.as_flux(&["delete", "namespace", "shop"]).await;
    assert!(denied.contains("gitward.dev\" denied"), "{denied}");
    assert_eq!(flux.everything_in("shop").await, shop, "Flux removed something");
    assert!(flux.kustomization("shop").await.is_object(), "it waits for what it may not remove");

    flux.sets("shop", "suspend", true).await;
    flux.until("the Kustomization to go", async || flux.kustomization("shop").await.is_null().then_some(())).await;
    assert_eq!(flux.everything_in("shop").await, shop);
    flux.scene.in_peace(told).await;

    // Flux means it: what nobody keeps from it goes.
    flux.scene.kubectl(&["delete", "kustomization", "books", "-n", "flux-system"]).await;
    flux.until("the books to be removed", async || {
        let books = ["get", "namespace", "books", "--ignore-not-found", "-o", "name"];
        flux.scene.kubectl(&books).await.is_empty().then_some(())
    })
    .await;
}

fn tells_what_changes(report: &Value) {
    let taken = report["taken"].as_array().unwrap();
    for (one, expected) in taken.iter().zip(TAKEN) {
        let object = format!("{} {}", one["object"]["kind"].as_str().unwrap(), one["object"]["name"].as_str().unwrap());
        assert!(object.starts_with(expected), "{object} is no {expected}: {report:#}");
        let effects = one["effects"].as_array().unwrap().iter();
        let effects: Vec<String> =
            effects.map(|e| format!("{} {}", e["how"].as_str().unwrap(), e["path"].as_str().unwrap())).collect();
        assert_eq!(effects, MARKS, "{one:#}");
        assert!(one["effects"].as_array().unwrap().iter().all(|e| e["restarts"] == false), "{one:#}");
    }
    assert_eq!(taken.len(), TAKEN.len(), "{report:#}");
    assert_eq!(report["left"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!((&report["strange"], &report["operated"]), (&Value::Array(vec![]), &Value::Array(vec![])));
}

fn tells_who_has_to_let_go(flux: &AtWork, report: &Value) {
    let installers = report["installers"].as_array().unwrap();
    assert_eq!(installers.len(), 1, "{report:#}");
    assert_eq!(installers[0]["installer"], "Flux's Kustomization flux-system/shop");
    assert_eq!(installers[0]["objects"], 11);
    let text = flux.scene.run(&["adopt", "-n", "shop", "--environment", "prod", "--dry-run"], 0);
    assert!(text.contains("suspend it before `mode: enforce`"), "{text}");
    assert!(text.contains("no Pod is restarted by that"), "{text}");
}

fn manifests_are_clean(flux: &AtWork) {
    let listed = flux.scene.git(&["ls-tree", "-r", "--name-only", "adopt/shop", "prod"]);
    for file in listed.lines() {
        let text = flux.scene.git(&["show", &format!("adopt/shop:{file}")]);
        let found: Vec<&&str> = UNCLEAN.iter().filter(|word| text.contains(**word)).collect();
        assert!(found.is_empty(), "{file} has {found:?}:\n{text}");
    }
}

async fn marks_are_gone(flux: &AtWork) {
    for what in ["deployment/web", "configmap/pages", "cronjob/report", "hpa/web", "service/web", "statefulset/ledger"]
    {
        let object = flux.scene.get(what).await;
        assert!(!object["metadata"]["labels"].to_string().contains("fluxcd"), "{what}: {object:#}");
    }
}

/// Flux applies what is pushed, and takes back what somebody edits by hand. gitward does neither.
async fn the_other_is_fluxs(flux: &AtWork) {
    let commit = flux.push_price("33");
    flux.price_becomes("33").await;
    flux.applied("books", &commit).await;
    let edit = ["patch", "configmap/prices", "-n", "books", "-p", r#"{"data":{"atlas":"1"}}"#];
    let edited = flux.scene.stage.cluster.kubectl(&edit).await.unwrap();
    assert!(edited.success() && edited.stderr.is_empty(), "{}", edited.stderr);
    flux.price_becomes("33").await;
    let shelf = flux.scene.kubectl(&["get", "deployment/shelf", "-n", "books", "-o", "json"]).await;
    assert!(shelf.contains("\"kustomize.toolkit.fluxcd.io/name\": \"books\""), "{shelf}");
}

async fn this_one_is_gits(flux: &AtWork) {
    let edit = ["set", "image", "deployment/web", "-n", "shop", "web=registry.example.org/shop/web:evil"];
    let denied = flux.scene.stage.cluster.kubectl(&edit).await.unwrap();
    assert!(denied.stderr.contains("gitward.dev\" denied"), "{}", denied.stderr);
    assert!(denied.stderr.contains("prod/shop/deployment-web.yaml"), "{}", denied.stderr);
    let denied =
        flux.as_flux(&["label", "configmap/pages", "-n", "shop", "kustomize.toolkit.fluxcd.io/name=shop"]).await;
    assert!(denied.contains("gitward.dev\" denied") && denied.contains("prod/shop/configmap-pages.yaml"), "{denied}");
}

/// Somebody makes the Kustomization anew, and Flux is told what it may not.
async fn flux_cannot_come_back(flux: &AtWork) {
    let told = flux.scene.told();
    flux.installs("shop", "./flux/shop").await;
    let label = "metadata.labels[\"kustomize.toolkit.fluxcd.io/name\"]";
    flux.fails("shop", &["gitward.dev\" denied", "this is not what Git says", "prod/shop/", label]).await;
    flux.scene.in_peace(told).await;
    flux.scene.kubectl(&["delete", "kustomization", "shop", "-n", "flux-system"]).await;
}

/// Fields that Flux's field manager owns to this day go with their lines in Git.
async fn what_git_drops_goes(flux: &AtWork) {
    let scene = &flux.scene;
    let owned = scene.kubectl(&["get", "configmap/pages", "-n", "shop", "-o", "json", "--show-managed-fields"]).await;
    let owned: Value = serde_json::from_str(&owned).unwrap();
    let managers = owned["metadata"]["managedFields"].as_array().unwrap();
    let fluxs = managers.iter().find(|m| m["manager"] == "kustomize-controller" && m["operation"] == "Apply");
    assert!(fluxs.is_some_and(|m| m["fieldsV1"]["f:data"]["f:imprint"].is_object()), "{managers:#?}");

    drop_lines(flux, "prod/shop/configmap-pages.yaml", &["imprint"]);
    drop_lines(flux, "prod/shop/deployment-web.yaml", &["- name: LANTERN", "value: lit"]);
    let (commit, pushed) = scene.stage.push("Less of it").unwrap();
    pushed.checked().unwrap();
    scene.converges(&commit).await;
    let (pages, web) = (scene.get("configmap/pages").await, scene.get("deployment/web").await);
    assert_eq!(pages["data"].as_object().unwrap().len(), 1, "{pages:#}");
    assert!(!web["spec"]["template"].to_string().contains("LANTERN"), "{web:#}");
}

/// Namespace by namespace: this one is governed later than the first, and what was in it by then is no
/// stranger.
async fn the_other_moves_as_well(flux: &AtWork) {
    let scene = &flux.scene;
    scene.stage.cluster.apply(CURATOR).await.unwrap().checked().unwrap();
    let is_running = async || {
        let phase = ["get", "pod/curator", "-n", "books", "-o", "jsonpath={.status.phase}"];
        (scene.kubectl(&phase).await == "Running").then_some(())
    };
    flux.until("the curator to run", is_running).await;
    let (shop, books) = (flux.everything_in("shop").await, flux.everything_in("books").await);

    let text = scene.run(&["adopt", "-n", "books", "--environment", "prod"], 0);
    for part in ["no Pod is restarted by that", "! Flux's Kustomization flux-system/books (3 objects)", "Pod/curator"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    scene.git(&["merge", "--quiet", "--ff-only", "adopt/books"]);
    flux.sets("books", "suspend", true).await;
    let commit = scene.govern_all("shop, books", "enforce", "");
    scene.converges(&commit).await;
    let told = scene.told();
    scene.kubectl(&["delete", "kustomization", "books", "-n", "flux-system"]).await;
    scene.in_peace(told).await;
    assert_eq!(flux.everything_in("books").await, books, "something was made anew, or removed");
    assert_eq!(flux.everything_in("shop").await, shop);
    let edit = ["patch", "configmap/prices", "-n", "books", "-p", r#"{"data":{"atlas":"1"}}"#];
    let denied = scene.stage.cluster.kubectl(&edit).await.unwrap();
    assert!(denied.stderr.contains("gitward.dev\" denied"), "{}", denied.stderr);
}

/// A namespace is let go of as it is, and Flux takes it up again.
async fn this_one_goes_back(flux: &AtWork) {
    let scene = &flux.scene;
    let (shop, books) = (flux.everything_in("shop").await, flux.everything_in("books").await);
    scene.git(&["rm", "-r", "--quiet", "prod/shop"]);
    let commit = scene.govern_all("books", "enforce", "");
    scene.converges(&commit).await;
    assert_eq!(flux.everything_in("shop").await, shop, "gitward took something with it");
    let log = std::fs::read_to_string(scene.stage.reconciler_log()).unwrap();
    assert!(log.contains("objects that are not governed any more are left as they are: shop (10)"), "it is not told");
    flux.installs("shop", "./flux/shop").await;
    flux.applied("shop", &commit).await;
    let pages = scene.get("configmap/pages").await;
    assert_eq!(pages["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"], "shop");
    assert!(pages["data"]["imprint"].is_string(), "{pages:#}");
    assert_eq!(flux.everything_in("books").await, books);
}

fn drop_lines(flux: &AtWork, file: &str, parts: &[&str]) {
    let text = flux.scene.stage.work.read(file).unwrap();
    let kept: String =
        text.lines().filter(|l| !parts.iter().any(|p| l.contains(p))).map(|l| format!("{l}\n")).collect();
    assert_eq!(text.lines().count(), kept.lines().count() + parts.len(), "{text}");
    flux.scene.stage.work.write(file, kept).unwrap();
}
