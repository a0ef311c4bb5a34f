//! The real Gitea, built once and run as a process.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::binaries::Sources;
use crate::cache::Cache;
use crate::go_build::{self, Go};
use crate::output::Output;
use crate::process::{Process, tail};
use crate::progress::Progress;
use crate::tool::{LINKER, Tool};
use crate::{Error, Result, ports};

const MODULE: &str = "code.gitea.io/gitea";

const GITEA: Tool = Tool {
    folder: "gitea",
    name: "gitea",
    package: MODULE,
    go_mod: include_str!("../gitea/go.mod"),
    go_sum: include_str!("../gitea/go.sum"),
    linker: LINKER,
    main: None,
    // Its database in one file is a library of C.
    c_with_tags: Some("sqlite,sqlite_unlock_notify"),
};

/// What Gitea reads at run time of its own module. Its pages' scripts are not among it: they are no
/// part of the module.
const READ_AT_RUN_TIME: [&str; 2] = ["options", "templates"];

const READ_KEPT: &str = "read-at-run-time";

const SSH_ACCOUNT: &str = "git";

/// How long it may take to make its database and to answer.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// It refuses to be root, which tests may be, unless it is told this.
const AS_ROOT: (&str, &str) = ("GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT", "true");

/// Gitea's program, and what it reads at run time.
#[derive(Debug, Clone)]
pub struct Gitea {
    program: PathBuf,
    read: PathBuf,
}

/// A Gitea that serves on this machine until this is dropped. There is nobody yet who could log in.
#[derive(Debug)]
pub struct RunningGitea {
    gitea: Gitea,
    folder: PathBuf,
    ports: Ports,
    process: Process,
}

/// Where it listens on this machine.
#[derive(Debug, Clone, Copy)]
struct Ports {
    http: u16,
    ssh: u16,
}

impl Gitea {
    /// Builds it, unless it was built before. Takes minutes; concurrent callers build once.
    ///
    /// # Errors
    /// Where there is no Go or no C compiler, or the module cannot be fetched or built.
    pub fn provide(sources: &Sources, progress: &Progress) -> Result<Self> {
        let cache = GITEA.provide(sources, progress, keep_what_is_read)?;
        Ok(Self { program: cache.entry(GITEA.name), read: cache.entry(READ_KEPT) })
    }

    /// Starts it with everything that it keeps in `folder`, and waits until it answers.
    ///
    /// # Errors
    /// Where it cannot be started, or does not answer in time.
    pub fn start(&self, folder: &Path) -> Result<RunningGitea> {
        let ports = Ports { http: ports::free()?, ssh: ports::free()? };
        let settings = configuration(folder, &self.read, ports);
        let path = configured(folder);
        fs::write(&path, settings).map_err(Error::io(format!("write {}", path.display())))?;
        let arguments = ["--config".to_owned(), path.display().to_string(), "web".to_owned()];
        let log = folder.join("gitea.log");
        let environment = [(AS_ROOT.0, OsStr::new(AS_ROOT.1))];
        let process = Process::start_with(&self.program, &arguments, folder, &log, &environment)?;
        let mut running = RunningGitea { gitea: self.clone(), folder: folder.to_owned(), ports, process };
        running.wait()?;
        Ok(running)
    }
}

impl RunningGitea {
    /// The address without a repository, such as `http://127.0.0.1:16080`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// The same for Git over ssh, which its own server speaks; it knows people by their keys alone.
    pub fn ssh_url(&self) -> String {
        format!("ssh://{SSH_ACCOUNT}@127.0.0.1:{}", self.ports.ssh)
    }

    /// Where it keeps the bare repository `name` of `owner`.
    pub fn repository(&self, owner: &str, name: &str) -> PathBuf {
        self.folder.join("repositories").join(owner).join(format!("{name}.git"))
    }

