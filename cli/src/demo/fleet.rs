//! The demo's repository, carried in the binary.

/// Where the demo's objects live: names differ between a cluster of the demo's own and one that
/// others use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fleet {
    /// For a cluster of the demo's own: it governs cluster-scoped kinds as well.
    Own,
    /// For a cluster that others use too: namespaces with names of their own, nothing else.
    Guest,
}

/// Path and text of every file of the repository.
const FILES: [(&str, &str); 11] = [
    ("gitward.yaml", include_str!("../../../demo/fleet/gitward.yaml")),
    ("policies/team/team.rego", include_str!("../../../demo/fleet/policies/team/team.rego")),
    (CRD, include_str!("../../../demo/fleet/prod/setup/crd.yaml")),
    ("prod/setup/namespaces.yaml", include_str!("../../../demo/fleet/prod/setup/namespaces.yaml")),
    (STORAGE, include_str!("../../../demo/fleet/prod/setup/storage.yaml")),
    ("prod/data/ledger.yaml", include_str!("../../../demo/fleet/prod/data/ledger.yaml")),
    ("prod/data/migrate.yaml", include_str!("../../../demo/fleet/prod/data/migrate.yaml")),
    ("prod/shop/checkout.yaml", include_str!("../../../demo/fleet/prod/shop/checkout.yaml")),
    ("prod/shop/coupons.yaml", include_str!("../../../demo/fleet/prod/shop/coupons.yaml")),
    ("prod/shop/payment.yaml", include_str!("../../../demo/fleet/prod/shop/payment.yaml")),
    ("prod/shop/rbac.yaml", include_str!("../../../demo/fleet/prod/shop/rbac.yaml")),
];
const WEB_TEXT: &str = include_str!("../../../demo/fleet/prod/shop/web.yaml");

const CRD: &str = "prod/setup/crd.yaml";
const STORAGE: &str = "prod/setup/storage.yaml";
const GUEST_CONFIGURATION: &str = include_str!("../../../demo/existing.yaml");
const BASKET_WRONG: &str = include_str!("../../../demo/changes/basket-wrong.yaml");
const BASKET_TEXT: &str = include_str!("../../../demo/changes/basket.yaml");

/// The file with most of what the play touches.
pub(super) const WEB: &str = "prod/shop/web.yaml";

/// The file that comes and goes during the play.
pub(super) const BASKET: &str = "prod/shop/basket.yaml";

impl Fleet {
    /// Name of the environment in `gitward.yaml`.
    pub(super) fn environment(self) -> &'static str {
        match self {
            Self::Own => gitward_test_cluster::ENVIRONMENT,
            Self::Guest => "demo",
        }
    }

    /// The namespace of the shop, which the play is about.
    pub(super) fn shop(self) -> &'static str {
        match self {
            Self::Own => "shop",
            Self::Guest => "gitward-demo-shop",
        }
    }

    /// All governed namespaces.
    pub(super) fn namespaces(self) -> [&'static str; 2] {
        match self {
            Self::Own => [self.shop(), "data"],
            Self::Guest => [self.shop(), "gitward-demo-data"],
        }
    }

    /// Path and text of every file to begin with.
    pub(super) fn files(self) -> Vec<(&'static str, String)> {
        let all = FILES.into_iter().chain([(WEB, WEB_TEXT)]);
        match self {
            Self::Own => all.map(|(path, text)| (path, text.to_owned())).collect(),
            Self::Guest => all.filter_map(|(path, text)| self.guest_file(path, text)).collect(),
        }
    }

    fn guest_file(self, path: &'static str, text: &str) -> Option<(&'static str, String)> {
        match path {
            "gitward.yaml" => Some((path, GUEST_CONFIGURATION.to_owned())),
            // Known to Git, made by the demo itself: no CRD of others is to be governed.
            CRD => Some(("crds/coupons.yaml", text.to_owned())),
            // Others' disks and default class are none of the demo's business.
            STORAGE => None,
            "prod/setup/namespaces.yaml" => {
                let renamed = |text: String, name: &str| {
                    text.replace(&format!("  name: {name}\n"), &format!("  name: gitward-demo-{name}\n"))
                };
                Some((path, ["shop", "data"].into_iter().fold(text.to_owned(), renamed)))
            }
            _ => Some((path, self.at_home(text))),
        }
    }

    /// The text with this fleet's namespaces.
    fn at_home(self, text: &str) -> String {
        let moved = |text: String, (from, to): (&str, &str)| {
            text.replace(&format!("  namespace: {from}\n"), &format!("  namespace: {to}\n"))
        };
        ["shop", "data"].into_iter().zip(self.namespaces()).fold(text.to_owned(), moved)
    }

    /// The manifest of the basket with its mistakes.
    pub(super) fn wrong_basket(self) -> String {
        self.at_home(BASKET_WRONG)
    }

    /// The manifest of the basket.
    pub(super) fn basket(self) -> String {
        self.at_home(BASKET_TEXT)
    }

    /// The manifest of the CRD.
    pub(super) fn crd() -> &'static str {
        FILES.iter().find(|(path, _)| *path == CRD).map_or("", |(_, text)| text)
    }
}

