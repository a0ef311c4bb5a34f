//! What adoption found and did.

use std::collections::BTreeMap;

use gitward_core::adopt::{Effect, Installer};
use gitward_core::object::ObjectKey;
use serde::Serialize;

/// All of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    /// The ref that feeds the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) git_ref: Option<String>,
    /// Directory of the manifests.
    pub(super) directory: String,
    /// The branch that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
    /// Its commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
    /// What Git is going to declare.
    pub(super) taken: Vec<Taken>,
    /// What is not taken, though nobody makes it.
    pub(super) left: Vec<Other>,
    /// What operators made.
    pub(super) operated: Vec<Other>,
    /// What says that a controller made it, and no rule recognises.
    pub(super) strange: Vec<Other>,
    /// Other tools that installed some of it.
    pub(super) installers: Vec<InstalledBy>,
    /// What could not be read or tried.
    pub(super) unknown: Vec<Unknown>,
    /// How many objects Git declares already.
    pub(super) declared: usize,
    /// How many objects controllers make.
    pub(super) derived: usize,
    /// A draft of delegations, as comments.
    pub(super) delegations: String,
    /// Whether templates were tidied.
    pub(super) tidy: bool,
    /// The files, where no branch is made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) manifests: BTreeMap<String, String>,
}

/// One object that Git is going to declare.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    pub(super) object: ObjectKey,
    /// Its manifest.
    pub(super) file: String,
    /// What changes of the live object when Git governs it.
    pub(super) effects: Vec<Effect>,
    /// What has to be known of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// One object that is not taken.
#[derive(Debug, Serialize)]
pub(super) struct Other {
    pub(super) object: ObjectKey,
    pub(super) why: String,
}

/// A tool that installed something of the namespace, and has to let go of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstalledBy {
    /// Who, in its tool's own words.
    pub(super) installer: String,
    /// How many objects say so.
    pub(super) objects: usize,
    /// How it lets go.
    pub(super) to_do: &'static str,
}

impl InstalledBy {
    /// With the number of objects that name it.
    pub(super) fn new((installer, objects): (Installer, usize)) -> Self {
        Self { installer: installer.to_string(), objects, to_do: installer.let_go() }
    }
}

/// Something that could not be read or tried.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unknown {
    /// An object, or a kind.
    pub(super) what: String,
    pub(super) why: String,
    /// How to put it right.
    pub(super) to_do: &'static str,
}

impl Unknown {
    /// An object that no dry run could be made of: its manifest is as good as one can be without.
    pub(super) fn untried(key: &ObjectKey, why: &str) -> Self {
        Self {
            what: key.to_string(),
            why: format!("no dry run could be made, so defaults are declared too: {why}"),
            to_do: "give your account the right to update it (dry runs need it, and write nothing), or trim the manifest by hand",
        }
    }
}
