//! What was found of a tree, as bytes to be kept: what each of its files says, and what all of them
//! together gave.
//!
//! It is only ever as good as looking again: every part of it is found by the name and the content of the
//! file that it is about, and the whole by everything else that findings come from ([`Context`]). Bytes
//! that are not whole are no memory.

use std::cell::Cell;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Judge;
use super::facts::Told;
use crate::config::EnvironmentConfig;
use crate::finding::Finding;

/// What a memory begins with; the number grows with the form.
const MAGIC: &[u8] = b"gitward memory 1\n";

/// Bytes of the checksum that follows.
const CHECKSUM: usize = blake3::OUT_LEN;

/// The digest of everything but a file itself that what it says comes from: this very version of the
/// engine, the configuration, the environment, the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context([u8; 32]);

impl Judge {
    /// The context in which an environment is judged, and in which `also` counts as well.
    pub fn context(&self, environment: &EnvironmentConfig, also: &[u8]) -> Context {
        let parts = [
            env!("GITWARD_ENGINE").as_bytes().to_vec(),
            written(&self.configuration),
            written(environment),
            self.digest.as_bytes().to_vec(),
            vec![u8::from(self.configuration.unconfigured)],
            also.to_vec(),
        ];
        let mut digest = blake3::Hasher::new();
        for part in parts {
            digest.update(&(part.len() as u64).to_le_bytes());
            digest.update(&part);
        }
        Context(*digest.finalize().as_bytes())
    }
}

fn written(value: &impl Serialize) -> Vec<u8> {
    // What these hold can always be written; a test holds configurations apart.
    serde_json::to_vec(value).unwrap_or_default()
}

/// The id of a file's content: of a Git blob, by either hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentId {
    bytes: [u8; 32],
    length: usize,
}

impl ContentId {
    /// An id of at most 32 bytes; what is longer is none.
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, length: id.len() })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A file of a tree that need not have been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Path from the root, with `/`.
    pub path: Arc<str>,
    /// What it holds.
    pub id: ContentId,
    /// How many bytes that is.
    pub size: u64,
}

/// What was found of a tree in a context.
#[derive(Debug)]
pub struct Memory<'a> {
    pub(super) kept: Kept<'a>,
    /// Where the last file was found: files are asked for in their order.
    next: Cell<usize>,
}

/// The form that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept<'a> {
    pub(super) context: Context,
    /// Of the files that define custom resources.
    pub(super) crds: [u8; 32],
    /// What is wrong with definitions that the tree does not declare.
    #[serde(borrow)]
    pub(super) vendored: Vec<Told<'a>>,
    /// The id of the whole tree, and what it gave.
    pub(super) tree: &'a [u8],
    #[serde(borrow)]
    pub(super) found: Vec<Told<'a>>,
    pub(super) objects: usize,
    /// In the order of their paths.
    #[serde(borrow)]
    pub(super) files: Vec<KeptFile<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct KeptFile<'a> {
    pub(super) path: &'a str,
    pub(super) id: &'a [u8],
    pub(super) size: u64,
    /// Whether it defines custom resources.
    pub(super) has_crds: bool,
    /// What it says, if it is a manifest and that can be remembered.
    #[serde(borrow)]
    pub(super) facts: Option<&'a [u8]>,
}

impl<'a> Memory<'a> {
    /// Reads what [`super::Recalled::remember`] wrote; `None` for anything else.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (checksum, rest) = bytes.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
        if blake3::hash(rest).as_bytes() != checksum {
            return None;
        }
        Some(Self { kept: postcard::from_bytes(rest).ok()?, next: Cell::new(0) })
    }

    /// Whether it was made in this context.
    pub fn is_of(&self, context: Context) -> bool {
        self.kept.context == context
    }

    /// What the tree of this id gave, and how many objects it declares, if it is the tree that this was
    /// made of.
    pub fn of_tree(&self, tree: &[u8]) -> Option<(Vec<Finding>, usize)> {
        (self.kept.tree == tree).then(|| (self.found(), self.kept.objects))
    }

    /// The id of the tree that it was made of, if what that gave is known as a whole.
    pub fn tree(&self) -> Option<ContentId> {
        ContentId::new(self.kept.tree).filter(|id| !id.as_bytes().is_empty())
    }

    /// Bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.kept.files.iter().map(|file| file.size).sum()
    }

    pub(super) fn found(&self) -> Vec<Finding> {
        let nowhere = Arc::from("");
        self.kept.found.iter().map(|told| told.finding(&nowhere)).collect()
    }

    /// The size of a file that it knows.
    pub fn size(&self, path: &str, id: &ContentId) -> Option<u64> {
        self.file(path, id).map(|file| file.size)
    }

    pub(super) fn file(&self, path: &str, id: &ContentId) -> Option<&KeptFile<'a>> {
        let files = &self.kept.files;
        let is_it = |file: &KeptFile<'_>| file.path == path && file.id == id.as_bytes();
        let next = self.next.get();
        let index = match files.get(next) {
            Some(file) if is_it(file) => next,
            _ => {
                let first = files.partition_point(|file| file.path < path);
                first + files[first..].iter().take_while(|file| file.path == path).position(is_it)?
            }
        };
        self.next.set(index + 1);
        files.get(index)
    }
}

impl Kept<'_> {
    /// The bytes to keep; `None` if it cannot be written.
    pub(super) fn written(&self) -> Option<Vec<u8>> {
        let mut bytes = [MAGIC, &[0; CHECKSUM]].concat();
        let begin = bytes.len();
        bytes = postcard::to_extend(self, bytes).ok()?;
        let checksum = blake3::hash(&bytes[begin..]);
        bytes[MAGIC.len()..begin].copy_from_slice(checksum.as_bytes());
        Some(bytes)
    }
}
