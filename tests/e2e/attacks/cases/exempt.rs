//! Kinds that gitward's webhook is not asked about, or that anyone may write, as a vehicle.

use crate::case::{Case, case, exists, merge, post, says};
use crate::fixtures::Fixture::{Endpoints, Service};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            "Endpoints under a declared Service's name",
            &[Service],
            vec![merge("endpoints/NAME", r#"{"subsets":[{"addresses":[{"ip":"203.0.113.9"}],"ports":[{"name":"http","port":8080}]}]}"#).master("endpoint-controller")],
            says("endpoints/NAME", "203.0.113.9"),
        ),
        case(
            "declared Endpoints, changed",
            &[Endpoints],
            vec![merge("endpoints/NAME", r#"{"subsets":[{"addresses":[{"ip":"203.0.113.9"}],"ports":[{"name":"http","port":80}]}]}"#)],
            says("endpoints/NAME", "203.0.113.9"),
        ),
        case(
            "a mirrored slice, of declared Endpoints that say otherwise",
            &[Endpoints],
            vec![post("endpointslices", r#"{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"NAME-zzzzz","generateName":"NAME-","labels":{"kubernetes.io/service-name":"NAME","endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io"},"ownerReferences":[{"apiVersion":"v1","kind":"Endpoints","name":"NAME","uid":"<uid endpoints/NAME>","controller":true,"blockOwnerDeletion":true}]},"addressType":"IPv4","ports":[{"name":"http","port":80,"protocol":"TCP"}],"endpoints":[{"addresses":["203.0.113.9"],"conditions":{"ready":true}}]}"#).forged("endpointslicemirroring-controller")],
            says("endpointslices/NAME-zzzzz", "203.0.113.9"),
        )
        .fresh(),
        case(
            "Endpoints that no Service has",
            &[],
            vec![post("endpoints", r#"{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"NAME"},"subsets":[{"addresses":[{"ip":"203.0.113.9"}],"ports":[{"port":80}]}]}"#)],
            exists("endpoints/NAME"),
        ),
        case(
            "a pod template",
            &[],
            vec![post("podtemplates", r#"{"apiVersion":"v1","kind":"PodTemplate","metadata":{"name":"NAME"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"app","image":"evil"}]}}}"#)],
            exists("podtemplates/NAME"),
        ),
        case(
            "an Event about a declared object",
            &[Service],
            vec![post("events", r#"{"apiVersion":"v1","kind":"Event","metadata":{"generateName":"NAME-","labels":{"who":"NAME"}},"involvedObject":{"apiVersion":"v1","kind":"Service","name":"NAME","namespace":"field"},"reason":"evil","message":"x","type":"Warning"}"#)],
            exists("events?labelSelector=who%3DNAME"),
        )
        .harmless("nothing that Git declares rests on an Event"),
        case(
            "a Lease in a governed namespace",
            &[],
            vec![post("leases", r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"NAME"},"spec":{"holderIdentity":"evil"}}"#)],
            exists("leases/NAME"),
        )
        .harmless("nothing that Git declares rests on a Lease"),
    ]
}
