//! What the files of manifests are called.

use std::collections::BTreeSet;

use crate::object::ObjectKey;

/// Names of files in one directory, each given once.
#[derive(Debug, Default)]
pub struct FileNames(BTreeSet<String>);

impl FileNames {
    /// `deployment-web.yaml`; where another object has it already, with the group, and then a number.
    /// Names that differ in case only are the same on some disks.
    pub fn of(&mut self, key: &ObjectKey) -> String {
        let kind = key.kind.to_lowercase();
        let name: String = key.name.to_lowercase().chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let plain = format!("{kind}-{name}.yaml");
        let grouped = format!("{kind}.{}-{name}.yaml", key.group);
        let numbered = (2..).map(|n| format!("{kind}-{name}-{n}.yaml"));
        let candidates = [plain].into_iter().chain((!key.group.is_empty()).then_some(grouped)).chain(numbered);
        for candidate in candidates {
            if self.0.insert(candidate.clone()) {
                return candidate;
            }
        }
        unreachable!("there is no end of numbers")
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_a_file_of_its_own() {
        let mut names = FileNames::default();
        let mut name = |group: &str, kind: &str, name: &str| names.of(&ObjectKey::new(group, kind, "shop", name));
        assert_eq!(name("apps", "Deployment", "web"), "deployment-web.yaml");
        assert_eq!(name("rbac.authorization.k8s.io", "Role", "system:web/x"), "role-system_web_x.yaml");
        assert_eq!(name("a.io", "Cluster", "db"), "cluster-db.yaml");
        assert_eq!(name("b.io", "Cluster", "db"), "cluster.b.io-db.yaml");
        assert_eq!(name("", "Role", "A"), "role-a.yaml");
        assert_eq!(name("", "Role", "a"), "role-a-2.yaml");
    }
}
