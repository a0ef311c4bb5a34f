//! A bare mirror of one environment's ref on disk: what the cluster knows of Git, also when Git is
//! away.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::ObjectFormat;

use crate::program::Git;
use crate::{CommitId, Error, Repository, Result, url};

/// How `git` proves who it is to the Git host.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Not at all, or by what the account's own Git configuration says.
    #[default]
    None,
    /// A user name and a password or token over HTTPS.
    Basic {
        /// User name.
        user: String,
        /// Password or token.
        password: String,
    },
    /// An SSH key, with the host's keys known beforehand.
    Ssh {
        /// File with the private key.
        identity: PathBuf,
        /// File with the host's public keys.
        known_hosts: PathBuf,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Basic { .. } => "Basic",
            Credentials::Ssh { .. } => "Ssh",
        })
    }
}

/// What a fetch found, compared with the accepted commit (or, before any was accepted, with the
/// last one fetched).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The ref is where it was.
    Unchanged {
        /// Its commit.
        at: CommitId,
    },
    /// The ref moved forward, or was seen for the first time.
    FastForward {
        /// Where it was.
        old: Option<CommitId>,
        /// Where it is.
        new: CommitId,
    },
    /// The ref moved to a commit that does not follow from the one before.
    Rewound {
        /// Where it was.
        old: CommitId,
        /// Where it is.
        new: CommitId,
    },
}

impl Fetched {
    /// Where the ref is now.
    pub fn head(&self) -> &CommitId {
        match self {
            Fetched::Unchanged { at } => at,
            Fetched::FastForward { new, .. } | Fetched::Rewound { new, .. } => new,
        }
    }
}

/// A bare mirror on disk.
#[derive(Debug, Clone)]
pub struct Mirror {
    dir: PathBuf,
    url: String,
    credentials: Credentials,
}

impl Mirror {
    /// Opens the mirror in a directory, or makes one.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not fetched from, [`Error::Open`] if the directory holds
    /// something else.
    pub fn open_or_create(dir: &Path, url: &str) -> Result<Self> {
        url::check(url)?;
        let mirror = Self { dir: dir.to_owned(), url: url.to_owned(), credentials: Credentials::None };
        if dir.join("HEAD").exists() {
            mirror.repository()?;
        } else {
            std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
            git2::Repository::init_bare(dir)
                .map_err(|e| Error::Open { path: dir.to_owned(), reason: e.message().to_owned() })?;
        }
        Ok(mirror)
    }

    /// Makes a mirror that holds nothing yet one of SHA-256 objects. One that holds something stays: a
    /// repository does not change its hash, so the URL leads elsewhere than it did.
    fn take_sha256(&self) -> Result<bool> {
        let repository = self.repository()?;
        let repository = &repository.git;
        let is_free = repository.object_format() == ObjectFormat::Sha1
            && repository.references().is_ok_and(|mut references| references.next().is_none());
        if !is_free {
            return Ok(false);
        }
        let mut config = repository.config().map_err(|e| Error::object("the configuration", &e))?;
        config
            .set_i32("core.repositoryformatversion", 1)
            .and_then(|()| config.set_str("extensions.objectformat", "sha256"))
            .map_err(|e| Error::object("extensions.objectformat", &e))?;
        Ok(true)
    }

