//! What Git declared before: controllers keep no history of some templates, and what they made of a
//! former one is theirs nevertheless.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use gitward_core::derived::remembered_by_git_alone;
use gitward_core::lookup::Lookup;
use gitward_core::object::ObjectKey;
use gitward_core::snapshot::{Expected, Snapshot};
use jiff::Timestamp;
use serde_json::Value;

use crate::Sight;

/// The commit in force with as much of what came before it as was asked for.
pub(crate) struct Past {
    snapshot: Mutex<Arc<Snapshot>>,
    looked_for: Mutex<HashSet<ObjectKey>>,
}

impl Past {
    /// Nothing of the past yet.
    pub(crate) fn of(snapshot: Snapshot) -> Self {
        Self { snapshot: Mutex::new(Arc::new(snapshot)), looked_for: Mutex::default() }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sight {
    /// Looks for the template that an object may have been made of, once for each owner. Whether more is
    /// known of its owner than before.
    pub(crate) async fn recall(&self, key: &ObjectKey, live: &Value, beneath: &dyn Lookup) -> bool {
        let owner = self.judge_afresh(beneath, &|context| remembered_by_git_alone(key, live, context)).await.answer;
        let Some(owner) = owner else { return false };
        let is_new = self.past.looked_for.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.clone());
        let earlier = if is_new { self.expected_before(&owner) } else { None };
        let Some(earlier) = earlier.filter(|earlier| !earlier.is_empty()) else { return false };
        let mut snapshot = self.past.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        *snapshot = Arc::new(snapshot.remembering(&owner, earlier, Timestamp::now()));
        true
    }

    /// What the API server made of earlier contents, as far as that follows from what it makes of the present
    /// one; `None` if the clone or the published additions do not hold what that takes.
    fn expected_before(&self, owner: &ObjectKey) -> Option<Vec<Expected>> {
        let declared = self.snapshot.declared(owner).filter(|declared| declared.learnt.is_some())?;
        let before = self.source.before_in(&self.repository, &self.snapshot.commit.id, declared).ok()?;
        declared.expected_before(&before)
    }
}
