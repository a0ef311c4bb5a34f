use super::*;
use gitward_core::additions::Entry;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1\nkind: Configuration\nenvironments:\n- name: prod\n  \
                             ref: refs/heads/main\n  path: apps\n  namespaces: [shop]\n";

/// A workload: what controllers made of a former template has to be explained for a while.
fn manifest(colour: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  template:\n    \
         metadata:\n      annotations:\n        colour: {colour}\n"
    )
}

fn git(dir: &Path, args: &[&str]) {
    let done = Command::new("git")
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(args)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Writes both files and commits them.
fn push(repository: &Path, configuration: &str, manifest: &str) {
    std::fs::create_dir_all(repository.join("apps")).unwrap();
    std::fs::write(repository.join("gitward.yaml"), configuration).unwrap();
    std::fs::write(repository.join("apps/web.yaml"), manifest).unwrap();
    git(repository, &["add", "-A"]);
    git(repository, &["commit", "-qm", "Change"]);
}

struct Running {
    looker: Looker,
    store: Arc<SnapshotStore>,
    news: mpsc::Sender<News>,
    shutdown: CancellationToken,
}

impl Running {
    async fn start(state: &Path) -> Self {
        let (store, metrics) = (Arc::new(SnapshotStore::default()), Arc::new(Metrics::default()));
        let state = StateDir::open(state).unwrap();
        let (mut follower, looker) = Follower::new("prod", state, Credentials::None, store.clone(), metrics);
        follower.restore().await;
        let (news, news_of) = mpsc::channel(8);
        let shutdown = CancellationToken::new();
        tokio::spawn(follower.run(news_of, Duration::from_secs(3600), shutdown.clone()));
        Self { looker, store, news, shutdown }
    }

    async fn until(&self, what: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        for _ in 0..1000 {
            if let Some(snapshot) = self.store.load().filter(|s| what(s)) {
                return snapshot;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the snapshot never came: {:?}", self.store.load());
    }

    async fn look(&self) -> bool {
        self.looker.look(Instant::now() + Duration::from_secs(20)).await
    }
}

fn environment(repository: &Path) -> News {
    News::Environment(EnvironmentSpec {
        repository: format!("file://{}", repository.display()),
        git_ref: "refs/heads/main".into(),
        path: None,
    })
}

fn key() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", "shop", "web")
}

fn colour(snapshot: &Snapshot) -> Option<&str> {
    snapshot.declared(&key())?.canonical.pointer("/spec/template/metadata/annotations/colour")?.as_str()
}

fn expected(snapshot: &Snapshot) -> Option<&Value> {
    Some(&snapshot.declared(&key())?.expected.as_ref()?.object)
}

/// What the leader publishes for the object as the snapshot declares it.
fn learnt(snapshot: &Snapshot) -> News {
    let declared = snapshot.declared(&key()).unwrap();
    let entry = Entry::learnt(declared, &declared.canonical, None, Value::Null);
    let additions = Additions { entries: [(key(), entry)].into() };
    let shard = Additions::shard_of(&key());
    News::Shard { shard, entries: additions.shard(shard), commit: Some(snapshot.commit.id.clone()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_found_by_looking_and_survives_a_restart_with_everything_away() {
    let dir = tempfile::tempdir().unwrap();
    let (repository, state) = (dir.path().join("repository"), dir.path().join("state"));
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"]);
    push(&repository, CONFIGURATION, &manifest("blue"));

    let running = Running::start(&state).await;
    assert!(running.store.load().is_none());
    running.news.send(environment(&repository)).await.unwrap();
    let blue = running.until(|s| colour(s) == Some("blue")).await;
    assert!(expected(&blue).is_none());
    running.news.send(learnt(&blue)).await.unwrap();
    running.until(|s| expected(s).is_some()).await;

    // A push is in force when a look ends, and what it replaced counts for a while.
    push(&repository, CONFIGURATION, &manifest("red"));
    assert!(running.look().await);
    let red = running.store.load().unwrap();
    assert_eq!(colour(&red), Some("red"));
    assert!(expected(&red).is_none(), "what was learnt of another content does not count");
    assert_eq!(red.former(&key(), Timestamp::now()).count(), 1);
    let before = red.declared(&key()).unwrap().before.clone().expect("blue counts until red is learnt");
    assert_eq!(before.canonical.pointer("/spec/template/metadata/annotations/colour"), Some(&"blue".into()));
    running.news.send(learnt(&red)).await.unwrap();
    let known = running.until(|s| expected(s).is_some()).await;
    assert!(known.declared(&key()).unwrap().before.is_none());

    // A commit that cannot be read changes nothing.
    push(&repository, CONFIGURATION, "apiVersion: v1\nkind: [broken");
    running.look().await;
    assert_eq!(colour(&running.store.load().unwrap()), Some("red"));
    running.shutdown.cancel();

    std::fs::remove_dir_all(&repository).unwrap();
    let restarted = Running::start(&state).await;
    let restored = restarted.store.load().expect("ready at once");
    assert_eq!(colour(&restored), Some("red"));
    assert!(expected(&restored).is_some());
    assert!(!restarted.look().await, "Git is away");
    restarted.shutdown.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_was_rewritten_is_not_followed_unless_git_allowed_it() {
    let dir = tempfile::tempdir().unwrap();
    let (repository, state) = (dir.path().join("repository"), dir.path().join("state"));
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"]);
    push(&repository, CONFIGURATION, &manifest("blue"));
    push(&repository, CONFIGURATION, &manifest("red"));

    let running = Running::start(&state).await;
    running.news.send(environment(&repository)).await.unwrap();
    running.until(|s| colour(s) == Some("red")).await;
    git(&repository, &["reset", "-q", "--hard", "HEAD~1"]);
    assert!(running.look().await);
    assert_eq!(colour(&running.store.load().unwrap()), Some("red"));
    running.shutdown.cancel();
}

/// However often Git is polled, those who ask because of a denial find their fetches unspent.
#[tokio::test(flavor = "multi_thread")]
async fn polling_takes_nothing_from_those_who_ask() {
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"]);
    push(&repository, CONFIGURATION, &manifest("blue"));
    let (store, metrics) = (Arc::new(SnapshotStore::default()), Arc::new(Metrics::default()));
    let state = StateDir::open(&dir.path().join("state")).unwrap();
    let (mut follower, _looker) = Follower::new("prod", state, Credentials::None, store.clone(), metrics);
    let News::Environment(spec) = environment(&repository) else { unreachable!() };
    follower.source = Some(follower.source_of(spec));
    for _ in 0..=FETCHES {
        follower.poll();
        let outcome = ended(&mut follower.fetching).await;
        follower.end_fetch(outcome).await;
    }
    assert_eq!(store.load().as_deref().and_then(colour), Some("blue"));
    assert_eq!(follower.pause(), Duration::ZERO, "the first who asks waits for nothing");
    assert_eq!(follower.began.len(), 1);
}

/// The leader refuses a commit: what is in the cluster is the one before, whoever starts then.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_is_held_to_goes_on_counting_after_a_restart_at_a_refused_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (repository, state) = (dir.path().join("repository"), dir.path().join("state"));
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main"]);
    push(&repository, CONFIGURATION, &manifest("blue"));

    let running = Running::start(&state).await;
    running.news.send(environment(&repository)).await.unwrap();
    let blue = running.until(|s| colour(s) == Some("blue")).await;
    running.news.send(learnt(&blue)).await.unwrap();
    running.until(|s| expected(s).is_some()).await;
    push(&repository, CONFIGURATION, &manifest("red"));
    assert!(running.look().await);
    running.shutdown.cancel();

    let counts = |snapshot: &Snapshot| {
        let before = snapshot.declared(&key()).and_then(|d| d.before.clone());
        before.is_some_and(|b| b.expected.is_some()) && snapshot.former(&key(), Timestamp::now()).count() == 1
    };
    let restarted = Running::start(&state).await;
    let restored = restarted.store.load().expect("ready at once");
    assert_eq!(colour(&restored), Some("red"));
    assert!(counts(&restored), "blue is what the cluster is held to");
    restarted.shutdown.cancel();

    // A replica that knows nothing of former times, in both orders of the news.
    for shards_first in [true, false] {
        let fresh = Running::start(&dir.path().join(format!("fresh-{shards_first}"))).await;
        if shards_first {
            fresh.news.send(learnt(&blue)).await.unwrap();
            fresh.news.send(environment(&repository)).await.unwrap();
        } else {
            fresh.news.send(environment(&repository)).await.unwrap();
            fresh.until(|s| colour(s) == Some("red")).await;
            fresh.news.send(learnt(&blue)).await.unwrap();
        }
        let snapshot = fresh.until(counts).await;
        assert_eq!(colour(&snapshot), Some("red"));
        fresh.news.send(learnt(&snapshot)).await.unwrap();
        let written = fresh.until(|s| expected(s).is_some()).await;
        assert!(written.declared(&key()).unwrap().before.is_none());
        fresh.shutdown.cancel();
    }
}
