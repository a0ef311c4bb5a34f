//! Judging a tree of which some files are remembered: the others are read.

use std::borrow::Cow;
use std::sync::Arc;

use super::assembly::{Assembly, in_order};
use super::facts::{FileFacts, Told};
use super::judging::{self, Judged, Reading};
use super::memory::{Context, Kept, KeptFile, Leaf, Memory};
use super::{Judge, TreeFile, parallel, select};
use crate::config::EnvironmentConfig;
use crate::finding::Finding;
use crate::schema::{Schemas, is_crd};

/// What was found of a tree, and what there is to remember of it.
#[derive(Debug)]
pub struct Recalled<'a> {
    /// Everything found, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// How many objects are declared.
    pub objects: usize,
    /// How many files had to be read and judged.
    pub read: usize,
    leaves: &'a [Leaf],
    context: Context,
    crds: [u8; 32],
    vendored: Vec<Finding>,
    /// What the files with manifests say, by their positions, in their order.
    said: Vec<Said<'a>>,
}

/// What a file says, in the form that is kept.
#[derive(Debug)]
struct Said<'a> {
    position: usize,
    has_crds: bool,
    facts: Option<Cow<'a, [u8]>>,
}

/// Reads a file.
type Read<'r, E> = &'r mut dyn FnMut(&Leaf) -> Result<TreeFile, E>;

impl Judge {
    /// Judges an environment's tree as [`Judge::environment`] does. What the memory knows of a file is
    /// not looked for again, if it was made in this context; the others are read with `read`.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn recall<'a, E>(
        &self,
        environment: &EnvironmentConfig,
        leaves: &'a [Leaf],
        context: Context,
        memory: Option<&'a Memory<'a>>,
        read: Read<'_, E>,
    ) -> Result<Recalled<'a>, E> {
        let paths: Vec<&Arc<str>> = leaves.iter().map(|leaf| &leaf.path).collect();
        let mut texts = Vec::new();
        for position in select::kustomizations(environment, &paths) {
            texts.push((&*leaves[position].path, read(&leaves[position])?.bytes));
        }
        let texts = texts.into_iter().rev().collect();
        let selected = select::manifests(environment, &self.configuration, &paths, &texts);
        let vendored = select::schemas(environment, &self.configuration, &paths);

        let mut memory = memory.filter(|memory| memory.is_of(context) && self.held_to.is_none());
        let mut tree = Partly { judge: self, leaves, files: known(leaves, &selected.files, memory) };
        if let Some(earlier) = &self.earlier {
            // An object may have been in another file.
            let compared = earlier.keys(|gvk| self.hangs_on_definitions(gvk));
            let is_compared = |facts: &FileFacts<'_>| {
                !compared.is_empty() && facts.objects.iter().any(|object| compared.contains(&object.key()))
            };
            let is_changed = |file: &&mut File<'_>| {
                earlier.has_file(&leaves[file.position].path)
                    || file.known.as_ref().is_some_and(|known| is_compared(&known.facts))
            };
            tree.files.iter_mut().filter(is_changed).for_each(|file| file.known = None);
        }
        tree.read(read)?;
        if memory.is_some_and(|memory| memory.kept.crds != tree.crds(&vendored)) {
            // Other definitions of custom resources: what was found of any file may be otherwise.
            memory = None;
            tree.files.iter_mut().for_each(|file| file.known = None);
            tree.read(read)?;
        }
        let crds = tree.crds(&vendored);
        let (schemas, of_vendored) = tree.schemas(&vendored, memory, read)?;
        let read = tree.files.iter().filter(|file| file.known.is_none()).count();
        Ok(tree.recalled(environment, selected.findings, &schemas, of_vendored, Recall { context, crds, read }))
    }
}

/// What is remembered of the files at these positions.
fn known<'a>(leaves: &'a [Leaf], positions: &[usize], memory: Option<&'a Memory<'a>>) -> Vec<File<'a>> {
    let kept: Vec<_> = positions
        .iter()
        .map(|position| (*position, memory.and_then(|m| m.file(&leaves[*position].path, &leaves[*position].id))))
        .collect();
    parallel::map(&kept, |(position, kept)| {
        let facts = kept.and_then(|kept| Some((kept.facts?, kept.has_crds)));
        let known = facts
            .and_then(|(bytes, has_crds)| Some(Known { bytes, has_crds, facts: postcard::from_bytes(bytes).ok()? }));
        File { position: *position, known, fresh: None }
    })
}