    /// Runs one of its commands, such as `admin user create`, on the running server's data.
    ///
    /// # Errors
    /// [`Error::Command`] where it fails.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut gitea = Command::new(&self.gitea.program);
        gitea.arg("--config").arg(configured(&self.folder)).args(arguments).current_dir(&self.folder);
        let command = format!("gitea {}", arguments.join(" "));
        let output = gitea.env(AS_ROOT.0, AS_ROOT.1).output().map_err(Error::io(format!("run {command}")))?;
        Output::new(command, output).checked()
    }

    fn wait(&mut self) -> Result<()> {
        let (url, started) = (format!("{}/api/healthz", self.url()), Instant::now());
        loop {
            let Err(error) = ureq::get(&url).call() else { return Ok(()) };
            let (log, log_tail) = (self.process.log().to_owned(), tail(self.process.log()));
            if let Some(status) = self.process.ended() {
                return Err(Error::Ended { component: "Gitea".to_owned(), status, log, log_tail });
            }
            let waited = started.elapsed();
            if waited > READY_WITHIN {
                return Err(Error::NotReady {
                    what: "Gitea".to_owned(),
                    waited,
                    last: error.to_string(),
                    log,
                    log_tail,
                });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn configured(folder: &Path) -> PathBuf {
    folder.join("app.ini")
}

/// Nothing of the user's own is read or written, nobody is called, and no job of its own makes a
/// story differ from run to run.
fn configuration(folder: &Path, read: &Path, ports: Ports) -> String {
    let (folder, read, Ports { http, ssh }) = (folder.display(), read.display(), ports);
    format!(
        "WORK_PATH = {folder}\n\
         [database]\nDB_TYPE = sqlite3\nPATH = {folder}/gitea.db\nSQLITE_TIMEOUT = 20000\n\
         [repository]\nROOT = {folder}/repositories\nDEFAULT_BRANCH = main\n\
         [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {http}\nROOT_URL = http://127.0.0.1:{http}/\n\
         STATIC_ROOT_PATH = {read}\nSTART_SSH_SERVER = true\nSSH_LISTEN_HOST = 127.0.0.1\n\
         SSH_PORT = {ssh}\nBUILTIN_SSH_SERVER_USER = {SSH_ACCOUNT}\nOFFLINE_MODE = true\nLFS_START_SERVER = false\n\
         [security]\nINSTALL_LOCK = true\n\
         [migrations]\nALLOW_LOCALNETWORKS = true\n\
         [indexer]\nISSUE_INDEXER_TYPE = db\n\
         [cron]\nENABLED = false\n\
         [actions]\nENABLED = false\n\
         [log]\nLEVEL = Warn\n"
    )
}

/// Copies what is read at run time out of Go's own cache.
fn keep_what_is_read(go: &Go, laid_out: &Path, cache: &Cache) -> Result<()> {
    let list = ["list", "-m", "-f", "{{.Dir}}", MODULE].map(OsStr::new);
    let module = go_build::run(go, laid_out, MODULE, &list)?;
    let (copies, kept) = (laid_out.join(READ_KEPT), cache.entry(READ_KEPT));
    for name in READ_AT_RUN_TIME {
        copy_tree(&Path::new(&module).join(name), &copies.join(name))?;
    }
    let _ = fs::remove_dir_all(&kept);
    fs::rename(&copies, &kept).map_err(Error::io(format!("move {} into the cache", copies.display())))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let doing = format!("copy {}", from.display());
    fs::create_dir_all(to).map_err(Error::io(&doing))?;
    for entry in fs::read_dir(from).map_err(Error::io(&doing))? {
        let entry = entry.map_err(Error::io(&doing))?;
        let copy = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &copy)?;
        } else {
            // The copy may be written, unlike what is in Go's own cache.
            let bytes = fs::read(entry.path()).map_err(Error::io(&doing))?;
            fs::write(&copy, bytes).map_err(Error::io(&doing))?;
        }
    }
    Ok(())
}
