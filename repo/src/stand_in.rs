//! Repositories of a storage format that libgit2 does not know and the `git` program does, such as
//! reftable.
//!
//! Objects are stored alike in all of them; what differs is how refs are kept. So a repository in a
//! temporary directory stands in: its objects are the real ones, by `objects/info/alternates`, a push's
//! quarantine included, and its refs are what `git for-each-ref` says. Everything that reads goes on
//! with libgit2 from there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{ConfigLevel, ErrorCode, ObjectFormat, RepositoryInitOptions};
use tempfile::TempDir;

use crate::program::Git;
use crate::{Error, Result};

/// Time for one question to the `git` program.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where further objects of a quarantined push are. Source: git(1).
const ALTERNATES: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";

/// What the real repository is, behind the one that stands in.
pub(crate) struct StandIn {
    pub(crate) git_dir: PathBuf,
    pub(crate) hooks: PathBuf,
    /// Removed with the value.
    _folder: TempDir,
}

/// The repository that holds a path, looking upwards: its own directory, and its working tree.
pub(crate) fn discover(path: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let ask = |what| Git::below(path, "rev-parse", TIMEOUT).args([what]).run().map(|out| line(&out));
    Ok((PathBuf::from(ask("--absolute-git-dir")?), ask("--show-toplevel").ok().map(PathBuf::from)))
}

/// The directory of the repository at exactly this path, and its working tree.
pub(crate) fn at(path: &Path) -> (PathBuf, Option<PathBuf>) {
    let inside = path.join(".git");
    if inside.exists() { (inside, Some(path.to_owned())) } else { (path.to_owned(), None) }
}

/// Opens the stand-in of a repository.
///
/// # Errors
/// If the `git` program cannot read it either, or no temporary directory can be made.
pub(crate) fn open(git_dir: &Path, workdir: Option<&Path>) -> Result<(git2::Repository, StandIn)> {
    let ask = |name, arguments: &[&str]| Git::new(git_dir, name, TIMEOUT).args(arguments).run();
    let paths = ["objects", "index", "info"].iter().flat_map(|path| ["--git-path", path]);
    let question: Vec<&str> =
        ["--path-format=absolute", "--absolute-git-dir", "--git-common-dir", "--show-object-format"]
            .into_iter()
            .chain(paths)
            .collect();
    let answer = String::from_utf8_lossy(&ask("rev-parse", &question)?).into_owned();
    let answers: Vec<&str> = answer.lines().collect();
    let [real, common, hash, objects, index, info] = answers[..] else {
        return Err(Error::Program {
            command: "rev-parse",
            reason: "gave an answer that is not understood".to_owned(),
        });
    };

    let folder =
        tempfile::Builder::new().prefix("gitward-").tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let format = if hash == "sha256" { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).object_format(format);
    let said = |e: git2::Error| Error::Open { path: git_dir.to_owned(), reason: e.message().to_owned() };
    git2::Repository::init_opts(folder.path(), &options).map_err(said)?;

    let further = std::env::var(ALTERNATES).unwrap_or_default();
    let alternates: Vec<&str> = [objects].into_iter().chain(further.split(':').filter(|p| !p.is_empty())).collect();
    let put = |name: &str, text: String| {
        let path = folder.path().join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|e| Error::io(path, e))
    };
    put("objects/info/alternates", alternates.join("\n") + "\n")?;
    put("packed-refs", whole_lines(&ask("for-each-ref", &["--format=%(objectname) %(refname)"])?))?;
    let head = match ask("symbolic-ref", &["--quiet", "HEAD"]) {
        Ok(branch) => format!("ref: {}\n", line(&branch)),
        Err(_) => ask("rev-parse", &["--verify", "HEAD"]).map(|id| format!("{}\n", line(&id)))?,
    };
    put("HEAD", head)?;
    for (name, real) in [("index", index), ("info", info)] {
        let path = folder.path().join(name);
        let _ = fs::remove_dir_all(&path);
        symlink(real, &path).map_err(|e| Error::io(path, e))?;
    }

    let git = git2::Repository::open(folder.path()).map_err(said)?;
    if let Some(workdir) = workdir {
        git.set_workdir(workdir, false).map_err(said)?;
    }
    let hooks = hooks(Path::new(real), Path::new(common), workdir)?;
    Ok((git, StandIn { git_dir: PathBuf::from(real), hooks, _folder: folder }))
}

/// Where the repository's hooks are. The `git` program is never run with them, so it is not asked.
fn hooks(git_dir: &Path, common: &Path, workdir: Option<&Path>) -> Result<PathBuf> {
    let said = |e: &git2::Error| Error::object("core.hooksPath", e);
    let mut config = git2::Config::open_default().map_err(|e| said(&e))?;
    config.add_file(&common.join("config"), ConfigLevel::Local, false).map_err(|e| said(&e))?;
    match config.get_path("core.hooksPath") {
        // Relative paths are relative to where hooks run. Source: git-config(1).
        Ok(path) => Ok(workdir.unwrap_or(git_dir).join(path)),
        Err(e) if e.code() == ErrorCode::NotFound => Ok(common.join("hooks")),
        Err(e) => Err(said(&e)),
    }
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end_matches('\n').to_owned()
}

/// The refs as libgit2 reads them. Of a program's output no more than a bound is kept, and its last
/// line may be a part.
fn whole_lines(output: &[u8]) -> String {
    let end = output.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    String::from_utf8_lossy(&output[..end]).into_owned()
}
