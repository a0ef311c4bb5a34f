//! How many denials may be looked at again at a time.
//!
//! A second look costs live reads and a fetch of Git. Someone whose requests are denied by the
//! thousand must neither load the API server and Git with them nor take the chance from others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Second looks going on.
#[derive(Debug)]
pub struct SecondLooks {
    total: usize,
    each: usize,
    going_on: Mutex<HashMap<String, usize>>,
}

impl SecondLooks {
    /// At most `total` at a time, of which `each` for one account.
    pub fn new(total: usize, each: usize) -> Self {
        Self { total, each, going_on: Mutex::default() }
    }

    /// Begins one for an account; `None` if too many are going on.
    pub fn begin(&self, account: &str) -> Option<SecondLook<'_>> {
        let mut going_on = self.going_on.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = going_on.get(account).copied().unwrap_or_default();
        if mine >= self.each || going_on.values().sum::<usize>() >= self.total {
            return None;
        }
        going_on.insert(account.to_owned(), mine + 1);
        Some(SecondLook { of: self, account: account.to_owned() })
    }
}

/// One second look; it ends when this is dropped.
#[derive(Debug)]
pub struct SecondLook<'a> {
    of: &'a SecondLooks,
    account: String,
}

impl Drop for SecondLook<'_> {
    fn drop(&mut self) {
        let mut going_on = self.of.going_on.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = going_on.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                going_on.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_cannot_take_the_chance_from_others() {
        let looks = SecondLooks::new(3, 2);
        let first = looks.begin("mallory").unwrap();
        let _second = looks.begin("mallory").unwrap();
        assert!(looks.begin("mallory").is_none());
        let _third = looks.begin("controller").unwrap();
        assert!(looks.begin("kubelet").is_none(), "all are taken");
        drop(first);
        assert!(looks.begin("kubelet").is_some());
    }
}
