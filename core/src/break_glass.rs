//! Break-glass: for a bounded time, people whom Git names may change by hand what Git says.
//!
//! Git declares who may, over what and for how long at most. To break the glass a person creates a
//! `BreakGlass` with a reason; the admission gate judges that, and the webhook writes a receipt into
//! its status. The receipt alone counts: a `BreakGlass` that nobody judged lets nothing through.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::config::{self, Configuration};
use crate::derived::Context;
use crate::exemption::kind_matches;
use crate::finding::{Finding, Place, Severity};
use crate::object::{self, ObjectKey};
use crate::request::{Operation, Request, User};
use crate::verdict::{Origin, Verdict};

/// API group of the resource.
pub const GROUP: &str = "gitward.dev";

/// Kind of the resource, which is cluster-scoped.
pub const KIND: &str = "BreakGlass";

/// Where it ends if it does not say how long it is to be open.
const UNLESS_TOLD: SignedDuration = SignedDuration::from_mins(30);

/// Kinds that hold others: nothing reaches them that does not name them.
const HOLDERS: [(&str, &str); 2] = [("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")];

impl config::BreakGlass {
    /// Whether a person may break this glass.
    fn admits(&self, user: &User) -> bool {
        user.is_among(&self.accounts) || self.groups.iter().any(|g| user.groups.contains(g))
    }

    /// Whether an object is within its reach.
    fn reaches(&self, key: &ObjectKey) -> bool {
        let named = self.kinds.iter().any(|k| kind_matches(k, key));
        let holder = HOLDERS.contains(&(key.group.as_str(), key.kind.as_str()));
        let kind = named || (self.kinds.is_empty() && !holder);
        kind && (self.namespaces.is_empty() || self.namespaces.contains(&key.namespace))
    }
}

/// A glass that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Name of the `BreakGlass`.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Name of the declaration in Git.
    pub declaration: String,
    /// Where that stands.
    pub place: Place,
    /// Who broke it.
    pub account: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Timestamp,
    index: usize,
}

/// Whether a request or an object is about break-glass itself.
pub fn is_about(key: &ObjectKey) -> bool {
    key.group == GROUP && key.kind == KIND
}

/// Every glass of this environment that is broken now.
pub fn broken(context: &Context<'_>) -> Vec<Broken> {
    if context.snapshot.configuration.break_glass.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Broken> =
        context.live.list(GROUP, KIND, "").iter().filter_map(|glass| broken_by(glass, context)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The broken glass that reaches an object, of whoever broke it or of one account.
pub fn over(key: &ObjectKey, account: Option<&str>, context: &Context<'_>) -> Option<Broken> {
    let declared = &context.snapshot.configuration.break_glass;
    let mut reaching = broken(context).into_iter().filter(|b| declared[b.index].reaches(key));
    reaching.find(|b| account.is_none_or(|a| a == b.account))
}

fn broken_by(glass: &Value, context: &Context<'_>) -> Option<Broken> {
    let text = |path| glass.pointer(path).and_then(Value::as_str);
    let time = |path| text(path)?.parse::<Timestamp>().ok();
    if text("/spec/environment")? != context.snapshot.environment.name
        || object::is_terminating(glass)
        || text("/status/receipt/uid")? != object::uid(glass)
    {
        return None;
    }
    let (index, declaration, place) = find(&context.snapshot.configuration, text("/spec/declaration")?)?;
    let longest = time("/metadata/creationTimestamp")?.checked_add(declaration.maximum).ok()?;
    let until = time("/status/receipt/until")?.min(longest);
    (context.now < until).then(|| Broken {
        name: object::name(glass).to_owned(),
        uid: object::uid(glass).to_owned(),
        declaration: declaration.name.clone(),
        place,
        account: text("/status/receipt/account").unwrap_or_default().to_owned(),
        reason: text("/spec/reason").unwrap_or_default().to_owned(),
        until,
        index,
    })
}

fn find<'a>(configuration: &'a Configuration, name: &str) -> Option<(usize, &'a config::BreakGlass, Place)> {
    let index = configuration.break_glass.iter().position(|b| b.name == name)?;
    Some((index, &configuration.break_glass[index], configuration.break_glass_place(index)))
}

/// What the webhook writes into the status of a `BreakGlass` that it let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the `BreakGlass`.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Who broke the glass.
    pub account: String,
    /// When it ends.
    pub until: Timestamp,
}

/// The receipt for a creation that was judged and let in, if the request is one.
pub fn receipt(request: &Request<'_>, context: &Context<'_>) -> Option<Receipt> {
    let creates = request.operation == Operation::Create && request.subresource.is_empty() && !request.dry_run;
    let object = request.object.filter(|_| creates && is_about(&request.key))?;
    let demand = demanded(object, context).ok()?;
    Some(Receipt {
        name: object::name(object).to_owned(),
        uid: object::uid(object).to_owned(),
        account: request.user.name.clone(),
        until: context.now.checked_add(demand.lasts).ok()?,
    })
}

