//! `gitward check`, `init` and `explain` on a laptop.

mod workspace;

use workspace::Workspace;

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: shop
spec:
  containers:
  - name: app
    image: registry.example.org/app:1.0
    imagePullPolicy: Sometimes
";

#[test]
fn a_tree_without_configuration_is_checked_as_it_is() {
    let work = Workspace::without_hooks();
    let check = work.try_gitward(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.text);
    check.shows(&["no Kubernetes manifests"]);

    work.write("compose.yaml", "services: {}\n");
    work.write("deep/er/pod.yaml", POD);
    let check = work.try_gitward(&["check"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["schema/", "deep/er/pod.yaml:10:22", "1 object in 1 file"]);
    for part in ["deep/er/pod.yaml", "deep"] {
        let check = work.try_gitward(&["check", part]);
        assert_eq!(check.code, Some(1), "{}", check.text);
        check.shows(&["deep/er/pod.yaml:10:22"]);
    }
    work.write("elsewhere/pod.yaml", &POD.replace("Sometimes", "Always"));
    assert_eq!(work.try_gitward(&["check", "elsewhere"]).code, Some(0));
    work.write(".gitignore", "deep/\n");
    assert_eq!(work.try_gitward(&["check"]).code, Some(0), "what Git ignores is not read");
    work.git(&["add", "--force", "deep"]);
    assert_eq!(work.try_gitward(&["check"]).code, Some(1), "unless it is tracked");
}

#[test]
fn the_working_tree_and_the_index_are_told_apart() {
    let work = Workspace::without_hooks();
    work.write(
        "gitward.yaml",
        "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nstarterPolicies: false\nenvironments:\n\
         - {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}\n\
         - {name: dev, ref: refs/heads/dev, path: dev, namespaces: [shop]}\n",
    );
    work.write("deploy/pod.yaml", &POD.replace("Sometimes", "Always"));
    work.git(&["add", "--all"]);
    work.write("deploy/pod.yaml", POD);
    assert_eq!(work.try_gitward(&["check", "--staged"]).code, Some(0));
    let check = work.try_gitward(&["check"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&[
        "deploy/pod.yaml:10:22",
        "prod: 1 object, 1 error",
        "`path` of environment dev is dev",
        "dev: 0 objects, 1 warning",
    ]);
    assert_eq!(work.try_gitward(&["check", "--environment", "dev"]).code, Some(0));
    let unknown = work.try_gitward(&["check", "--environment", "nope"]);
    assert_eq!(unknown.code, Some(2));
    unknown.shows(&["error: there is no environment \"nope\"", "hint: gitward.yaml names these: prod, dev"]);
}

#[test]
fn an_exemption_that_is_over_is_warned_of_where_it_says_so() {
    let work = Workspace::without_hooks();
    let exemption = |until: &str| {
        format!(
            "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironments: []\nexemptions:\n- name: restarts\n  \
             accounts: [sre]\n  kinds: [Deployment]\n  until: {until}\n  reason: tests\n"
        )
    };
    work.write("gitward.yaml", &exemption("2020-01-01T00:00:00Z"));
    let check = work.try_gitward(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.text);
    check.shows(&[
        "warning[config/expired]: exemption \"restarts\" holds no more since 2020-01-01T00:00:00Z",
        "gitward.yaml:8:10",
        "fix: remove the exemption, or move `until`",
    ]);
    work.write("gitward.yaml", &exemption("9000-01-01T00:00:00Z"));
    let check = work.try_gitward(&["check"]);
    assert!(check.code == Some(0) && !check.text.contains("warning"), "{}", check.text);
}

#[test]
fn machines_get_their_formats() {
    let work = Workspace::without_hooks();
    work.write("pod.yaml", POD);
    let json = work.try_gitward(&["check", "--format", "json"]);
    assert_eq!(json.code, Some(1));
    let parsed: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert!(parsed.to_string().contains("\"line\":10"), "{parsed}");
    let sarif: serde_json::Value =
        serde_json::from_str(&work.try_gitward(&["check", "--format", "sarif"]).text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    work.try_gitward(&["check", "--format", "github"]).shows(&["::error file=pod.yaml,line=10,"]);
}

#[test]
fn a_first_configuration_is_written_from_what_is_there() {
    let work = Workspace::without_hooks();
    work.write("deploy/pod.yaml", &POD.replace("Sometimes", "Always"));
    work.write("deploy/more/ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n");
    work.write("deploy/more/public.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-public}\n");
    work.write("deploy/more/sys.yaml", &POD.replace("namespace: shop", "namespace: kube-system"));
    work.write(
        "deploy/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n",
    );
    let init = work.try_gitward(&["init"]);
    assert_eq!(init.code, Some(0), "{}", init.text);
    init.shows(&["from 5 objects", "shared, since clusters need them to start: kube-public, kube-system"]);
    let text = std::fs::read_to_string(work.path("gitward.yaml")).unwrap();
    for line in [
        "ref: refs/heads/main",
        "path: deploy",
        "namespaces: [extra, shop]",
        "sharedNamespaces: [kube-public, kube-system]",
        "sharedClusterKinds: [Namespace]",
        "clusterKinds: [ClusterRole.rbac.authorization.k8s.io]",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let check = work.try_gitward(&["check"]);
    assert!(!check.text.contains("tree/"), "{}", check.text);
    let again = work.try_gitward(&["init"]);
    assert_eq!(again.code, Some(2));
    again.shows(&["is there already", "hint: "]);
}

#[test]
fn a_first_configuration_follows_no_link_and_says_when_there_is_nothing() {
    let work = Workspace::without_hooks();
    let target = work.path("elsewhere.yaml");
    std::os::unix::fs::symlink(&target, work.path("gitward.yaml")).unwrap();
    let init = work.try_gitward(&["init"]);
    assert_eq!(init.code, Some(2), "{}", init.text);
    init.shows(&["is there already", "hint: "]);
    assert!(!target.exists());
    std::fs::remove_file(work.path("gitward.yaml")).unwrap();
    let init = work.try_gitward(&["init"]);
    assert_eq!(init.code, Some(0), "{}", init.text);
    init.shows(&["no manifest was found"]);
}

#[test]
fn a_bare_repository_gets_no_first_configuration() {
    let work = Workspace::without_hooks();
    work.git(&["init", "--bare", "--quiet", "server.git"]);
    for arguments in [&["init", "server.git"][..], &["init", "--stdout", "server.git/refs"]] {
        let init = work.try_gitward(arguments);
        assert_eq!(init.code, Some(2), "{}", init.text);
        init.shows(&["is in a bare repository, which has no working tree to write gitward.yaml to", "hint: clone it"]);
    }
    assert!(!work.path("server.git/gitward.yaml").exists());
}

#[test]
fn rules_are_explained_and_unknown_ones_named() {
    let work = Workspace::without_hooks();
    let explain = work.try_gitward(&["explain", "push/force"]);
    assert_eq!(explain.code, Some(0), "{}", explain.text);
    explain.shows(&["push/force"]);
    let unknown = work.try_gitward(&["explain", "push/nonsense"]);
    assert_eq!(unknown.code, Some(2));
    unknown.shows(&["hint: "]);
}

#[test]
fn policies_are_tested_by_their_own_tests() {
    let work = Workspace::without_hooks();
    work.write("policies/a.rego", "package gitward.a\nimport rego.v1\ndeny contains \"no\" if input.object.x\n");
    work.write(
        "policies/a_test.rego",
        "package gitward.a\nimport rego.v1\ntest_good if count(deny) == 1 with input as {\"object\": {\"x\": true}}\n",
    );
    let passed = work.try_gitward(&["policy", "test", "policies"]);
    assert_eq!(passed.code, Some(0), "{}", passed.text);
    passed.shows(&["gitward.a.test_good", "1 test, all passed"]);
    work.write(
        "policies/a_test.rego",
        "package gitward.a\nimport rego.v1\ntest_bad if count(deny) == 2 with input as {\"object\": {\"x\": true}}\n",
    );
    let failed = work.try_gitward(&["policy", "test", "policies"]);
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    failed.shows(&["policies/a_test.rego:3", "gitward.a.test_bad"]);
    assert_eq!(work.try_gitward(&["policy", "test", "nowhere"]).code, Some(2));
}

#[test]
fn the_version_is_told() {
    let work = Workspace::without_hooks();
    work.try_gitward(&["--version"]).shows(&["gitward "]);
}

#[test]
fn only_what_a_report_of_before_does_not_tell_is_told() {
    let work = Workspace::without_hooks();
    work.write("pod.yaml", POD);
    let before = work.try_gitward(&["check", "--format", "json"]);
    assert_eq!(before.code, Some(1));
    work.write("../before.json", &before.text);
    let check = work.try_gitward(&["check", "--since", "../before.json"]);
    assert_eq!(check.code, Some(0), "{}", check.text);
    check.shows(&["since then: 0 new, "]);

    work.write("pod.yaml", &format!("# moved\n{}", POD.replace("  name: p", "  name: p\n  lables: {}")));
    let check = work.try_gitward(&["check", "--since", "../before.json"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["schema/unknown-field", "pod.yaml:6:3", "since then: 1 new, "]);
    assert!(!check.text.contains("schema/enum"), "{}", check.text);

    work.write("../before.json", "{}");
    let check = work.try_gitward(&["check", "--since", "../before.json"]);
    assert_eq!(check.code, Some(2), "{}", check.text);
    check.shows(&["gitward check --format json"]);
}

#[test]
fn a_credential_is_found_and_not_shown() {
    let work = Workspace::without_hooks();
    work.write(
        "pod.yaml",
        &format!("{}    env:\n    - name: DB_PASSWORD\n      value: hunter2\n", POD.replace("Sometimes", "Always")),
    );
    let check = work.try_gitward(&["check"]);
    check.shows(&["warning[policy/plain-credential]", "pod.yaml:13:14", "value: ***"]);
    for format in ["text", "json", "sarif", "github", "gitlab", "junit"] {
        let check = work.try_gitward(&["check", "--format", format]);
        assert!(check.text.contains("plain-credential") && !check.text.contains("hunter2"), "{}", check.text);
    }
}

const TWO: &str = "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nstarterPolicies: false\nenvironments:\n\
     - {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}\n\
     - {name: dev, ref: refs/heads/dev, path: dev, namespaces: [shop]}\n";

#[test]
fn what_stands_elsewhere_is_judged_and_only_counted() {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", TWO);
    work.write("deploy/bad.yaml", POD);
    work.write("deploy/good.yaml", &POD.replace("Sometimes", "Always").replace("name: p\n", "name: q\n"));
    work.write("dev/bad.yaml", POD);
    let check = work.try_gitward(&["check", "deploy/good.yaml"]);
    assert_eq!(check.code, Some(0), "{}", check.text);
    check.shows(&[
        "prod: 2 objects, nothing found",
        "dev: 1 object, nothing found",
        "elsewhere than in deploy/good.yaml: 2 findings",
    ]);
    let check = work.try_gitward(&["check", "deploy"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["deploy/bad.yaml:10:22", "prod: 2 objects, 1 error", "elsewhere than in deploy: 1 finding"]);
    assert!(!check.text.contains("dev/bad.yaml"), "{}", check.text);
    // An object that stands twice is told where the second is; the first is judged along.
    work.write("deploy/zzz.yaml", &POD.replace("Sometimes", "Always"));
    let check = work.try_gitward(&["check", "deploy/zzz.yaml"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["tree/duplicate-object", "deploy/bad.yaml:1:1"]);

    work.write("gitward.yaml", &TWO.replace("path: dev", "pth: dev"));
    let check = work.try_gitward(&["check", "deploy/good.yaml"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["config/unknown-field", "gitward.yaml:6:"]);
}

#[test]
fn a_range_is_judged_as_the_push_of_one_ref() {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", TWO);
    work.write("deploy/pod.yaml", &POD.replace("Sometimes", "Always"));
    work.write("dev/pod.yaml", &POD.replace("Sometimes", "Always"));
    work.commit("first");
    work.write("dev/pod.yaml", POD);
    work.commit("bad in dev");
    let check = |more: &[&str]| work.try_gitward(&[&["check", "--range", "HEAD~1..HEAD"], more].concat());
    let all = check(&[]);
    assert_eq!(all.code, Some(1), "{}", all.text);
    all.shows(&["prod at refs/heads/main", "1 error in dev at refs/heads/dev"]);
    let main = check(&["--ref", "refs/heads/main"]);
    assert_eq!(main.code, Some(0), "{}", main.text);
    main.shows(&["accepted: prod at refs/heads/main"]);
    assert!(!main.text.contains("refs/heads/dev"), "{}", main.text);
    assert_eq!(check(&["--ref", "refs/heads/dev"]).code, Some(1));
    check(&["--ref", "refs/heads/topic"]).shows(&["refs/heads/topic feeds no environment: nothing is judged"]);
    let short = check(&["--ref", "main"]);
    assert_eq!(short.code, Some(2), "{}", short.text);
    short.shows(&["hint: write it like `refs/heads/main`"]);
    assert_eq!(work.try_gitward(&["check", "--ref", "refs/heads/main"]).code, Some(2));
}

#[test]
fn an_unknown_kind_is_told_once_for_all_versions() {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", &TWO.replace("environments:", "kubernetes: ['1.36', '1.35', '1.34']\nenvironments:"));
    work.write("deploy/pod.yaml", &POD.replace("kind: Pod", "kind: Pdo"));
    let check = work.try_gitward(&["check", "deploy/pod.yaml"]);
    check.shows(&["error[schema/unknown-kind]"]);
    assert_eq!(check.text.matches("schema/unknown-kind").count(), 1, "{}", check.text);
}

#[test]
fn a_policy_that_fails_points_to_the_object() {
    let work = Workspace::without_hooks();
    work.write("gitward.yaml", &TWO.replace("environments:", "policies: [policies]\nenvironments:"));
    let policy =
        "package a\nimport rego.v1\ndeny contains \"no\" if units.parse_bytes(input.object.metadata.labels.size) > 1\n";
    work.write("policies/a.rego", policy);
    work.write(
        "deploy/pod.yaml",
        &POD.replace("Sometimes", "Always").replace("  name: p\n", "  labels: {size: big}\n  name: p\n"),
    );
    let check = work.try_gitward(&["check", "deploy"]);
    assert_eq!(check.code, Some(1), "{}", check.text);
    check.shows(&["error[policy/evaluation]", "deploy/pod.yaml:5:9"]);
}
