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
    let mut missing: Vec<&str> = findings.iter().filter_map(|f| f.message.rsplit('`').nth(1)).collect();
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

/// No word of the reader of the types is told: only what stands there, and what should.
#[test]
fn mistakes_of_shape_are_told_in_the_words_of_the_file() {
    let cases = [
        ("kubernetes: ['1.36']", "kubernetes: 1.36", "`kubernetes` must be a list, not a number", ""),
        ("kubernetes: ['1.36']", "kubernetes: [1.36]", "`kubernetes[0]` must be text, not a number", ""),
        ("policies: [policies]", "policies: policies", "`policies` must be a list, not text", ""),
        ("policies: [policies]", "policies: [[a]]", "`policies[0]` must be text, not a list", ""),
        ("policies: [policies]", "policies: [null]", "`policies[0]` must be text, not nothing", ""),
        ("policies: [policies]", "starterPolicies: 'no'", "`starterPolicies` must be true or false, not text", ""),
        ("- name: prod\n", "- prod\n- name: prod\n", "`environments[0]` must be a map of fields, not text", ""),
        (
            "  path: deploy/prod",
            "  mode: strict",
            "`environments[0].mode` is `strict`, and may be enforce, observe, suspended",
            "",
        ),
        (
            "  path: deploy/prod",
            "  prune: {max: -1}",
            "`environments[0].prune.max` must be a whole number from 0 on, not a negative number",
            "",
        ),
        (
            "  path: deploy/prod",
            "  prune: {max: ten}",
            "`environments[0].prune.max` must be a whole number from 0 on, not text",
            "",
        ),
        ("  path: deploy/prod", "  pth: deploy/prod", "`pth` is no field of `environments[0]`", "did you mean `path`?"),
        (
            "policies: [policies]",
            "colour: red",
            "`colour` is no field of gitward.yaml",
            "the fields there are: apiVersion",
        ),
        ("  ref: refs/heads/main\n", "", "`environments[0]` has no `ref`", "add `ref`"),
        ("kind: Configuration\n", "", "gitward.yaml has no `kind`", "add `kind`"),
        (
            "  accounts: [alice]",
            "  accounts: [alice]\n  until: tomorrow",
            "`exemptions[0].until` must be a time, such as 2026-01-31T12:00:00Z",
            "",
        ),
        (
            "  accounts: [alice]",
            "  accounts: [alice]\n  until: 3",
            "`exemptions[0].until` must be a time, such as 2026-01-31T12:00:00Z",
            "",
        ),
        (
            "exemptions:",
            "breakGlass: [{name: a, accounts: [b], maximum: long}]\nexemptions:",
            "`breakGlass[0].maximum` must be a length of time, such as 1h or 30m",
            "",
        ),
    ];
    for (good, bad, message, hint) in cases {
        let findings = read(&GOOD.replacen(good, bad, 1)).unwrap_err();
        let [finding] = findings.as_slice() else { panic!("{bad}: {findings:?}") };
        assert_eq!(finding.message, message, "{bad}");
        assert!(finding.hint.as_ref().is_some_and(|told| told.starts_with(hint)), "{bad}: {finding:?}");
    }
    assert_eq!(read("[]").unwrap_err()[0].message, "gitward.yaml must be a map of fields, not a list");
}
