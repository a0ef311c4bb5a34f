//! Who may change which fields of a declared object, in one request.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Answer, demanded, in_force, origin};
use crate::change::Change;
use crate::config::Sets;
use crate::derived::Context;
use crate::request::Request;

/// Asks delegations about the changes of one request. What a policy says of the object after it holds for
/// all of them, and is asked once.
pub(crate) struct Setting<'a> {
    request: &'a Request<'a>,
    context: &'a Context<'a>,
    /// By delegation and position in `sets`.
    asked: RefCell<HashMap<(usize, usize), Result<(), String>>>,
}

impl<'a> Setting<'a> {
    pub(crate) fn of(request: &'a Request<'a>, context: &'a Context<'a>) -> Self {
        Self { request, context, asked: RefCell::default() }
    }

    /// The delegation that lets the account make a change, or why those that speak of it do not; `None` if
    /// none does.
    pub(crate) fn answer(&self, change: &Change) -> Option<Answer> {
        let mut refused = None;
        let in_force = in_force(&self.context.snapshot.configuration, self.context).enumerate();
        for (d, (delegation, place)) in in_force.filter(|(_, (d, _))| self.request.user.is_among(&d.accounts)) {
            for (s, sets) in delegation.sets.iter().enumerate() {
                if !sets.covers(&self.request.key, &change.path) {
                    continue;
                }
                match self.checked((d, s), sets) {
                    Ok(()) => return Some(Ok(origin(delegation, place))),
                    Err(reason) => {
                        refused.get_or_insert_with(|| demanded(&reason, delegation, &place));
                    }
                }
            }
        }
        refused.map(Err)
    }

    fn checked(&self, which: (usize, usize), sets: &Sets) -> Result<(), String> {
        let ask = || {
            let object = self.request.object.ok_or("the request holds no object")?;
            self.context.snapshot.configuration.ceilings.check(&sets.policies, &self.request.key, object)
        };
        self.asked.borrow_mut().entry(which).or_insert_with(ask).clone()
    }
}
