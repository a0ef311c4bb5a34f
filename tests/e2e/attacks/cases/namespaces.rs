//! Namespaces, and the labels by which webhooks select them.

use crate::case::{Case, case, delete, exists, gone, is, json_patch, merge, new, post, put, says, set};
use crate::fixtures::Fixture::Space;

const NS: &str = "namespaces/NAME";

pub(crate) fn cases() -> Vec<Case> {
    let holds = "it holds data: it is told, and left alone";
    vec![
        case("a label of a governed namespace", &[Space], vec![merge(NS, r#"{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}"#)], says(NS, "privileged")),
        case(
            "the label of its name, taken away, and then a write in it",
            &[Space],
            vec![
                json_patch(NS, r#"[{"op":"remove","path":"/metadata/labels"}]"#),
                merge("configmaps@NAME/inside", r#"{"data":{"greeting":"evil"}}"#),
            ],
            is("configmaps@NAME/inside", "/data/greeting", "evil"),
        ),
        case(
            "the label of its name, changed to a namespace of the system",
            &[Space],
            vec![
                merge(NS, r#"{"metadata":{"labels":{"kubernetes.io/metadata.name":"kube-system"}}}"#),
                merge("configmaps@NAME/inside", r#"{"data":{"greeting":"evil"}}"#),
            ],
            is("configmaps@NAME/inside", "/data/greeting", "evil"),
        ),
        case("an annotation of a governed namespace", &[Space], vec![merge(NS, r#"{"metadata":{"annotations":{"scheduler.alpha.kubernetes.io/node-selector":"x=y"}}}"#)], says(NS, "node-selector")),
        case("a governed namespace, deleted", &[Space], vec![delete(NS)], gone(NS)),
        case("a governed namespace, deleted as the garbage collector", &[Space], vec![delete(NS).forged("generic-garbage-collector")], gone(NS)),
        case(
            "a governed namespace, deleted and made again with labels of one's own",
            &[Space],
            vec![delete(NS), post("namespaces", r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"NAME","labels":{"evil":"x"}}}"#)],
            gone(NS),
        ),
        case("a finalizer of a namespace, by /finalize", &[Space], vec![put("namespaces/NAME/finalize", r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"NAME"},"spec":{"finalizers":["evil.example.org/x"]}}"#)], says(NS, "evil.example.org/x")),
        case("an owner that is not there, through the status", &[Space], vec![merge("namespaces/NAME/status", r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"gone","uid":"8e8f4f4e-0000-4000-8000-000000000000"}]}}"#)], says(NS, "8e8f4f4e")),
        case("a label through the status", &[Space], vec![merge("namespaces/NAME/status", r#"{"metadata":{"labels":{"evil":"x"}}}"#)], says(NS, "\"evil\"")),
        case("a finalizer in the metadata", &[Space], vec![merge(NS, r#"{"metadata":{"finalizers":["evil.example.org/x"]}}"#)], set(NS, "/metadata/finalizers")),
        case("everything in a governed namespace at once", &[Space], vec![delete("configmaps@NAME")], gone("configmaps@NAME/inside")),
        case("an undeclared ConfigMap in another governed namespace", &[Space], vec![post("configmaps@NAME", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"more"}}"#)], exists("configmaps@NAME/more")),
        case("a ConfigMap of a generated name", &[Space], vec![post("configmaps@NAME", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"inside"}}"#)], new("configmaps@NAME")),
    ]
    .into_iter()
    .map(|c| if c.name.contains("its status") { c.left(holds) } else { c })
    .collect()
}
