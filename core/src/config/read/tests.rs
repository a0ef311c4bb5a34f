use super::*;

const GOOD: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
kubernetes: ['1.36']
policies: [policies]
environments:
- name: prod
  ref: refs/heads/main
  path: deploy/prod
  namespaces: [shop]
  clusterKinds: [ClusterRole, Widget.example.org]
  sharedNamespaces: [default]
  sharedClusterKinds: [Gadget.example.org]
exemptions:
- name: restart
  accounts: [alice]
  kinds: [Deployment]
  fields: [spec.template.metadata.annotations]
  reason: support restarts Pods
";

fn read(text: &str) -> Result<Configuration, Vec<Finding>> {
    parse(&Arc::from("gitward.yaml"), text.as_bytes())
}

#[test]
fn a_good_file_is_read_with_the_places_of_its_exemptions() {
    let configuration = read(GOOD).unwrap();
    assert_eq!(configuration.environments[0].name, "prod");
    assert!(configuration.starter_policies);
    assert!(!configuration.unconfigured);
    let places: Vec<String> = configuration.exemption_places.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["gitward.yaml:14:3"]);
}

#[test]
fn each_mistake_is_found_at_its_place() {
    let cases = [
        ("namespaces: [shop]", "namespaces: [Shop]", "config/namespace", "gitward.yaml:9:16"),
        ("namespaces: [shop]", "namespaces: [kube-system]", "config/system-namespace", "gitward.yaml:9:16"),
        ("namespaces: [shop]", "namespaces: [shop, shop]", "config/namespace", "gitward.yaml:9:22"),
        ("ref: refs/heads/main", "ref: main", "config/ref", "gitward.yaml:7:8"),
        ("ref: refs/heads/main", "ref: refs/gitward/x", "config/ref", "gitward.yaml:7:8"),
        ("path: deploy/prod", "path: ../prod", "config/path", "gitward.yaml:8:9"),
        ("path: deploy/prod", "path: /prod", "config/path", "gitward.yaml:8:9"),
        ("policies: [policies]", "policies: ['']", "config/path", "gitward.yaml:4:12"),
        ("- name: prod", "- name: Prod", "config/environment-name", "gitward.yaml:6:9"),
        ("kind: Configuration", "kind: Config", "config/kind", "gitward.yaml:2:7"),
        ("v1alpha1", "v9", "config/version", "gitward.yaml:1:13"),
        ("[ClusterRole, ", "[clusterroles, ", "config/kind-name", "gitward.yaml:10:18"),
        ("[Gadget.", "[gadget.", "config/kind-name", "gitward.yaml:12:24"),
        ("[Gadget.", "[Widget.", "config/shared", "gitward.yaml:12:24"),
        ("Namespaces: [default]", "Namespaces: [shop]", "config/shared", "gitward.yaml:11:22"),
        ("Namespaces: [default]", "Namespaces: [Shop]", "config/namespace", "gitward.yaml:11:22"),
        ("reason: support restarts Pods", "reason: ' '", "config/exemption", "gitward.yaml:18:11"),
        ("accounts: [alice]", "accounts: []", "config/exemption", "gitward.yaml:15:13"),
        ("[spec.template.metadata.annotations]", "['spec.ports[0]']", "config/exemption", "gitward.yaml:17:12"),
        ("  path: deploy/prod", "  pth: deploy/prod", "config/unknown-field", "gitward.yaml:8:3"),
        ("namespaces: [shop]", "namespaces: shop", "config/wrong-type", "gitward.yaml:9:15"),
        ("  ref: refs/heads/main\n", "", "config/missing-field", "gitward.yaml:6:3"),
    ];
    for (from, to, rule, place) in cases {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let findings = read(&text).unwrap_err();
        let found: Vec<_> = findings.iter().map(|f| (f.rule.as_ref(), f.place.as_ref().unwrap().to_string())).collect();
        assert_eq!(found, [(rule, place.to_owned())], "{from} -> {to}");
    }
}

