//! The policies that come with gitward, as they stand in `policies/`.

use super::PolicyFile;

/// A policy's folder: its name, Rego, tests and README.
struct Folder {
    name: &'static str,
    rego: &'static str,
    tests: &'static str,
    readme: &'static str,
}

macro_rules! folders {
    ($($name:literal),* $(,)?) => {
        [$(Folder {
            name: $name,
            rego: include_str!(concat!("../../../policies/", $name, "/policy.rego")),
            tests: include_str!(concat!("../../../policies/", $name, "/policy_test.rego")),
            readme: include_str!(concat!("../../../policies/", $name, "/README.md")),
        }),*]
    };
}

const FOLDERS: [Folder; 14] = folders![
    "anonymous-binding",
    "capabilities",
    "host-namespaces",
    "host-path",
    "image-tag",
    "plain-credential",
    "privilege-escalation",
    "privileged",
    "rbac-wildcard",
    "resource-requests",
    "run-as-non-root",
    "secret-in-git",
    "service-exposure",
    "lib",
];

/// The starter policies that come with gitward.
pub fn starter() -> Vec<PolicyFile> {
    FOLDERS.iter().map(|folder| file(folder, "policy.rego", folder.rego)).collect()
}

/// The tests of the starter policies; they need [`starter`] beside them.
pub fn starter_tests() -> Vec<PolicyFile> {
    FOLDERS.iter().map(|folder| file(folder, "policy_test.rego", folder.tests)).collect()
}

/// The README of the starter policy with this rule id, for example `policy/host-path`.
pub fn starter_readme(rule: &str) -> Option<&'static str> {
    let name = rule.strip_prefix("policy/")?;
    FOLDERS.iter().find(|folder| folder.name == name && name != "lib").map(|folder| folder.readme)
}

fn file(folder: &Folder, name: &str, text: &str) -> PolicyFile {
    PolicyFile { file: format!("starter/{}/{name}", folder.name).into(), text: text.to_owned() }
}
