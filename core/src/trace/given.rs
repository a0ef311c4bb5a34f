//! Fields that Git gives to others in Pods that controllers make: an ephemeral container, a label, resources
//! that are resized in place.

use serde_json::Value;

use super::live::{Judged, undeclared};
use super::of_others;
use crate::carry;
use crate::change::{Change, object_changes};
use crate::delegation::{self, Setting};
use crate::derived::{self, Context};
use crate::exemption;
use crate::object::ObjectKey;
use crate::path::FieldPath;
use crate::request::{Operation, Request};
use crate::verdict::{Origin, Traced};

/// The changes of an update of a Pod that Git does not declare, or of a subresource of it, if each is of a field
/// that Git gives to who asks, and the Pod may be there afterwards: what is let in is not taken away again.
pub(super) fn to_who_asks(request: &Request<'_>, context: &Context<'_>) -> Option<Vec<Traced>> {
    let (old, new) = (request.old_object?, request.object?);
    let is_pod = (request.key.group.as_str(), request.key.kind.as_str()) == ("", "Pod");
    if request.operation != Operation::Update || !is_pod {
        return None;
    }
    let changes = object_changes(old, new, false);
    let setting = Setting::of(request, context);
    let traced = |change: Change| match of_others(&setting, request, &change, context) {
        Some(Ok(origin)) => Some(Traced { change, origin }),
        _ => None,
    };
    let traced: Vec<Traced> = changes.into_iter().map(traced).collect::<Option<_>>()?;
    let stays = matches!(undeclared(&request.key, new, context), Judged::Explained(_));
    (stays && !traced.is_empty()).then_some(traced)
}