/// A tree's files with manifests, in their order: remembered, or read.
struct Partly<'a, 'j> {
    judge: &'j Judge,
    leaves: &'a [Leaf],
    files: Vec<File<'a>>,
}

struct File<'a> {
    position: usize,
    known: Option<Known<'a>>,
    fresh: Option<Reading>,
}

struct Known<'a> {
    bytes: &'a [u8],
    has_crds: bool,
    facts: FileFacts<'a>,
}

impl File<'_> {
    fn has_crds(&self) -> bool {
        match (&self.known, &self.fresh) {
            (Some(known), _) => known.has_crds,
            (None, fresh) => fresh.iter().flat_map(|reading| &reading.manifests).any(|m| is_crd(&m.gvk)),
        }
    }
}

/// What is told on of a recollection.
struct Recall {
    context: Context,
    crds: [u8; 32],
    read: usize,
}

impl<'a> Partly<'a, '_> {
    /// Reads what is not remembered and was not read yet.
    fn read<E>(&mut self, read: Read<'_, E>) -> Result<(), E> {
        self.read_where(|file| file.known.is_none(), read)
    }

    fn read_where<E>(&mut self, wanted: impl Fn(&File<'_>) -> bool, read: Read<'_, E>) -> Result<(), E> {
        let wanted: Vec<usize> =
            (0..self.files.len()).filter(|i| self.files[*i].fresh.is_none() && wanted(&self.files[*i])).collect();
        let mut texts = Vec::with_capacity(wanted.len());
        for index in &wanted {
            texts.push(read(&self.leaves[self.files[*index].position])?);
        }
        let readings = Reading::of(&texts.iter().collect::<Vec<_>>(), self.judge.configuration.unconfigured);
        for (index, reading) in wanted.into_iter().zip(readings) {
            self.files[index].fresh = Some(reading);
        }
        Ok(())
    }

    /// The digest of the files that define custom resources.
    fn crds(&self, vendored: &[usize]) -> [u8; 32] {
        let own = self.files.iter().filter(|file| file.has_crds()).map(|file| file.position);
        let mut digest = blake3::Hasher::new();
        for (is_vendored, position) in vendored.iter().map(|p| (true, *p)).chain(own.map(|p| (false, p))) {
            let Leaf { path, id, .. } = &self.leaves[position];
            digest.update(&[u8::from(is_vendored), id.as_bytes().len() as u8]);
            digest.update(&(path.len() as u64).to_le_bytes());
            digest.update(path.as_bytes());
            digest.update(id.as_bytes());
        }
        *digest.finalize().as_bytes()
    }

    /// The schemas by which the files that were read are judged, and what is wrong with definitions that
    /// the tree does not declare. Definitions are read only if something hangs on them.
    fn schemas<E>(
        &mut self,
        vendored: &[usize],
        memory: Option<&Memory<'_>>,
        read: Read<'_, E>,
    ) -> Result<(Vec<Schemas>, Vec<Finding>), E> {
        let schemas = &self.judge.schemas;
        let mut fresh = self.files.iter().filter_map(|file| file.fresh.as_ref()).flat_map(|r| &r.manifests);
        let remembered = memory.map(|memory| {
            let nowhere = Arc::from("");
            memory.kept.vendored.iter().map(|told| told.finding(&nowhere)).collect()
        });
        if let Some(remembered) = &remembered
            && !fresh.any(|manifest| self.judge.hangs_on_definitions(&manifest.gvk))
        {
            return Ok((schemas.clone(), Vec::clone(remembered)));
        }
        let mut texts = Vec::new();
        for position in vendored {
            texts.push(read(&self.leaves[*position])?);
        }
        let vendored = self.judge.read(&texts.iter().collect::<Vec<_>>());
        self.read_where(|file| file.has_crds(), read)?;
        let mut readings = self.take_readings();
        let (schemas, found) = self.judge.schemas_of(&vendored, &mut readings);
        self.put_back(readings);
        Ok((schemas, remembered.unwrap_or(found)))
    }

    fn take_readings(&mut self) -> Vec<(Arc<str>, Reading)> {
        let leaves = self.leaves;
        let taken =
            self.files.iter_mut().filter_map(|file| Some((leaves[file.position].path.clone(), file.fresh.take()?)));
        taken.collect()
    }

    /// Puts back what was taken, but for what was read for its definitions alone.
    fn put_back(&mut self, readings: Vec<(Arc<str>, Reading)>) {
        let was_read = |file: &&mut File<'_>| file.known.is_none() || file.has_crds();
        for (file, (_, reading)) in self.files.iter_mut().filter(was_read).zip(readings) {
            file.fresh = file.known.is_none().then_some(reading);
        }
    }

    fn recalled(
        mut self,
        environment: &EnvironmentConfig,
        mut findings: Vec<Finding>,
        schemas: &[Schemas],
        of_vendored: Vec<Finding>,
        recall: Recall,
    ) -> Recalled<'a> {
        let has_crds: Vec<bool> = self.files.iter().map(File::has_crds).collect();
        let readings = self.take_readings();
        let rules = self.judge.rules(environment, schemas);
        let mut judged = Judged::of(&readings, &rules);
        let mut fresh = judged.facts().into_iter();
        let leaves = self.leaves;
        let (mut said, mut facts) = (Vec::with_capacity(self.files.len()), Vec::with_capacity(self.files.len()));
        for (file, has_crds) in self.files.into_iter().zip(has_crds) {
            let path = &leaves[file.position].path;
            let (bytes, says) = match file.known {
                Some(known) => (Some(Cow::Borrowed(known.bytes)), known.facts),
                None => {
                    let says = fresh.next().unwrap_or_default();
                    let bytes = says.can_be_remembered(path).then(|| postcard::to_allocvec(&says).ok()).flatten();
                    (bytes.map(Cow::Owned), says)
                }
            };
            said.push(Said { position: file.position, has_crds, facts: bytes });
            facts.push((path, says));
        }
        findings.extend(of_vendored.iter().cloned());
        let configuration = &self.judge.configuration;
        let assembled = Assembly { environment, configuration, findings, files: &facts }.together();
        Recalled {
            findings: assembled.findings,
            objects: assembled.is_declared.iter().flatten().filter(|is_declared| **is_declared).count(),
            read: recall.read,
            leaves,
            context: recall.context,
            crds: recall.crds,
            vendored: of_vendored,
            said,
        }
    }
}

