//! One lane an object: its events are handled in order, and what takes long for one object (a
//! deletion that waits for its finalizers) holds up no other.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use gitward_core::object::ObjectKey;
use gitward_index::Event;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Objects that are looked at at the same time.
const AT_ONCE: usize = 64;

/// Handles every event that is sent. Must be called within a tokio runtime.
///
/// Of several events of an object that come while an earlier one is handled, the last stands for
/// all: the object is looked at as it is then.
pub(crate) fn start<F, Fut>(handle: F) -> mpsc::UnboundedSender<Event>
where
    F: Fn(Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (send, receive) = mpsc::unbounded_channel();
    tokio::spawn(run(Arc::new(handle), receive));
    send
}

async fn run<F, Fut>(handle: Arc<F>, mut events: mpsc::UnboundedReceiver<Event>)
where
    F: Fn(Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    // Objects that are being handled, each with the event that comes next.
    let mut busy: HashMap<ObjectKey, Option<Event>> = HashMap::new();
    let mut lanes = JoinSet::new();
    let enter = |lanes: &mut JoinSet<ObjectKey>, event: Event| {
        let (turns, handle) = (turns.clone(), handle.clone());
        lanes.spawn(async move {
            let key = event.key.clone();
            let _turn = turns.acquire().await;
            if AssertUnwindSafe(handle(event)).catch_unwind().await.is_err() {
                tracing::error!(object = %key, "looking at it failed");
            }
            key
        });
    };
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return };
                match busy.get_mut(&event.key) {
                    Some(next) => *next = Some(event),
                    None => {
                        busy.insert(event.key.clone(), None);
                        enter(&mut lanes, event);
                    }
                }
            }
            Some(Ok(key)) = lanes.join_next() => match busy.get_mut(&key).and_then(Option::take) {
                Some(next) => enter(&mut lanes, next),
                None => drop(busy.remove(&key)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use gitward_index::EventKind;

    use super::*;

    fn event(name: &str) -> Event {
        Event { key: ObjectKey::new("", "ConfigMap", "a", name), kind: EventKind::Applied, last: None }
    }

    #[tokio::test]
    async fn one_object_never_waits_for_another_and_is_never_handled_twice_at_once() {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let at_once: Arc<Mutex<usize>> = Arc::default();
        let (log, now) = (seen.clone(), at_once.clone());
        let lanes = start(move |event: Event| {
            let (log, now) = (log.clone(), now.clone());
            async move {
                if event.key.name == "slow" {
                    *now.lock().unwrap() += 1;
                    assert_eq!(*now.lock().unwrap(), 1);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    *now.lock().unwrap() -= 1;
                }
                assert_ne!(event.key.name, "panics");
                log.lock().unwrap().push(event.key.name);
            }
        });
        for name in ["slow", "panics", "slow", "slow", "fast", "panics"] {
            lanes.send(event(name)).unwrap();
        }
        for _ in 0..1000 {
            if seen.lock().unwrap().len() >= 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(*seen.lock().unwrap(), ["fast", "slow", "slow"]);
    }
}
