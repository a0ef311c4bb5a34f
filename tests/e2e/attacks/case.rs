//! One attack: what it does, to what, and by what one sees that it is in effect.

use serde_json::Value;

pub(crate) use crate::build::*;
use crate::fixtures::Fixture;

/// An attack. `NAME` in its texts stands for the name of its own objects.
#[derive(Clone)]
pub(crate) struct Case {
    /// What it is, for people.
    pub(crate) name: &'static str,
    /// What Git declares for it.
    pub(crate) needs: Vec<Fixture>,
    /// What the attacker does.
    pub(crate) steps: Vec<Step>,
    /// How one sees that it is in effect.
    pub(crate) effect: Effect,
    /// Who tries it.
    pub(crate) who: Who,
    /// Why anyone may do it: nothing that Git declares rests on it.
    pub(crate) harmless: Option<&'static str>,
    /// Why an administrator, with nothing in the way but gitward's webhook, gets through.
    pub(crate) out_of_reach: Option<&'static str>,
    /// Why the reconciler alone does not undo it.
    pub(crate) left: Option<&'static str>,
    /// Whether it races with the reconciler or a controller, and now one wins, now the other: the worse is
    /// published.
    pub(crate) races: bool,
    /// Whether it leaves something behind in every round, and needs objects of its own for each.
    pub(crate) fresh: bool,
    /// Whether it is played when no other is, since it changes what others rest on.
    pub(crate) apart: bool,
}

/// Who tries an attack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The person and the administrator.
    Both,
    /// The person alone: it is the fence's, which an administrator takes away first.
    Person,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
    pub(crate) identity: Identity,
    /// How many times it is sent, at once.
    pub(crate) times: usize,
}

/// The body of a request.
#[derive(Clone)]
pub(crate) enum Body {
    /// A text.
    Text(String),
    /// Bytes made of the name of the attack's objects.
    Bytes(fn(&str) -> Vec<u8>),
    /// A live object, with edits, as it is replaced.
    Live(&'static str, Vec<(&'static str, &'static str)>),
    /// A live object, with edits, as another is made of it.
    Copy(&'static str, Vec<(&'static str, &'static str)>),
}

/// As whom a request is made.
#[derive(Clone, Copy)]
pub(crate) enum Identity {
    /// The attacker.
    Own,
    /// Impersonated: a user and a group.
    User(&'static str, &'static str),
    /// A service account of a namespace, impersonated with all that a token would bring.
    Forged(&'static str, &'static str),
    /// The same, in the group `system:masters`, so that nothing but gitward asks for rights.
    Master(&'static str, &'static str),
    /// A service account of a namespace, by a token that the attacker asks for.
    Token(&'static str, &'static str),
}

/// How one sees that an attack is in effect.
#[derive(Clone)]
pub(crate) struct Effect {
    /// The object or the collection that shows it.
    pub(crate) at: &'static str,
    /// What of it.
    pub(crate) when: When,
}

/// A state of an object or a collection.
#[derive(Clone)]
pub(crate) enum When {
    /// A field has this value.
    Is(&'static str, Value),
    /// A field is there.
    Set(&'static str),
    /// A field that was there is not.
    Unset(&'static str),
    /// The object's text has this in it.
    Says(&'static str),
    /// The same, with the names filled in.
    Tells(String),
    /// There is an object.
    Exists,
    /// There is an object that was not there before.
    New,
    /// An object that was there is gone, or going.
    Gone,
    /// The answer has one of these in it: nothing is stored that would show it.
    Answer(&'static [&'static str]),
}

impl When {
    /// The same about the objects of a name.
    pub(crate) fn of(&self, name: &str) -> Self {
        match self {
            Self::Says(text) => Self::Tells(text.replace("NAME", name)),
            other => other.clone(),
        }
    }
}

/// An attack by both.
pub(crate) fn case(name: &'static str, needs: &[Fixture], steps: Vec<Step>, effect: Effect) -> Case {
    let needs = needs.to_vec();
    Case {
        name,
        needs,
        steps,
        effect,
        who: Who::Both,
        harmless: None,
        out_of_reach: None,
        left: None,
        races: false,
        fresh: false,
        apart: false,
    }
}

impl Case {
    pub(crate) fn person(mut self) -> Self {
        self.who = Who::Person;
        self
    }

    pub(crate) fn harmless(mut self, why: &'static str) -> Self {
        self.harmless = Some(why);
        self
    }

    pub(crate) fn out_of_reach(mut self, why: &'static str) -> Self {
        self.out_of_reach = Some(why);
        self
    }

    pub(crate) fn left(mut self, why: &'static str) -> Self {
        self.left = Some(why);
        self
    }

    pub(crate) fn races(mut self) -> Self {
        self.races = true;
        self
    }

    pub(crate) fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    pub(crate) fn apart(mut self) -> Self {
        self.apart = true;
        self
    }
}

impl Step {
    pub(crate) fn by(mut self, user: &'static str, group: &'static str) -> Self {
        self.identity = Identity::User(user, group);
        self
    }

    /// By a controller's account, impersonated whole.
    pub(crate) fn forged(mut self, controller: &'static str) -> Self {
        self.identity = Identity::Forged("kube-system", controller);
        self
    }

    pub(crate) fn forged_of(mut self, namespace: &'static str, account: &'static str) -> Self {
        self.identity = Identity::Forged(namespace, account);
        self
    }

    /// By a controller's account, impersonated whole and with all rights.
    pub(crate) fn master(mut self, controller: &'static str) -> Self {
        self.identity = Identity::Master("kube-system", controller);
        self
    }

    /// By a service account, impersonated whole and with all rights.
    pub(crate) fn master_of(mut self, namespace: &'static str, account: &'static str) -> Self {
        self.identity = Identity::Master(namespace, account);
        self
    }

    /// By a token of a controller's account.
    pub(crate) fn token(mut self, controller: &'static str) -> Self {
        self.identity = Identity::Token("kube-system", controller);
        self
    }

    pub(crate) fn token_of(mut self, namespace: &'static str, account: &'static str) -> Self {
        self.identity = Identity::Token(namespace, account);
        self
    }

    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}