/// Judges a request about a `BreakGlass` itself.
pub fn judge(request: &Request<'_>, context: &Context<'_>) -> Verdict {
    match judged(request, context) {
        Ok(verdict) => verdict,
        Err(message) => Verdict::deny(
            Finding::error("trace/break-glass", format!("{}: {message}", request.key))
                .with_object(request.key.clone())
                .with_hint("the declarations under breakGlass in gitward.yaml say who may, over what and for how long"),
        ),
    }
}

fn judged(request: &Request<'_>, context: &Context<'_>) -> Result<Verdict, String> {
    match (request.operation, request.subresource) {
        // To end it early is never dangerous.
        (Operation::Delete, "") => Ok(Verdict::default()),
        (Operation::Create, "") => {
            let object = request.object.ok_or("the request holds no object")?;
            let Demand { declaration, place, .. } = demanded(object, context)?;
            if !declaration.admits(&request.user) {
                return Err(format!("{} is none of those who may by {place}", request.user.name));
            }
            Ok(Verdict::whole(Origin::BreakGlass { name: declaration.name.clone(), place }))
        }
        (Operation::Update, "") => {
            let spec = |o: Option<&Value>| o.and_then(|o| o.get("spec")).cloned();
            if spec(request.object) == spec(request.old_object) {
                return Ok(Verdict::default());
            }
            Err("what was asked for once cannot be changed: delete it and ask anew".to_owned())
        }
        (Operation::Update, "status") if is_webhook(&request.user) => Ok(Verdict::default()),
        _ => Err("only gitward's webhook writes this".to_owned()),
    }
}

fn is_webhook(user: &User) -> bool {
    user.name == "system:serviceaccount:gitward-system:gitward-webhook" && user.has_credential_id
}

/// What a `BreakGlass` asks for, as far as Git allows it.
struct Demand<'a> {
    declaration: &'a config::BreakGlass,
    place: Place,
    lasts: SignedDuration,
}

fn demanded<'a>(object: &Value, context: &Context<'a>) -> Result<Demand<'a>, String> {
    let text = |path| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let name = text("/spec/declaration");
    let Some((_, declaration, place)) = find(&context.snapshot.configuration, name) else {
        return Err(format!("Git declares no break-glass {name:?}"));
    };
    if text("/spec/reason").trim().is_empty() {
        return Err("spec.reason is empty: say why".to_owned());
    }
    let lasts = match text("/spec/duration") {
        "" => UNLESS_TOLD.min(declaration.maximum),
        asked => asked
            .parse::<SignedDuration>()
            .ok()
            .filter(|d| d.is_positive())
            .ok_or_else(|| format!("spec.duration {asked:?} is no length of time, like 30m"))?,
    };
    if lasts > declaration.maximum {
        return Err(format!("spec.duration is longer than the {:#} of {place}", declaration.maximum));
    }
    Ok(Demand { declaration, place, lasts })
}

/// Lets a denied change pass with a warning where its author has broken a glass that reaches it.
pub(crate) fn lets_through(request: &Request<'_>, verdict: Verdict, context: &Context<'_>) -> Verdict {
    if verdict.allowed() {
        return verdict;
    }
    let Some(broken) = over(&request.key, Some(&request.user.name), context) else { return verdict };
    if let Some(what) = outlives(request, broken.until, context.now) {
        return not_even_so(verdict, &broken, what);
    }
    let Broken { name, declaration, place, until, .. } = broken;
    let first = Finding::warning(
        "trace/break-glass",
        format!("break-glass {name} ({place}) lets this pass until {until}; then it is undone"),
    );
    let warning = |mut finding: Finding| {
        finding.severity = Severity::Warning;
        finding
    };
    let mut traced = verdict.traced;
    traced.extend(Verdict::whole(Origin::BreakGlass { name: declaration, place: place.clone() }).traced);
    Verdict { findings: std::iter::once(first).chain(verdict.findings.into_iter().map(warning)).collect(), traced }
}

/// What a request asks for that nobody could take back when the glass is whole again, if anything.
fn outlives(request: &Request<'_>, until: Timestamp, now: Timestamp) -> Option<&'static str> {
    let object = request.object?;
    let text = |path| object.pointer(path).and_then(Value::as_str);
    match (request.key.kind.as_str(), request.subresource) {
        ("ServiceAccount", "token") => {
            let seconds = object.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(i64::MAX);
            (seconds > until.duration_since(now).as_secs()).then_some("the token would be good for longer than that")
        }
        ("Secret", "") if text("/type") == Some("kubernetes.io/service-account-token") => {
            Some("it would be given a token without an end, and no Secret is deleted then")
        }
        ("CertificateSigningRequest", "approval" | "status") => Some("nobody can take a certificate back"),
        _ => None,
    }
}

/// The denial of what a broken glass does not reach.
fn not_even_so(mut verdict: Verdict, broken: &Broken, what: &str) -> Verdict {
    for finding in &mut verdict.findings {
        let said = format!(
            "; break-glass {} ({}) until {} does not reach this: {what}",
            broken.name, broken.place, broken.until
        );
        finding.message.push_str(&said);
    }
    verdict
}

#[cfg(test)]
mod tests;
