//! A Git host: bare repositories served over HTTP by Git's own server program, with real hooks.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::sync::oneshot;

use crate::cgi::{self, Backend};
use crate::work_tree::git;
use crate::{Error, Result, ports};

/// How long requests in flight may go on after [`GitHost::stop`].
const LAST_REQUESTS: Duration = Duration::from_millis(200);
/// How long the host's port may take to come free again.
const PORT_FREE_WITHIN: Duration = Duration::from_secs(5);
const PORT_ATTEMPTS: usize = 20;

/// A Git host on this machine. Anyone may read and push, as the hooks allow. It runs on threads of
/// its own, so that a test may block while it pushes. Dropping the handle stops it; the
/// repositories stay.
#[derive(Debug)]
pub struct GitHost {
    folder: PathBuf,
    backend: Arc<Backend>,
    port: u16,
    server: Option<Server>,
}

#[derive(Debug)]
struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl GitHost {
    /// Serves the bare repositories in `folder`, which is created if it is not there.
    ///
    /// # Errors
    /// If there is no `git`, or no port.
    pub fn start(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let doing = format!("create {}", folder.display());
        fs::create_dir_all(folder).map_err(Error::io(&doing))?;
        let folder = folder.canonicalize().map_err(Error::io(doing))?;
        let (port, listener) = listen_anywhere()?;
        let backend = Arc::new(Backend::new(folder.clone(), git_http_backend()?));
        let mut host = Self { folder, backend, port, server: None };
        host.serve(listener)?;
        Ok(host)
    }

    /// The address without a repository, such as `http://127.0.0.1:16080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Creates an empty bare repository whose branch is to be `main`. Those that are there stay as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is no plain path; [`Error::Command`] if Git refuses.
    pub fn create_repository(&self, name: &str) -> Result<Repository> {
        let plain = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
        };
        if !name.split('/').all(plain) {
            return Err(Error::Invalid(format!("{name:?} cannot be the name of a repository")));
        }
        let name = name.trim_end_matches(".git");
        let path = self.folder.join(format!("{name}.git"));
        let repository = Repository { url: format!("{}/{name}.git", self.url()), path };
        if !repository.path.join("HEAD").is_file() {
            let path = repository.path.to_string_lossy().into_owned();
            git(&self.folder, &["init", "--quiet", "--bare", "--initial-branch=main", &path])?.checked()?;
            git(&repository.path, &["config", "http.receivepack", "true"])?.checked()?;
        }
        Ok(repository)
    }

    /// Stops serving: connections end and new ones are refused. Nothing happens if it is stopped.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            let _ = server.stop.send(());
            let _ = server.thread.join();
        }
    }

    /// Serves again, at the same address.
    ///
    /// # Errors
    /// If another process has taken the port.
    pub fn start_again(&mut self) -> Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        let started = Instant::now();
        loop {
            match TcpListener::bind(self.address()) {
                Ok(listener) => return self.serve(listener),
                Err(_) if started.elapsed() < PORT_FREE_WITHIN => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(Error::io(format!("listen on {}", self.address()))(error)),
            }
        }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn serve(&mut self, listener: TcpListener) -> Result<()> {
        let doing = "serve Git repositories";
        listener.set_nonblocking(true).map_err(Error::io(doing))?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).thread_name("git-host").enable_all().build();
        let runtime = runtime.map_err(Error::io(doing))?;
        let router = cgi::router(self.backend.clone());
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("git-host".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve_until(listener, router, stopped)) {
                tracing::error!("the Git host ended: {error}");
            }
            runtime.shutdown_timeout(LAST_REQUESTS);
        });
        self.server = Some(Server { stop, thread: thread.map_err(Error::io(doing))? });
        Ok(())
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A bare repository of a [`GitHost`].
#[derive(Clone, Debug)]
pub struct Repository {
    url: String,
    path: PathBuf,
}

impl Repository {
    /// Where to clone it from and push it to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bare repository itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts an executable hook such as `pre-receive` in place. `script` begins with `#!`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn install_hook(&self, name: &str, script: &str) -> Result<()> {
        let hook = self.path.join("hooks").join(name);
        let beside = hook.with_extension("new");
        let install = || -> std::io::Result<()> {
            fs::create_dir_all(self.path.join("hooks"))?;
            fs::write(&beside, script)?;
            fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
            // At once and whole: a push may be running the old one.
            fs::rename(&beside, &hook)
        };
        install().map_err(Error::io(format!("install {}", hook.display())))
    }

    /// Runs `git` in the bare repository.
    ///
    /// # Errors
    /// If it cannot be run; that it fails is in the output.
    pub fn git(&self, arguments: &[&str]) -> Result<crate::Output> {
        git(&self.path, arguments)
    }
}

async fn serve_until(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let server = axum::serve(listener, router);
    // Cut off, not shut down gracefully: clients that keep connections open would hold it up.
    tokio::select! {
        ended = server => ended,
        _ = stopped => Ok(()),
    }
}

fn listen_anywhere() -> Result<(u16, TcpListener)> {
    let mut attempt = 1;
    loop {
        let port = ports::free()?;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok((port, listener)),
            Err(_) if attempt < PORT_ATTEMPTS => attempt += 1,
            Err(error) => return Err(Error::io(format!("listen on port {port}"))(error)),
        }
    }
}

fn git_http_backend() -> Result<PathBuf> {
    let folder = git(Path::new("/"), &["--exec-path"])?.checked()?;
    let program = Path::new(folder.trim()).join("git-http-backend");
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::Invalid(format!("this Git lacks {}; install the whole of Git", program.display())))
}
