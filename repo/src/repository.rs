//! A repository: refs, commits and how they follow each other.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{ErrorCode, ObjectFormat, ObjectType, Oid, Sort};
use gitward_core::evaluate::ContentId;
use gitward_core::snapshot::Commit;
use jiff::Timestamp;

use crate::program::Git;
use crate::stand_in::{self, StandIn};
use crate::{Error, Result};

/// Time for reading a setting.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(2);

/// The full id of a commit, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(String);

impl CommitId {
    /// Reads an id of 40 or 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Id`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id { Ok(Self(text.to_ascii_lowercase())) } else { Err(Error::Id(text.chars().take(80).collect())) }
    }

    /// The id that Git writes for "there is none" in ref updates.
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|b| b == b'0')
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    /// The id for libgit2; its length says by which hash it is made.
    pub(crate) fn oid(&self) -> Result<Oid> {
        let format = if self.0.len() == 64 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        Oid::from_str_ext(&self.0, format).map_err(|_| Error::Id(self.0.clone()))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Oid> for CommitId {
    fn from(oid: Oid) -> Self {
        Self(oid.to_string())
    }
}

/// An open repository.
pub struct Repository {
    pub(crate) git: git2::Repository,
    /// What stands behind `git` where libgit2 cannot open the repository itself.
    pub(crate) stand_in: Option<StandIn>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.git_dir()).finish()
    }
}

/// As many steps as Git follows from one symbolic ref to the next.
const SYMBOLIC_STEPS: usize = 5;

impl Repository {
    /// Opens the repository at exactly this path (bare, or a working tree's root).
    ///
    /// # Errors
    /// [`Error::Open`], or [`Error::Format`] where neither libgit2 nor the `git` program reads the storage
    /// format.
    pub fn open(path: &Path) -> Result<Self> {
        Self::opened(path, git2::Repository::open(path), || Ok(stand_in::at(path)))
    }

