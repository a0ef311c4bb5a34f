//! What a tree says of custom resources.

use std::sync::Arc;

use super::judging::Reading;
use super::{TreeFile, select};
use crate::config::{Configuration, EnvironmentConfig};
use crate::schema::Schemas;

/// The custom resources that a tree defines: in files that `crds` names, and in what it declares.
#[derive(Debug, Clone)]
pub struct Definitions(pub(super) Schemas);

impl Definitions {
    /// Reads them from a tree, as an environment of it was judged by; `None` where the configuration names
    /// no version of Kubernetes that is known.
    pub fn of(configuration: &Configuration, environment: &EnvironmentConfig, files: &[TreeFile]) -> Option<Self> {
        let builtin = configuration.kubernetes.first().and_then(|version| Schemas::builtin(version).ok())?;
        let paths: Vec<&Arc<str>> = files.iter().map(|file| &file.path).collect();
        let texts = select::kustomizations(environment, &paths).into_iter().rev();
        let texts = texts.map(|index| (&*files[index].path, files[index].bytes.clone())).collect();
        let declared = select::manifests(environment, configuration, &paths, &texts).files;
        let vendored = select::schemas(environment, configuration, &paths);
        // What the tree declares counts more than what it only says.
        let chosen: Vec<&TreeFile> = vendored.iter().chain(&declared).map(|index| &files[*index]).collect();
        let readings = Reading::of(&chosen, configuration.unconfigured);
        let (schemas, _) = builtin.with_crds(readings.iter().flat_map(|reading| &reading.manifests));
        Some(Self(schemas))
    }
}