/// Whose the fields are without which a rule recognises what Git does not declare.
pub(super) fn of_live(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<Origin> {
    let (kept, _) = but_for(key, live, context)?;
    object_changes(&kept, live, false).iter().find_map(|change| of_field(key, &change.path, context))
}

/// What a controller made, without the fields in it that Git gives to others, and by which rule.
pub(super) fn but_for(key: &ObjectKey, live: &Value, context: &Context<'_>) -> Option<(Value, Origin)> {
    carry::without_given_away(key, live, context).into_iter().find_map(|kept| {
        let derived = derived::recognise_live(key, &kept, context).ok()?;
        Some((kept, derived))
    })
}

/// Whose a field is that Git gives to others.
pub(super) fn of_field(key: &ObjectKey, path: &FieldPath, context: &Context<'_>) -> Option<Origin> {
    exemption::in_force(&context.snapshot.configuration, key, context.now)
        .find(|(exemption, _)| exemption.covers(path))
        .map(|(exemption, place)| Origin::Exempted { name: exemption.name.clone(), place })
        .or_else(|| delegation::of_field(key, path, context))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::config::Exemption;
    use crate::derived::tests::pods::{pod_of, template};
    use crate::derived::tests::world::{World, object, with};
    use crate::request::User;
    use crate::trace::{Source, fields, judge, judge_live};
    use crate::verdict::Verdict;

    fn replica_set() -> Value {
        let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template()});
        object("apps/v1", "ReplicaSet", "web", json!({"spec": spec}))
    }

    fn pod() -> Value {
        pod_of(&replica_set(), "web-xk7lp", &template())
    }

    fn world(given: &[&str]) -> World {
        let mut world = World::new();
        world.declare(replica_set());
        world.snapshot.environment.namespaces = vec!["shop".into()];
        let exemption = Exemption {
            name: "support".into(),
            accounts: vec!["support".into()],
            kinds: vec!["Pod".into()],
            namespaces: Vec::new(),
            fields: given.iter().map(|f| (*f).to_owned()).collect(),
            until: None,
            reason: "debugging".into(),
        };
        Arc::make_mut(&mut world.snapshot.configuration).exemptions = vec![exemption];
        world
    }

    fn request<'a>(who: &str, subresource: &'a str, old: &'a Value, new: &'a Value) -> Request<'a> {
        let user = User {
            name: who.into(),
            groups: Vec::new(),
            uid: String::new(),
            has_credential_id: false,
            is_reconciler: false,
        };
        Request {
            operation: Operation::Update,
            key: ObjectKey::of(old).unwrap(),
            resource: "pods",
            subresource,
            user,
            object: Some(new),
            old_object: Some(old),
            options: None,
            dry_run: false,
        }
    }

    fn asked(world: &World, who: &str, subresource: &str, new: &Value) -> Verdict {
        let old = pod();
        let request = request(who, subresource, &old, new);
        world.asks(|context| judge(&request, context))
    }

    fn there(world: &World, pod: &Value) -> Judged {
        world.asks(|context| judge_live(&ObjectKey::of(pod).unwrap(), pod, context))
    }

    fn debugged() -> Value {
        with(&pod(), json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}))
    }

    #[test]
    fn who_may_debug_a_pod_does_so_and_the_pod_stays() {
        let world = world(&["spec.ephemeralContainers"]);
        let verdict = asked(&world, "support", "ephemeralcontainers", &debugged());
        assert!(verdict.allowed(), "{:?}", verdict.findings);
        assert_eq!(verdict.origin_summary(), "Exempted=1");
        let explained = there(&world, &debugged());
        assert!(
            matches!(&explained, Judged::Explained(Origin::Exempted { name, .. }) if name == "support"),
            "{explained:?}"
        );
    }

    #[test]
    fn nobody_else_does_and_nothing_else_goes_with_it() {
        let world = world(&["spec.ephemeralContainers"]);
        assert!(!asked(&world, "eve", "ephemeralcontainers", &debugged()).allowed());
        let both = with(&debugged(), json!({"metadata": {"labels": {"x": "y"}}}));
        assert!(!asked(&world, "support", "ephemeralcontainers", &both).allowed());
        assert!(!asked(&world, "support", "ephemeralcontainers", &pod()).allowed(), "it changes nothing that is given");
        let mut other = debugged();
        other["spec"]["containers"][0]["image"] = "evil".into();
        assert!(!asked(&world, "support", "", &other).allowed());
        assert!(matches!(there(&world, &other), Judged::Undeclared(_)));
        assert!(matches!(there(&self::world(&["spec.nodeName"]), &debugged()), Judged::Undeclared(_)));
    }

    #[test]
    fn a_label_more_and_a_resized_container_leave_the_rest_to_the_template() {
        let world = world(&["metadata.labels[\"seen-by\"]", "spec.containers.resources"]);
        let labelled = with(&pod(), json!({"metadata": {"labels": {"seen-by": "me"}}}));
        let mut resized = pod();
        resized["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "2".into();
        for (subresource, changed) in [("", &labelled), ("resize", &resized)] {
            assert!(asked(&world, "support", subresource, changed).allowed(), "{changed}");
            assert!(matches!(there(&world, changed), Judged::Explained(Origin::Exempted { .. })), "{changed}");
        }
        let other = with(&labelled, json!({"metadata": {"labels": {"app": "other"}}}));
        assert!(matches!(there(&world, &other), Judged::Undeclared(_)));
    }

    #[test]
    fn who_may_set_a_field_may_not_remove_the_pod_and_nor_may_anybody_else() {
        let world = world(&["spec.ephemeralContainers"]);
        let pod = debugged();
        for who in ["support", "eve"] {
            let request = Request { operation: Operation::Delete, object: None, ..request(who, "", &pod, &pod) };
            let verdict = world.asks(|context| judge(&request, context));
            assert!(!verdict.allowed(), "{who}");
        }
    }

    #[test]
    fn what_would_be_taken_away_again_is_not_let_in() {
        let mut other = pod();
        other["spec"]["containers"][0]["image"] = "busybox".into();
        for wide in ["spec", "spec.containers", "metadata"] {
            let world = world(&[wide]);
            let allowed = asked(&world, "support", "", &other).allowed();
            assert_eq!(allowed, matches!(there(&world, &other), Judged::Explained(_)), "{wide}");
        }
    }

    #[test]
    fn a_wide_exemption_does_not_spoil_a_narrow_one() {
        let labelled = with(&debugged(), json!({"metadata": {"labels": {"seen-by": "me"}}}));
        let world = world(&["spec.ephemeralContainers", "metadata.labels[\"seen-by\"]", "spec.tolerations"]);
        assert!(matches!(there(&world, &debugged()), Judged::Explained(Origin::Exempted { .. })));
        assert!(matches!(there(&world, &labelled), Judged::Explained(Origin::Exempted { .. })));
    }

    #[test]
    fn the_fields_given_away_are_told_apart_from_the_template_s() {
        let world = world(&["spec.ephemeralContainers"]);
        let pod = debugged();
        let fields = world.asks(|context| fields(&ObjectKey::of(&pod).unwrap(), &pod, context)).unwrap();
        let exempted: Vec<&FieldPath> =
            fields.iter().filter(|f| matches!(f.source, Source::Exempted { .. })).map(|f| &f.path).collect();
        assert!(
            !exempted.is_empty() && exempted.iter().all(|p| p.starts_with(&["spec", "ephemeralContainers"])),
            "{exempted:?}"
        );
        let image = FieldPath::parse("spec.containers[0].image").unwrap();
        let image = fields.iter().find(|f| f.path.pointer(&pod) == image.pointer(&pod)).unwrap();
        assert!(matches!(image.source, Source::Derived { .. }), "{:?}", image.source);
    }
}