impl Recalled<'_> {
    /// Counts what could not be read as found.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        in_order(&mut self.findings);
    }

    /// The bytes to remember this by ([`Memory::read`]); `tree` is the id of the whole tree. `None` if
    /// they cannot be written.
    pub fn remember(&self, tree: &[u8]) -> Option<Vec<u8>> {
        let mut said = self.said.iter().peekable();
        let mut files: Vec<KeptFile<'_>> = Vec::with_capacity(self.leaves.len());
        for (position, leaf) in self.leaves.iter().enumerate() {
            let said = said.next_if(|said| said.position == position);
            files.push(KeptFile {
                path: &leaf.path,
                id: leaf.id.as_bytes(),
                size: leaf.size,
                has_crds: said.is_some_and(|said| said.has_crds),
                facts: said.and_then(|said| said.facts.as_deref()),
            });
        }
        files.sort_by_key(|file| file.path);
        let kept = Kept {
            context: self.context,
            crds: self.crds,
            vendored: judging::told(&self.vendored, ""),
            tree,
            found: judging::told(&self.findings, ""),
            objects: self.objects,
            files,
        };
        let nowhere = Arc::from("");
        let can_be_remembered = |findings: &[Told<'_>]| findings.iter().all(|told| told.can_be_remembered(&nowhere));
        if !can_be_remembered(&kept.vendored) {
            return None;
        }
        // What cannot be told alike again is found again.
        if can_be_remembered(&kept.found) {
            kept.written()
        } else {
            Kept { found: Vec::new(), tree: &[], ..kept }.written()
        }
    }
}
