//! Objects as they were before a push, for the rules of CRDs that compare the two.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::TreeFile;
use crate::manifest::{self, Limits, Manifest};
use crate::object::{Gvk, ObjectKey};

/// Objects of an earlier tree; they are read when the first of them is asked for.
#[derive(Clone)]
pub struct Earlier(Arc<Files>);

struct Files {
    files: Vec<TreeFile>,
    paths: OnceLock<HashSet<Arc<str>>>,
    objects: OnceLock<HashMap<(Gvk, ObjectKey), Manifest>>,
}

impl Earlier {
    /// The objects of these files.
    pub fn of(files: Vec<TreeFile>) -> Self {
        Self(Arc::new(Files { files, paths: OnceLock::new(), objects: OnceLock::new() }))
    }

    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.files.iter().map(|file| &*file.path)
    }

    /// Whether a file is one of them: what its objects are now is compared with what they were.
    pub(super) fn has_file(&self, path: &str) -> bool {
        let paths = self.0.paths.get_or_init(|| self.0.files.iter().map(|file| file.path.clone()).collect());
        paths.contains(path)
    }

    /// What an object was: the same one, in the same version of its kind.
    pub(super) fn object(&self, manifest: &Manifest) -> Option<&Manifest> {
        self.objects().get(&(manifest.gvk.clone(), manifest.key.clone()))
    }

    /// The objects of kinds that may have rules about changes.
    pub(super) fn keys(&self, may_have_rules: impl Fn(&Gvk) -> bool) -> HashSet<ObjectKey> {
        let keys = self.objects().keys().filter(|(gvk, _)| may_have_rules(gvk));
        keys.map(|(_, key)| key.clone()).collect()
    }

    fn objects(&self) -> &HashMap<(Gvk, ObjectKey), Manifest> {
        self.0.objects.get_or_init(|| {
            let read = |file: &TreeFile| manifest::read(&file.path, &file.bytes, &Limits::default()).0;
            let manifests = self.0.files.iter().rev().flat_map(read);
            manifests.map(|manifest| ((manifest.gvk.clone(), manifest.key.clone()), manifest)).collect()
        })
    }
}