/// What is found in a text, by rule and place.
fn found(text: &str) -> Vec<String> {
    let findings = read(text).err().unwrap_or_default();
    findings.iter().map(|f| format!("{} {}", f.place.as_ref().unwrap(), f.rule)).collect()
}

#[test]
fn independent_mistakes_are_told_all_at_once() {
    let text = "\
apiVersion: gitward.dev/v1alpha1
kind: Config
kubernetes: 1.36
polices: []
environments:
- name: Prod
  pth: deploy
  namespaces: [shop, 3, Blog]
- just text
- name: dev
  ref: main
  prune: {max: many}
exemptions:
- accounts: alice
  kinds: [pods]
  reason: ' '
breakGlass:
- name: on-call
  acounts: [sre]
";
    assert_eq!(
        found(text),
        [
            "gitward.yaml:2:7 config/kind",
            "gitward.yaml:3:13 config/wrong-type",
            "gitward.yaml:4:1 config/unknown-field",
            // Its ref is missing.
            "gitward.yaml:6:3 config/missing-field",
            "gitward.yaml:6:9 config/environment-name",
            "gitward.yaml:7:3 config/unknown-field",
            "gitward.yaml:8:22 config/wrong-type",
            "gitward.yaml:8:25 config/namespace",
            "gitward.yaml:9:3 config/wrong-type",
            "gitward.yaml:11:8 config/ref",
            "gitward.yaml:12:16 config/wrong-type",
            // Its name is missing, and nothing is said of the name that stands in.
            "gitward.yaml:14:3 config/missing-field",
            "gitward.yaml:14:13 config/wrong-type",
            "gitward.yaml:15:11 config/kind-name",
            "gitward.yaml:16:11 config/exemption",
            // Its maximum is missing; that nobody is named follows from the misspelt field.
            "gitward.yaml:18:3 config/missing-field",
            "gitward.yaml:19:3 config/unknown-field",
        ]
    );
}

#[test]
fn all_that_is_missing_is_told() {
    let text = "environments: [{}]\nexemptions: [{}]\nbreakGlass: [{}]\n";
    let findings = read(text).unwrap_err();
    let mut missing: Vec<&str> = findings.iter().filter_map(|f| f.message.split('`').nth(1)).collect();
    missing.sort_unstable();
    let expected = ["accounts", "apiVersion", "kind", "kinds", "maximum", "name", "name", "name", "reason", "ref"];
    assert_eq!(missing, expected, "{findings:?}");
}

#[test]
fn whatever_is_wrong_is_told_and_ends() {
    for text in
        ["[]", "text", "3", "environments: {a: b}", "environments: [[], {name: {}}]", "breakGlass: [{maximum: []}]"]
    {
        assert!(!read(text).unwrap_err().is_empty(), "{text}");
    }
    let many: String = (0..500).map(|i| format!("wrong{i}: 1\n")).collect();
    assert_eq!(read(&many).unwrap_err().len(), 50);
    let odd = format!("{GOOD}'a`b': 1\n");
    assert_eq!(found(&odd), ["gitward.yaml:19:1 config/unknown-field"]);
}

#[test]
fn two_environments_of_a_ref_do_not_share_a_namespace() {
    let second = "- {name: canary, ref: refs/heads/main, namespaces: [shop]}\nexemptions:";
    let findings = read(&GOOD.replacen("exemptions:", second, 1)).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].message.contains("\"prod\" and \"canary\" both govern namespace shop"),
        "{}",
        findings[0].message
    );
    let elsewhere = second.replacen("heads/main", "heads/canary", 1);
    assert!(read(&GOOD.replacen("exemptions:", &elsewhere, 1)).is_ok());
}

#[test]
fn what_is_no_single_document_is_refused() {
    assert!(read("").is_err());
    assert!(read("a: [").is_err());
    assert!(read(&format!("{GOOD}---\n{GOOD}")).is_err());
}
