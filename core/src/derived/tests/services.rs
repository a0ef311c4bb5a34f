//! EndpointSlices and Endpoints.

use serde_json::{Value, json};

use super::world::{PERSON, World, check, object, with};

const SLICES: &str = "@endpointslice-controller";
const ENDPOINTS: &str = "@endpoint-controller";

fn service() -> Value {
    object(
        "v1",
        "Service",
        "web",
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {
        "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]}}),
    )
}

fn pod() -> Value {
    object(
        "v1",
        "Pod",
        "web-1",
        json!({
            "metadata": {"labels": {"app": "web"}, "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                "name": "web", "uid": "set", "controller": true, "blockOwnerDeletion": true}]},
            "spec": {"nodeName": "n1", "containers": [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}], "conditions": [{"type": "Ready", "status": "True"}]},
        }),
    )
}

fn target() -> Value {
    json!({"kind": "Pod", "name": "web-1", "namespace": "shop", "uid": "Pod-web-1"})
}

fn slice() -> Value {
    object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "web-abc",
        json!({
            "metadata": {
                "labels": {"app": "web", "kubernetes.io/service-name": "web",
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "x"},
                "ownerReferences": super::world::owner(&service()),
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "n1", "targetRef": target()}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }),
    )
}

fn endpoints() -> Value {
    object(
        "v1",
        "Endpoints",
        "web",
        json!({
            "metadata": {"labels": {"app": "web", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}},
            "subsets": [{"addresses": [{"ip": "10.0.0.1", "nodeName": "n1", "targetRef": target()}],
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}],
        }),
    )
}

fn world() -> World {
    let mut world = World::new();
    world.declare(service());
    world.put(pod());
    world
}