/// `FILE:LINE` of the first line of a text that holds `needle` after the line that holds `after`.
pub(super) fn place(file: &str, text: &str, after: &str, needle: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begin = lines.iter().position(|line| line.contains(after))?;
    let line = lines.iter().skip(begin).position(|line| line.contains(needle))?;
    Some(format!("{file}:{}", begin + line + 1))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use gitward_core::config;
    use gitward_core::evaluate::{Judge, TreeFile};
    use gitward_core::finding::Severity;

    use super::*;

    /// Rules that deny the tree, with another file in it.
    fn errors(fleet: Fleet, more: Option<String>) -> Vec<String> {
        let mut files = fleet.files();
        files.extend(more.map(|text| (BASKET, text)));
        let files: Vec<TreeFile> = files
            .into_iter()
            .map(|(path, text)| TreeFile { path: path.into(), bytes: text.into_bytes().into() })
            .collect();
        let file: Arc<str> = Arc::from(config::FILE);
        let configuration = files.iter().find(|f| *f.path == *file).unwrap();
        let configuration = config::parse(&file, &configuration.bytes).unwrap();
        let environment = configuration.environments[0].clone();
        assert_eq!(environment.name, fleet.environment());
        assert_eq!(environment.namespaces, fleet.namespaces());
        let judge = Judge::new(configuration, &files).unwrap();
        let findings = judge.environment(&environment, &files).findings;
        findings.into_iter().filter(|f| f.severity == Severity::Error).map(|f| f.rule.to_string()).collect()
    }

    #[test]
    fn both_fleets_are_right_with_and_without_the_basket() {
        for fleet in [Fleet::Own, Fleet::Guest] {
            assert_eq!(errors(fleet, None), [""; 0]);
            assert_eq!(errors(fleet, Some(fleet.basket())), [""; 0]);
        }
    }

    #[test]
    fn the_wrong_basket_breaks_the_schema_and_two_policies() {
        for fleet in [Fleet::Own, Fleet::Guest] {
            let mut rules = errors(fleet, Some(fleet.wrong_basket()));
            rules.sort();
            assert_eq!(rules, ["policy/image-tag", "policy/team", "schema/unknown-field"]);
        }
    }

    #[test]
    fn the_binary_carries_every_file_of_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/fleet");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut carried: Vec<_> = Fleet::Own.files().into_iter().map(|(path, _)| path.to_owned()).collect();
        found.sort();
        carried.sort();
        assert_eq!(carried, found);
    }

    #[test]
    fn a_guest_touches_no_name_of_others() {
        for (path, text) in Fleet::Guest.files() {
            for name in ["shop", "data"] {
                assert!(!text.contains(&format!("namespace: {name}\n")), "{path}");
                assert!(path != "prod/setup/namespaces.yaml" || !text.contains(&format!(" name: {name}\n")), "{path}");
            }
        }
    }

    #[test]
    fn a_place_is_the_line_that_holds_what_is_looked_for() {
        assert_eq!(place("f", "a\nb\na\nc", "b", "a"), Some("f:3".to_owned()));
        assert_eq!(place("f", "a\nb", "b", "a"), None);
    }
}