    /// The same mirror with credentials for its Git host.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The repository behind the mirror. Not shared between threads: open one each.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn repository(&self) -> Result<Repository> {
        Repository::open(&self.dir)
    }

    /// Fetches one ref, nothing else, and says how it moved. What was accepted stays as it is:
    /// the caller decides and then calls [`Mirror::accept`].
    ///
    /// # Errors
    /// [`Error::Program`] or [`Error::Timeout`] if Git could not be reached: the accepted commit
    /// still holds.
    pub fn fetch(&self, environment: &str, git_ref: &str, timeout: Duration) -> Result<Fetched> {
        let fetched_ref = fetched_ref(environment)?;
        if !git2::Reference::is_valid_name(git_ref) || !git_ref.starts_with("refs/") {
            return Err(Error::Object { what: git_ref.to_owned(), reason: "is no full ref name".to_owned() });
        }
        let before = self.repository()?.resolve(&fetched_ref)?;
        self.fetch_into(git_ref, &fetched_ref, timeout)?;
        // Opened anew: libgit2 has not seen the pack that was just fetched.
        let repository = self.repository()?;
        let Some(new) = repository.resolve(&fetched_ref)? else {
            return Err(Error::Object { what: git_ref.to_owned(), reason: "was not fetched".to_owned() });
        };
        let base = repository.resolve(&accepted_ref(environment)?)?.or(before);
        Ok(match base {
            Some(old) if old == new => Fetched::Unchanged { at: new },
            Some(old) if !repository.follows(&old, &new)? => Fetched::Rewound { old, new },
            old => Fetched::FastForward { old, new },
        })
    }

    /// Runs `git fetch`, once more if the repository turns out to have SHA-256 objects and
    /// the mirror is still empty.
    fn fetch_into(&self, git_ref: &str, fetched_ref: &str, timeout: Duration) -> Result<()> {
        let refspec = format!("+{git_ref}:{fetched_ref}");
        let fetch = || {
            let git = Git::new(&self.dir, "fetch", timeout)
                .env("GIT_ALLOW_PROTOCOL", url::ALLOWED_PROTOCOLS)
                .args(["--quiet", "--no-tags", "--force", "--no-write-fetch-head", "--no-recurse-submodules"])
                .args(["--end-of-options", &self.url, &refspec]);
            self.authenticated(git).run().map(drop)
        };
        // What git says in the C locale.
        let says = |error: &Error, words| matches!(error, Error::Program { reason, .. } if reason.contains(words));
        match fetch() {
            Err(error) if says(&error, "mismatched algorithms") && self.take_sha256()? => fetch(),
            Err(error) if says(&error, "couldn't find remote ref") => Err(Error::NoRef { git_ref: git_ref.to_owned() }),
            done => done,
        }
    }

    /// Remembers a commit as the last good one of an environment.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit is not in the mirror.
    pub fn accept(&self, environment: &str, commit: &CommitId) -> Result<()> {
        self.repository()?.set_ref(&accepted_ref(environment)?, commit)
    }

    /// The last good commit of an environment; needs no network.
    ///
    /// # Errors
    /// [`Error::Object`] if the mirror is damaged.
    pub fn accepted(&self, environment: &str) -> Result<Option<CommitId>> {
        self.repository()?.resolve(&accepted_ref(environment)?)
    }

    /// Remembers the commit that an environment's cluster is held to.
    ///
    /// # Errors
    /// [`Error::Object`] if the commit is not in the mirror.
    pub fn hold(&self, environment: &str, commit: &CommitId) -> Result<()> {
        self.repository()?.set_ref(&held_ref(environment)?, commit)
    }

    /// The commit that an environment's cluster was held to last.
    ///
    /// # Errors
    /// [`Error::Object`] if the mirror is damaged.
    pub fn held(&self, environment: &str) -> Result<Option<CommitId>> {
        self.repository()?.resolve(&held_ref(environment)?)
    }

    /// Hands the credentials to `git` by its environment, never by its arguments, which every
    /// account of the machine can list.
    fn authenticated(&self, git: Git) -> Git {
        match &self.credentials {
            Credentials::None => git.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
            Credentials::Basic { user, password } => git
                .env("GIT_CONFIG_COUNT", "2")
                .env("GIT_CONFIG_KEY_0", "credential.helper")
                .env("GIT_CONFIG_VALUE_0", "")
                .env("GIT_CONFIG_KEY_1", "credential.helper")
                .env(
                    "GIT_CONFIG_VALUE_1",
                    "!f() { echo \"username=$GITWARD_GIT_USER\"; echo \"password=$GITWARD_GIT_PASSWORD\"; }; f",
                )
                .env("GITWARD_GIT_USER", user)
                .env("GITWARD_GIT_PASSWORD", password),
            Credentials::Ssh { identity, known_hosts } => git.env(
                "GIT_SSH_COMMAND",
                format!(
                    "ssh -oBatchMode=yes -oIdentitiesOnly=yes -oStrictHostKeyChecking=yes -i {} -oUserKnownHostsFile={}",
                    quoted(identity),
                    quoted(known_hosts)
                ),
            ),
        }
    }
}

/// A path as one word of `GIT_SSH_COMMAND`, which Git hands to a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

fn fetched_ref(environment: &str) -> Result<String> {
    Ok(format!("refs/gitward/fetched/{}", checked(environment)?))
}

fn accepted_ref(environment: &str) -> Result<String> {
    Ok(format!("refs/gitward/accepted/{}", checked(environment)?))
}

fn held_ref(environment: &str) -> Result<String> {
    Ok(format!("refs/gitward/held/{}", checked(environment)?))
}

fn checked(environment: &str) -> Result<&str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !environment.is_empty() && environment.len() <= 63 && environment.bytes().all(plain) {
        Ok(environment)
    } else {
        Err(Error::Environment(environment.chars().take(80).collect()))
    }
}
