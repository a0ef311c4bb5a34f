use serde_json::json;

use super::*;
use crate::snapshot::Digest;

const NAMESPACED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\ndata:\n  k: v\n";

fn file(path: &str, text: &str) -> TreeFile {
    TreeFile { path: Arc::from(path), bytes: Arc::from(text.as_bytes()) }
}

fn prod() -> EnvironmentConfig {
    EnvironmentConfig {
        name: "prod".into(),
        git_ref: "refs/heads/main".into(),
        path: "deploy".into(),
        namespaces: vec!["shop".into()],
        cluster_kinds: vec!["ClusterRole.rbac.authorization.k8s.io".into()],
        shared_namespaces: vec!["default".into()],
        ..EnvironmentConfig::default()
    }
}

/// Judges without policies.
fn judged(environment: &EnvironmentConfig, files: &[TreeFile]) -> Evaluation {
    let configuration = Configuration {
        kubernetes: vec!["1.36".into()],
        policies: vec!["deploy/policies".into()],
        environments: vec![environment.clone()],
        ..Configuration::default()
    };
    Judge::new(configuration, &[]).unwrap().environment(environment, files)
}

fn unconfigured(files: &[TreeFile]) -> Evaluation {
    let configuration = Configuration { starter_policies: false, ..Configuration::for_unconfigured_tree() };
    let judge = Judge::new(configuration, &[]).unwrap();
    judge.environment(&judge.configuration().environments[0], files)
}

fn found(evaluation: &Evaluation) -> Vec<(&str, String)> {
    let place = |f: &Finding| f.place.as_ref().map(ToString::to_string).unwrap_or_default();
    evaluation.findings.iter().map(|f| (f.rule.as_ref(), place(f))).collect()
}

fn names(evaluation: &Evaluation) -> Vec<String> {
    evaluation.declared.iter().map(|d| d.manifest.key.to_string()).collect()
}

#[test]
fn only_manifests_under_the_path_are_declared() {
    let other = NAMESPACED.replace("name: a", "name: b");
    let evaluation = judged(
        &prod(),
        &[
            file("deploy/a.yaml", NAMESPACED),
            file(
                "deploy/sub/b.json",
                &serde_json::to_string(
                    &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}}),
                )
                .unwrap(),
            ),
            file("gitward.yaml", "not: a manifest\n"),
            file("deploy/.hidden/x.yaml", "not: a manifest\n"),
            file("deploy/policies/x.yaml", "not: a manifest\n"),
            file("deploy/readme.md", "not a manifest\n"),
            file("elsewhere/b.yaml", &other),
            file("deployed/b.yaml", &other),
        ],
    );
    assert_eq!(found(&evaluation), []);
    assert_eq!(names(&evaluation), ["ConfigMap/a in shop", "ConfigMap/c in shop"]);
}

#[test]
fn an_object_has_to_belong_to_the_environment() {
    let cases = [
        (NAMESPACED.to_owned(), vec![]),
        (
            NAMESPACED.replace("  namespace: shop\n", ""),
            vec![("tree/missing-namespace", "deploy/x.yaml:4:3".to_owned())],
        ),
        (NAMESPACED.replace("shop", "default"), vec![]),
        (NAMESPACED.replace("shop", "other"), vec![("tree/wrong-namespace", "deploy/x.yaml:5:14".to_owned())]),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n".to_owned(), vec![]),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n".to_owned(),
            vec![("tree/wrong-namespace", "deploy/x.yaml:2:7".to_owned())],
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n".to_owned(),
            vec![],
        ),
    ];
    for (text, expected) in cases {
        let evaluation = judged(&prod(), &[file("deploy/x.yaml", &text)]);
        assert_eq!(found(&evaluation), expected, "{text}");
    }
}

#[test]
fn a_name_is_declared_once_whatever_its_version() {
    let hpa = |version: &str| {
        format!(
            "apiVersion: autoscaling/{version}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: h, namespace: shop}}\n\
             spec: {{maxReplicas: 2, scaleTargetRef: {{kind: Deployment, name: d}}}}\n"
        )
    };
    let evaluation = judged(&prod(), &[file("deploy/a.yaml", &hpa("v1")), file("deploy/b.yaml", &hpa("v2"))]);
    assert_eq!(found(&evaluation), [("tree/duplicate-object", "deploy/b.yaml:1:1".to_owned())]);
    assert!(evaluation.findings[0].hint.as_ref().unwrap().contains("deploy/a.yaml:1:1"));
    assert_eq!(evaluation.declared.len(), 1);
}

#[test]
fn what_has_to_be_rendered_is_said_once_and_not_read() {
    let files = [
        file("deploy/chart/Chart.yaml", "name: x\n"),
        file("deploy/chart/templates/a.yaml", "{{ broken }}\n"),
        file("deploy/chart/charts/sub/Chart.yaml", "name: y\n"),
        file("deploy/k/kustomization.yaml", "namePrefix: x-\nresources: [a.yaml]\n"),
        file("deploy/k/a.yaml", NAMESPACED),
        file("deploy/plain.yaml", NAMESPACED),
    ];
    let evaluation = judged(&prod(), &files);
    let expected = ["deploy/chart/Chart.yaml:1:1", "deploy/k/kustomization.yaml:1:1"];
    assert_eq!(found(&evaluation), expected.map(|place| ("tree/not-rendered", place.to_owned())));
    assert!(evaluation.has_errors());
    assert_eq!(evaluation.declared.len(), 1);
    let mild = unconfigured(&files);
    assert!(mild.findings.iter().all(|f| f.severity == Severity::Warning), "{:?}", mild.findings);
}