    /// Opens the repository that holds a path, looking upwards.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn discover(path: &Path) -> Result<Self> {
        Self::opened(path, git2::Repository::discover(path), || stand_in::discover(path))
    }

    /// Opens the repository that Git names in a hook's environment, quarantined objects included.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn open_from_env() -> Result<Self> {
        let path = std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        Self::opened(&path, git2::Repository::open_from_env(), || Ok((path.clone(), None)))
    }

    /// `found`, or what stands in for it. `place` tells the repository's own directory and its working
    /// tree.
    fn opened(
        path: &Path,
        found: std::result::Result<git2::Repository, git2::Error>,
        place: impl FnOnce() -> Result<(PathBuf, Option<PathBuf>)>,
    ) -> Result<Self> {
        let error = match found {
            Ok(git) => return Ok(Self { git, stand_in: None }),
            Err(error) => error,
        };
        // What libgit2 says of a format that it does not know.
        let Some((_, extension)) = error.message().split_once("unsupported extension name extensions.") else {
            return Err(Error::Open { path: path.to_owned(), reason: error.message().to_owned() });
        };
        let opened = place().and_then(|(git_dir, workdir)| stand_in::open(&git_dir, workdir.as_deref()));
        match opened {
            Ok((git, stand_in)) => Ok(Self { git, stand_in: Some(stand_in) }),
            Err(Error::Program { reason, .. }) => {
                Err(Error::Format { path: path.to_owned(), extension: extension.to_owned(), reason })
            }
            Err(other) => Err(other),
        }
    }

    /// The repository's own directory (`.git`, or the bare repository).
    pub fn git_dir(&self) -> &Path {
        self.stand_in.as_ref().map_or_else(|| self.git.path(), |real| &real.git_dir)
    }

    /// The working tree's root; `None` for a bare repository.
    pub fn workdir(&self) -> Option<&Path> {
        self.git.workdir()
    }

    /// The directory that Git runs this repository's hooks from, `core.hooksPath` respected.
    ///
    /// # Errors
    /// [`Error::Object`] if the configuration cannot be read.
    pub fn hooks_dir(&self) -> Result<PathBuf> {
        if let Some(real) = &self.stand_in {
            return Ok(real.hooks.clone());
        }
        let config = self.git.config().map_err(|e| Error::object("the configuration", &e))?;
        match config.get_path("core.hooksPath") {
            // Relative paths are relative to where hooks run. Source: git-config(1).
            Ok(path) => Ok(self.git.workdir().unwrap_or_else(|| self.git.path()).join(path)),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(self.git.commondir().join("hooks")),
            Err(e) => Err(Error::object("core.hooksPath", &e)),
        }
    }

    /// All values of a setting of the repository's own configuration, in their order; none if there are
    /// none or they cannot be read.
    pub fn settings(&self, name: &str) -> Vec<String> {
        let git = Git::new(self.git_dir(), "config", SETTINGS_TIMEOUT);
        let output = git.args(["--local", "--get-all", name]).run().unwrap_or_default();
        String::from_utf8_lossy(&output).lines().map(str::to_owned).collect()
    }

    /// What a ref points to, with annotated tags followed to their commit; `None` if there is no
    /// such ref.
    ///
    /// # Errors
    /// [`Error::Object`] if the ref is broken or leads to no commit.
    pub fn resolve(&self, git_ref: &str) -> Result<Option<CommitId>> {
        let reference = match self.git.find_reference(git_ref) {
            Ok(reference) => reference,
            Err(e) if e.code() == ErrorCode::NotFound => return Ok(None),
            Err(e) => return Err(Error::object(git_ref, &e)),
        };
        let commit = reference.peel_to_commit().map_err(|e| Error::object(git_ref, &e))?;
        Ok(Some(commit.id().into()))
    }

    /// The commit at `HEAD`, or `None` while its branch is unborn.
    ///
    /// # Errors
    /// As [`Repository::resolve`].
    pub fn head(&self) -> Result<Option<CommitId>> {
        match self.git.head() {
            Ok(head) => head.peel_to_commit().map(|c| Some(c.id().into())).map_err(|e| Error::object("HEAD", &e)),
            Err(e) if matches!(e.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
            Err(e) => Err(Error::object("HEAD", &e)),
        }
    }

    /// Full name of the branch at `HEAD`, also an unborn one; `None` if it is detached.
    pub fn head_ref(&self) -> Option<String> {
        let head = self.git.find_reference("HEAD").ok()?;
        head.symbolic_target().ok().flatten().map(str::to_owned)
    }

    /// The ref that a ref stands for: itself, or the one that a symbolic ref leads to.
    pub fn stands_for(&self, git_ref: &str) -> String {
        let mut name = git_ref.to_owned();
        for _ in 0..SYMBOLIC_STEPS {
            let target = self.git.find_reference(&name).ok().and_then(|r| Some(r.symbolic_target().ok()??.to_owned()));
            match target {
                Some(target) => name = target,
                None => break,
            }
        }
        name
    }

    /// Names of branches, at most `limit` of them.
    pub fn branches(&self, limit: usize) -> Vec<String> {
        let references = self.git.references_glob("refs/heads/*");
        let names = references.into_iter().flatten().flatten().filter_map(|r| Some(r.name().ok()?.to_owned()));
        names.take(limit).collect()
    }

    /// The commit that a revision expression (`main~2`, `v1.0`, an abbreviated id) means.
    ///
    /// # Errors
    /// [`Error::Object`] if it means none.
    pub fn revision(&self, expression: &str) -> Result<CommitId> {
        let object = self.git.revparse_single(expression).map_err(|e| Error::object(expression, &e))?;
        let commit = object.peel_to_commit().map_err(|e| Error::object(expression, &e))?;
        Ok(commit.id().into())
    }

    /// The commit that an object id means: itself, or what an annotated tag points to. `None` if
    /// the object is a tree or a blob.
    ///
    /// # Errors
    /// [`Error::Object`] if the object is not there.
    pub fn peel(&self, id: &CommitId) -> Result<Option<CommitId>> {
        let object = self.git.find_object(id.oid()?, None).map_err(|e| Error::object(id.as_str(), &e))?;
        match object.kind() {
            Some(ObjectType::Commit) => Ok(Some(object.id().into())),
            Some(ObjectType::Tag) => Ok(object.peel(ObjectType::Commit).ok().map(|c| c.id().into())),
            _ => Ok(None),
        }
    }

    /// The id of a commit's whole tree.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit is not there.
    pub fn tree(&self, id: &CommitId) -> Result<ContentId> {
        let commit = self.git.find_commit(id.oid()?).map_err(|e| Error::object(id.as_str(), &e))?;
        ContentId::new(commit.tree_id().as_bytes()).ok_or_else(|| Error::Id(commit.tree_id().to_string()))
    }

    /// Who made a commit, and when.
    ///
    /// # Errors
    /// [`Error::Object`] if it is not there.
    pub fn commit(&self, id: &CommitId) -> Result<Commit> {
        let commit = self.git.find_commit(id.oid()?).map_err(|e| Error::object(id.as_str(), &e))?;
        let author = commit.author();
        let (name, mail) =
            (String::from_utf8_lossy(author.name_bytes()), String::from_utf8_lossy(author.email_bytes()));
        Ok(Commit {
            id: id.as_str().to_owned(),
            author: one_line(&format!("{name} <{mail}>")),
            time: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::UNIX_EPOCH),
            subject: one_line(&String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())),
        })
    }

    /// Whether `descendant` is `ancestor` or follows from it.
    ///
    /// # Errors
    /// [`Error::Object`] if one of them is not there.
    pub fn follows(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool> {
        if ancestor == descendant {
            return Ok(true);
        }
        self.git
            .graph_descendant_of(descendant.oid()?, ancestor.oid()?)
            .map_err(|e| Error::object(format!("{}..{}", ancestor.short(), descendant.short()), &e))
    }

    /// The commits that lead to `new` and are not reached by `old`, without `new` itself, the oldest
    /// first. Without `old`, those that no ref reaches; none if there are no refs yet.
    ///
    /// # Errors
    /// [`Error::Object`] if a commit is missing, [`Error::TooLarge`] if there are more than `limit`.
    pub fn between(&self, old: Option<&CommitId>, new: &CommitId, limit: usize) -> Result<Vec<CommitId>> {
        let what = || format!("the history of {}", new.short());
        let said = |e: &git2::Error| Error::object(what(), e);
        if old.is_none() && self.git.references().map_err(|e| said(&e))?.next().is_none() {
            return Ok(Vec::new());
        }
        let mut walk = self.git.revwalk().map_err(|e| said(&e))?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(|e| said(&e))?;
        walk.push(new.oid()?).map_err(|e| said(&e))?;
        match old {
            Some(old) => walk.hide(old.oid()?),
            None => walk.hide_glob("refs/*"),
        }
        .map_err(|e| said(&e))?;
        let mut commits = Vec::new();
        for id in walk {
            let id: CommitId = id.map_err(|e| said(&e))?.into();
            if id == *new {
                continue;
            }
            if commits.len() == limit {
                return Err(Error::TooLarge { what: what(), limit: limit as u64, unit: "commits" });
            }
            commits.push(id);
        }
        Ok(commits)
    }

    /// Points a ref at a commit, whatever it pointed to before.
    pub(crate) fn set_ref(&self, git_ref: &str, id: &CommitId) -> Result<()> {
        self.git.reference(git_ref, id.oid()?, true, "gitward").map(|_| ()).map_err(|e| Error::object(git_ref, &e))
    }
}