#[test]
fn a_slice_leads_to_pods_that_the_service_selects() {
    let world = world();
    let rule = check(
        &slice(),
        &[
            ("an address from outside", |o| o["endpoints"][0]["addresses"] = json!(["203.0.113.9"])),
            ("an address more", |o| o["endpoints"][0]["addresses"] = json!(["10.0.0.1", "203.0.113.9"])),
            ("no target", |o| o["endpoints"][0]["targetRef"] = json!(null)),
            ("a target elsewhere", |o| o["endpoints"][0]["targetRef"]["namespace"] = "other".into()),
            ("a target of another uid", |o| o["endpoints"][0]["targetRef"]["uid"] = "x".into()),
            ("another port", |o| o["ports"][0]["port"] = 22.into()),
            ("all ports", |o| o["ports"] = json!([{"name": "http"}])),
            ("another node", |o| o["endpoints"][0]["nodeName"] = "n2".into()),
            ("another Service", |o| o["metadata"]["labels"]["kubernetes.io/service-name"] = "db".into()),
            ("a manager of its own", |o| {
                o["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] = "me".into();
            }),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("no owner", |o| o["metadata"]["ownerReferences"] = json!([])),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
        ],
        |o| world.create(SLICES, o),
    );
    assert_eq!(rule, "Derived endpoint-slice");
    assert!(world.create(PERSON, &slice()).is_err());
    // What steers the traffic besides addresses and ports.
    for forged in
        [json!({"ports": [{"appProtocol": "evil"}]}), json!({"endpoints": [{"deprecatedTopology": {"x": "y"}}]})]
    {
        let mut odd = slice();
        for (list, item) in forged.as_object().unwrap() {
            super::world::merge(&mut odd[list][0], item[0].clone());
        }
        assert!(world.create(SLICES, &odd).is_err(), "{odd}");
    }
    assert!(world.there(&slice()).is_ok());
}

#[test]
fn what_went_a_short_while_ago_may_still_be_written() {
    let empty_slice = with(&slice(), json!({"endpoints": []}));
    let empty = with(&endpoints(), json!({"subsets": []}));
    let mut world = world();
    world.went(&pod());
    for gone in ["the Pod", "the Service too", "and Git does not declare it"] {
        assert_eq!(world.update(SLICES, &empty_slice, &slice()).unwrap(), "Derived endpoint-slice (by identity)");
        assert_eq!(world.update(ENDPOINTS, &empty, &endpoints()).unwrap(), "Derived endpoints (by identity)");
        // To anybody else that is a way to an address that somebody else has by now.
        assert!(world.update(PERSON, &empty_slice, &slice()).is_err(), "{gone}");
        assert!(world.update(PERSON, &empty, &endpoints()).is_err(), "{gone}");
        let mut other = slice();
        other["endpoints"][0]["addresses"] = json!(["10.0.0.2"]);
        assert!(world.update(SLICES, &empty_slice, &other).is_err(), "{gone}");
        world.went(&service());
        if gone == "the Service too" {
            world.undeclare(&service());
            assert!(world.update(SLICES, &empty_slice, &slice()).is_err(), "Git never declared it");
            world.declared_until(service(), 1);
        }
    }
}

#[test]
fn a_slice_of_an_undeclared_service_is_refused() {
    let mut world = World::new();
    world.put(service());
    world.put(pod());
    assert!(world.create(SLICES, &slice()).is_err());
}

#[test]
fn a_slice_does_not_lead_to_strange_pods() {
    let cases = [
        ("not selected", json!({"metadata": {"labels": {"app": "db"}}})),
        ("of nobody", json!({"metadata": {"ownerReferences": []}})),
    ];
    for (what, change) in cases {
        let mut world = world();
        world.put(with(&pod(), change));
        assert!(world.create(SLICES, &slice()).is_err(), "{what}");
    }
}

#[test]
fn what_is_no_function_of_the_pods_needs_the_controller() {
    let mut world = world();
    let unready = with(&pod(), json!({"status": {"conditions": []}}));
    world.put(unready);
    assert!(world.create(PERSON, &slice()).is_err(), "readiness");
    assert_eq!(world.create(SLICES, &slice()).unwrap(), "Derived endpoint-slice (by identity)");
    // A Pod that is gone stays while the slice says nothing new of it.
    world.remove(&pod());
    assert!(world.create(SLICES, &slice()).is_err());
    let new =
        with(&slice(), json!({"metadata": {"annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "y"}}}));
    assert!(world.update(SLICES, &slice(), &new).is_ok());
    assert!(world.update(PERSON, &slice(), &new).is_err());
    // It is no excuse for another port.
    let port = with(&new, json!({"ports": [{"name": "http", "port": 22, "protocol": "TCP"}]}));
    assert!(world.update(SLICES, &slice(), &port).is_err());
}

#[test]
fn endpoints_lead_to_pods_that_the_service_selects() {
    let mut world = world();
    let rule = check(
        &endpoints(),
        &[
            ("an address from outside", |o| o["subsets"][0]["addresses"][0]["ip"] = "203.0.113.9".into()),
            ("one that is not ready", |o| o["subsets"][0]["notReadyAddresses"] = json!([{"ip": "203.0.113.9"}])),
            ("another port", |o| o["subsets"][0]["ports"][0]["port"] = 22.into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
            ("an annotation", |o| o["metadata"]["annotations"] = json!({"x": "y"})),
            ("an owner", |o| o["metadata"]["ownerReferences"] = super::world::owner(&service())),
            ("a Service that is not there", |o| o["metadata"]["name"] = "db".into()),
        ],
        |o| world.create(ENDPOINTS, o),
    );
    assert_eq!(rule, "Derived endpoints");
    world.remove(&pod());
    let new = with(&endpoints(), json!({"metadata": {"annotations": {"endpoints.kubernetes.io/over-capacity": "x"}}}));
    assert!(world.update(ENDPOINTS, &endpoints(), &new).is_ok());
    assert!(world.update(PERSON, &endpoints(), &new).is_err());
    let port = with(
        &endpoints(),
        json!({"subsets": [{"addresses": [{"ip": "10.0.0.1", "targetRef": target()}],
        "ports": [{"name": "http", "port": 22}]}]}),
    );
    assert!(world.update(ENDPOINTS, &endpoints(), &port).is_err());
}

#[test]
fn mirrored_slices_repeat_declared_endpoints() {
    let bare = with(&service(), json!({"spec": {"selector": null}}));
    let source = object(
        "v1",
        "Endpoints",
        "web",
        json!({"subsets": [
        {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]}),
    );
    let mut mirrored = slice();
    mirrored["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] =
        "endpointslicemirroring-controller.k8s.io".into();
    mirrored["metadata"]["ownerReferences"] = super::world::owner(&source);
    mirrored["endpoints"] = json!([{"addresses": ["192.0.2.7"]}]);
    let mut world = World::new();
    world.declare(bare);
    world.put(source.clone());
    assert!(world.create("@endpointslicemirroring-controller", &mirrored).is_err(), "the source is not declared");
    world.declare(source);
    check(
        &mirrored,
        &[
            ("another address", |o| o["endpoints"][0]["addresses"] = json!(["203.0.113.9"])),
            ("another port", |o| o["ports"][0]["port"] = 22.into()),
        ],
        |o| world.create("@endpointslicemirroring-controller", o),
    );
}

#[test]
fn the_api_servers_own_endpoints_are_its_own() {
    let world = World::new();
    let own = with(&endpoints(), json!({"metadata": {"name": "kubernetes", "namespace": "default"}}));
    assert!(world.create(super::world::API_SERVER, &own).is_ok());
    assert!(world.create(ENDPOINTS, &own).is_err());
}