#[test]
fn without_configuration_other_files_are_passed_over_silently() {
    let evaluation = unconfigured(&[
        file("compose.yml", "services: {}\n"),
        file("broken.yaml", "{{ not yaml\n"),
        file("values.yaml", "# apiVersion and kind are set elsewhere\nreplicas: 1\n"),
        file(
            "mixed.yaml",
            &format!("just: data\n---\n- a list\n---\n{}", NAMESPACED.replace("  namespace: shop\n", "")),
        ),
        file("list.json", "[\"apiVersion\", \"kind\"]"),
        file("half.yaml", "apiVersion: v1\nmetadata: {name: x} # no kind\n"),
    ]);
    assert_eq!(found(&evaluation), [("manifest/missing-kind", "half.yaml:1:1".to_owned())]);
    assert_eq!(names(&evaluation), ["ConfigMap/a"]);
}

#[test]
fn the_trees_own_crds_count() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\n\
               spec:\n  group: example.org\n  scope: Namespaced\n  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}\n\
               \x20 versions:\n  - name: v1\n    served: true\n    storage: true\n    subresources: {status: {}}\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}\n";
    let widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {size: big}\n";
    let mut environment = prod();
    environment.cluster_kinds.push("CustomResourceDefinition".into());
    let evaluation = judged(&environment, &[file("deploy/z.yaml", crd), file("deploy/a.yaml", widget)]);
    assert_eq!(found(&evaluation), [("schema/type", "deploy/a.yaml:4:14".to_owned())]);
    assert!(evaluation.declared.iter().all(|d| d.has_status_subresource));

    let configuration =
        Configuration { kubernetes: vec!["1.36".into()], crds: vec!["crds".into()], ..Configuration::default() };
    let judge = Judge::new(configuration, &[]).unwrap();
    let evaluation = judge.environment(&prod(), &[file("crds/z.yaml", crd), file("deploy/a.yaml", widget)]);
    assert_eq!(found(&evaluation), [("schema/type", "deploy/a.yaml:4:14".to_owned())]);
    assert_eq!(names(&evaluation), ["Widget/w in shop"], "schemas alone declare nothing");
}

#[test]
fn schemas_within_the_path_declare_nothing_and_count_for_every_version() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\n\
               spec:\n  group: example.org\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets}\n  versions:\n  \
               - name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object}}\n";
    let widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\n";
    for (path, crds) in [("deploy", "deploy/schemas"), ("deploy", "deploy/schemas/w.yaml"), ("", "deploy/schemas")] {
        let environment = EnvironmentConfig { path: path.into(), ..prod() };
        let configuration = Configuration {
            kubernetes: vec!["1.36".into(), "1.34".into()],
            crds: vec![crds.into()],
            ..Configuration::default()
        };
        let files = [file("deploy/schemas/w.yaml", crd), file("deploy/w.yaml", widget)];
        let evaluation = Judge::new(configuration, &[]).unwrap().environment(&environment, &files);
        assert_eq!(found(&evaluation), [], "{path} {crds}");
        assert_eq!(names(&evaluation), ["Widget/w in shop"], "{path} {crds}");
    }
}

#[test]
fn the_canonical_object_is_what_the_api_server_takes() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: new, b: other}\ndata: {a: b2xk}\n";
    let evaluation = judged(&prod(), &[file("deploy/s.yaml", secret)]);
    assert_eq!(
        *evaluation.declared[0].canonical,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"},
            "data": {"a": "bmV3", "b": "b3RoZXI="}})
    );
    assert_eq!(evaluation.declared[0].digest, Digest::of(&evaluation.declared[0].canonical));

    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, namespace: shop}\nrules: []\n";
    let evaluation = judged(&prod(), &[file("deploy/r.yaml", role)]);
    assert_eq!(evaluation.declared[0].canonical["metadata"], json!({"name": "r"}));
    assert_eq!(evaluation.declared[0].manifest.key.namespace, "");
}

#[test]
fn policies_and_versions_that_are_not_there_are_found_before_anything_is_judged() {
    let configuration =
        Configuration { kubernetes: vec!["0.1".into()], policies: vec!["policies".into()], ..Configuration::default() };
    let files = [file("policies/broken.rego", "package x\ndeny contains {"), file("elsewhere/x.rego", "also broken {")];
    let findings = Judge::new(configuration, &files).err().unwrap();
    let rules: Vec<&str> = findings.iter().map(|f| f.rule.as_ref()).collect();
    assert!(rules[0].starts_with("schema/") && rules[1..].iter().all(|r| r.starts_with("policy/")), "{rules:?}");
    assert!(rules.len() > 1);
}