/// Text from a commit as one line without control characters, at most 200 characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_and_whole() {
        assert!(CommitId::parse(&"a".repeat(40)).is_ok());
        assert!(CommitId::parse(&"0".repeat(64)).unwrap().is_zero());
        for bad in ["", "abc", "--all", &"g".repeat(40), &"a".repeat(41)] {
            assert!(CommitId::parse(bad).is_err(), "{bad}");
        }
    }

    fn git(at: &Path, arguments: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(at)
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_repository_with_sha256_objects_is_read_like_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        git(at, &["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
        std::fs::write(at.join("a.yaml"), "a: 1\n").unwrap();
        git(at, &["add", "a.yaml"]);
        git(at, &["commit", "--quiet", "-m", "one"]);
        let one = CommitId::parse(&git(at, &["rev-parse", "HEAD"])).unwrap();
        git(at, &["commit", "--quiet", "--allow-empty", "-m", "two"]);

        let repository = Repository::open(at).unwrap();
        let two = repository.head().unwrap().unwrap();
        assert_eq!(two.as_str().len(), 64);
        assert!(repository.follows(&one, &two).unwrap() && !repository.follows(&two, &one).unwrap());
        assert_eq!(repository.file(&two, "a.yaml", 100).unwrap().unwrap().bytes.as_ref(), b"a: 1\n");
        assert_eq!(repository.commit(&one).unwrap().subject, "one");
    }

    #[test]
    fn reftable_is_refused_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "--quiet", "--bare"]);
        git(dir.path(), &["config", "core.repositoryFormatVersion", "1"]);
        git(dir.path(), &["config", "extensions.refStorage", "reftable"]);
        let error = Repository::open(dir.path()).unwrap_err();
        // Nor can the git program, for there is no reftable in it (or it does not know of any).
        assert!(matches!(&error, Error::Format { extension, .. } if extension == "refstorage"), "{error}");
    }

    #[test]
    fn what_libgit2_cannot_open_is_read_by_what_the_git_program_tells() {
        for hash in ["sha1", "sha256"] {
            let dir = tempfile::tempdir().unwrap();
            let at = dir.path().canonicalize().unwrap();
            git(&at, &["init", "--quiet", "--initial-branch=main", &format!("--object-format={hash}")]);
            std::fs::create_dir(at.join("below")).unwrap();
            std::fs::write(at.join("below/a.yaml"), "a: 1\n").unwrap();
            std::fs::write(at.join(".gitignore"), "ignored.yaml\n").unwrap();
            std::fs::write(at.join("ignored.yaml"), "b: 1\n").unwrap();
            git(&at, &["config", "core.repositoryFormatVersion", "1"]);
            git(&at, &["config", "extensions.partialClone", "origin"]);
            assert!(git2::Repository::open(&at).is_err(), "libgit2 knows the extension: take another one");

            let unborn = Repository::open(&at).unwrap();
            assert_eq!((unborn.head().unwrap(), unborn.head_ref().as_deref()), (None, Some("refs/heads/main")));
            git(&at, &["add", "--all"]);
            git(&at, &["commit", "--quiet", "-m", "one"]);
            git(&at, &["tag", "v1"]);

            for repository in [Repository::open(&at).unwrap(), Repository::discover(&at.join("below")).unwrap()] {
                let head = repository.head().unwrap().unwrap();
                assert_eq!(repository.revision("v1").unwrap(), head);
                assert_eq!(repository.commit(&head).unwrap().subject, "one");
                assert_eq!(repository.git_dir(), at.join(".git"));
                assert_eq!(repository.hooks_dir().unwrap(), at.join(".git/hooks"));
                let everything = crate::Selection::everything();
                let paths = |tree: crate::Tree| tree.files.iter().map(|f| f.path.to_string()).collect::<Vec<_>>();
                let limits = crate::Limits::default();
                let trees = [
                    repository.files(&head, &everything, &limits).unwrap(),
                    repository.staged(&everything, &limits).unwrap(),
                    repository.working_tree(&everything, &limits).unwrap(),
                ];
                assert_eq!(trees.map(paths), [(); 3].map(|()| vec!["below/a.yaml".to_owned()]));
                let new = crate::NewBranch { name: "x", base: None, files: &[], message: "", replace: false };
                assert!(matches!(repository.commit_on_branch(&new), Err(Error::ReadOnly { .. })));
            }
        }
    }

    #[test]
    fn control_characters_of_a_commit_never_reach_a_terminal() {
        assert_eq!(one_line("a\u{1b}[31m\nb"), "a [31m b");
    }
}
