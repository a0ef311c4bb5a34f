//! What belongs to the cluster as a whole: accounts, tokens, nodes, roles, APIs, namespaces.

use base64::Engine;
use serde_json::{Value, json};

use super::world::{API_SERVER, CONTROLLER_MANAGER, KUBELET, PERSON, World, check, object, with};

fn root_ca(namespace: &str, certificate: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": namespace,
        "annotations": {"kubernetes.io/description": "x"}}, "data": {"ca.crt": certificate}})
}

#[test]
fn the_root_certificate_is_the_clusters() {
    let mut world = World::new();
    let own = root_ca("shop", "CA");
    // As long as the cluster's is not known, its publisher is believed.
    assert_eq!(world.create("@root-ca-cert-publisher", &own).unwrap(), "Derived root-ca (by identity)");
    assert!(world.create(PERSON, &own).is_err());
    world.put(root_ca("kube-system", "CA"));
    let rule = check(
        &own,
        &[
            ("another certificate", |o| o["data"]["ca.crt"] = "EVIL".into()),
            ("no token", |o| o["data"]["token"] = "dG9rZW4=".into()),
            ("more data", |o| o["data"]["x"] = "y".into()),
            ("binary data", |o| o["binaryData"] = json!({"x": "eQ=="})),
            ("a label", |o| o["metadata"]["labels"] = json!({"x": "y"})),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("a finalizer", |o| o["metadata"]["finalizers"] = json!(["x/y"])),
            ("another name", |o| o["metadata"]["name"] = "x".into()),
            ("immutability", |o| o["immutable"] = true.into()),
        ],
        |o| world.create("@root-ca-cert-publisher", o),
    );
    assert_eq!(rule, "Derived root-ca");
    assert!(world.update("@root-ca-cert-publisher", &root_ca("shop", "EVIL"), &own).is_ok(), "it is put right");
    assert!(world.update(PERSON, &own, &root_ca("shop", "EVIL")).is_err());
}

#[test]
fn the_default_account_has_nothing_on_it() {
    let world = World::new();
    check(
        &object("v1", "ServiceAccount", "default", json!({})),
        &[
            ("another name", |o| o["metadata"]["name"] = "root".into()),
            ("pull secrets", |o| o["imagePullSecrets"] = json!([{"name": "x"}])),
            ("secrets", |o| o["secrets"] = json!([{"name": "x"}])),
            ("mounting", |o| o["automountServiceAccountToken"] = true.into()),
            ("a label", |o| o["metadata"]["labels"] = json!({"x": "y"})),
            ("an annotation", |o| o["metadata"]["annotations"] = json!({"eks.amazonaws.com/role-arn": "x"})),
        ],
        |o| world.create("@service-account-controller", o),
    );
}

#[test]
fn a_token_is_for_a_pod_of_that_account_on_that_node() {
    let mut world = World::new();
    let account = object("v1", "ServiceAccount", "app", json!({}));
    world.put(object("v1", "Pod", "web", json!({"spec": {"nodeName": "n1", "serviceAccountName": "app"}})));
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
        "boundObjectRef": {"kind": "Pod", "name": "web", "uid": "Pod-web"}}});
    check(
        &request,
        &[
            ("bound to nothing", |o| o["spec"]["boundObjectRef"] = json!(null)),
            ("bound to a Secret", |o| o["spec"]["boundObjectRef"]["kind"] = "Secret".into()),
            ("another Pod", |o| o["spec"]["boundObjectRef"]["name"] = "x".into()),
            ("another uid", |o| o["spec"]["boundObjectRef"]["uid"] = "x".into()),
        ],
        |o| world.post(KUBELET, &account, "token", o),
    );
    for who in [PERSON, "system:node:n2", CONTROLLER_MANAGER] {
        assert!(world.post(who, &account, "token", &request).is_err(), "{who}");
    }
    assert!(world.post("kwok", &account, "token", &request).is_ok());
    let other = object("v1", "ServiceAccount", "root", json!({}));
    assert!(world.post(KUBELET, &other, "token", &request).is_err(), "the Pod runs as another account");
    let unbound = json!({"spec": {}});
    let controller = with(&account, json!({"metadata": {"namespace": "kube-system"}}));
    assert!(world.post(CONTROLLER_MANAGER, &controller, "token", &unbound).is_ok());
    assert!(world.post(CONTROLLER_MANAGER, &account, "token", &unbound).is_err());
    assert!(world.post(PERSON, &controller, "token", &unbound).is_err());
}

#[test]
fn a_declared_token_secret_is_filled_once() {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let token_of = |account: &str| {
        let claims = json!({"sub": format!("system:serviceaccount:shop:{account}"),
            "kubernetes.io/serviceaccount/secret.name": "robot",
            "kubernetes.io/serviceaccount/service-account.uid": format!("ServiceAccount-{account}")});
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string());
        encode(&format!("t0p.{payload}.s3cr3t"))
    };
    let empty = object(
        "v1",
        "Secret",
        "robot",
        json!({"type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "app"}}}),
    );
    let filled = with(
        &empty,
        json!({
        "metadata": {"annotations": {"kubernetes.io/service-account.uid": "ServiceAccount-app"}},
        "data": {"ca.crt": encode("CA"), "namespace": encode("shop"), "token": token_of("app")}}),
    );
    let mut world = World::new();
    world.put(root_ca("kube-system", "CA"));
    world.put(object("v1", "ServiceAccount", "app", json!({})));
    assert!(world.changes(CONTROLLER_MANAGER, &empty, &filled).is_err(), "Git does not declare it");
    world.declare(empty.clone());
    let rule = check(
        &filled,
        &[
            ("another certificate", |o| o["data"]["ca.crt"] = "RVZJTA==".into()),
            ("another namespace", |o| o["data"]["namespace"] = "eA==".into()),
            ("more data", |o| o["data"]["x"] = "eA==".into()),
            ("another account", |o| o["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = "x".into()),
            ("an annotation", |o| o["metadata"]["annotations"]["x"] = "y".into()),
            ("a label", |o| o["metadata"]["labels"] = json!({"x": "y"})),
        ],
        |o| world.changes(CONTROLLER_MANAGER, &empty, o),
    );
    assert_eq!(rule, "Derived token.secret (by identity)");
    assert!(world.changes(PERSON, &empty, &filled).is_err());
    let of_another = with(&filled, json!({"data": {"token": token_of("admin")}}));
    assert!(world.changes(CONTROLLER_MANAGER, &empty, &of_another).is_err(), "another account's token");
    let exchanged = with(&filled, json!({"data": {"token": encode("0th3r")}}));
    let reason = world.changes(CONTROLLER_MANAGER, &filled, &exchanged).unwrap_err();
    assert!(!reason.contains("0th3r") && !reason.contains(&encode("0th3r")), "{reason}");
    let used = with(&filled, json!({"metadata": {"labels": {"kubernetes.io/legacy-token-last-used": "2026-05-01"}}}));
    assert!(world.changes(API_SERVER, &filled, &used).is_ok());
}

fn node(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": "node-uid", "labels": {}}, "spec": {}})
}

#[test]
fn nodes_are_spoken_for_by_their_kubelets_and_controllers() {
    let world = World::new();
    let cases = [
        (KUBELET, "n1", true),
        (KUBELET, "n2", false),
        ("kwok", "n2", true),
        (PERSON, "n1", false),
        ("@node-controller", "n1", false),
    ];
    for (who, name, recognised) in cases {
        assert_eq!(world.create(who, &node(name)).is_ok(), recognised, "{who} {name}");
    }
    let taint = |key: &str| json!({"spec": {"taints": [{"key": key, "effect": "NoSchedule"}]}});
    let updates = [
        ("@node-controller", taint("node.kubernetes.io/unreachable"), true),
        ("@node-controller", taint("mine"), false),
        (PERSON, taint("node.kubernetes.io/unreachable"), false),
        ("system:node:n2", taint("node.kubernetes.io/unreachable"), false),
        ("@ttl-controller", json!({"metadata": {"annotations": {"node.alpha.kubernetes.io/ttl": "0"}}}), true),
        ("@ttl-controller", json!({"metadata": {"annotations": {"x": "0"}}}), false),
        (KUBELET, json!({"metadata": {"labels": {"kubernetes.io/os": "linux"}}}), true),
        (KUBELET, json!({"metadata": {"labels": {"tier": "gold"}}}), false),
        ("@node-controller", json!({"spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"]}}), true),
        ("@node-controller", json!({"spec": {"unschedulable": true}}), false),
        (PERSON, json!({"spec": {"unschedulable": true}}), false),
        (
            PERSON,
            json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "y"}]}}),
            false,
        ),
    ];
    for (who, change, recognised) in updates {
        let changed = with(&node("n1"), change.clone());
        assert_eq!(world.update(who, &node("n1"), &changed).is_ok(), recognised, "{who} {change}");
        assert_eq!(world.changes(who, &node("n1"), &changed).is_ok(), recognised, "declared: {who} {change}");
    }
    let first = with(&node("n1"), json!({"spec": {"podCIDR": "10.1.0.0/24"}}));
    let second = with(&node("n1"), json!({"spec": {"podCIDR": "10.2.0.0/24"}}));
    assert!(world.update("@node-controller", &first, &second).is_err());
    let slice = json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": "s"},
        "spec": {"nodeName": "n1"}});
    assert!(world.create(KUBELET, &slice).is_ok());
    assert!(world.create("system:node:n2", &slice).is_err());
}

#[test]
fn certificates_are_signed_for_kubelets_alone() {
    let world = World::new();
    let csr = |signer: &str| {
        json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": {"name": "c"}, "spec": {"signerName": signer, "request": "x"}})
    };
    let client = csr("kubernetes.io/kube-apiserver-client-kubelet");
    let any = csr("kubernetes.io/kube-apiserver-client");
    assert!(world.create(KUBELET, &client).is_ok());
    assert!(world.create(PERSON, &client).is_err());
    assert!(world.create(KUBELET, &any).is_err());
    let approved = |csr: &Value| with(csr, json!({"status": {"conditions": [{"type": "Approved"}]}}));
    let approve = |who: &str, csr: &Value| world.change(who, csr, "approval", csr, &approved(csr));
    assert!(approve("@certificate-controller", &client).is_ok());
    assert!(approve(PERSON, &client).is_err());
    assert!(approve("@certificate-controller", &any).is_err());
    let other = with(&approved(&client), json!({"spec": {"request": "y"}}));
    assert!(world.change("@certificate-controller", &client, "approval", &client, &other).is_err());
}

#[test]
fn an_aggregated_role_is_the_union_of_what_it_selects() {
    let role = |name: &str, labels: Value, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole", "metadata": {"name": name, "labels": labels}, "rules": rules})
    };
    let read = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
    let mut world = World::new();
    world.declare(role("part", json!({"to": "view"}), json!([read])));
    world.put(role(
        "stranger",
        json!({"to": "view"}),
        json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]),
    ));
    world.put(role("other", json!({}), json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])));
    let old = with(
        &role("view", json!({}), json!([])),
        json!({"aggregationRule": {"clusterRoleSelectors": [
        {"matchLabels": {"to": "view"}}]}}),
    );
    let new = with(&old, json!({"rules": [read]}));
    let rule = check(
        &new,
        &[
            ("a rule of no selected role", |o| {
                o["rules"] = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
            }),
            ("a rule of a selected role that nobody judges", |o| {
                o["rules"] = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}])
            }),
            ("a wider rule", |o| o["rules"][0]["verbs"] = json!(["get", "delete"])),
            ("another selection", |o| o["aggregationRule"]["clusterRoleSelectors"] = json!([{}])),
            ("no selection", |o| o["aggregationRule"] = json!(null)),
            ("a label", |o| o["metadata"]["labels"] = json!({"x": "y"})),
        ],
        |o| world.update("@clusterrole-aggregation-controller", &old, o),
    );
    assert_eq!(rule, "Derived cluster-role.aggregate");
    assert!(world.changes(PERSON, &old, &new).is_ok());
}

#[test]
fn an_api_without_a_declaration_has_no_backend() {
    let mut world = World::new();
    let service = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.demo.example.com", "labels": {"kube-aggregator.kubernetes.io/automanaged": "true"}},
        "spec": {"group": "demo.example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100}});
    assert!(world.create(API_SERVER, &service).is_err(), "no CRD has it");
    world.put(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.demo.example.com"},
        "spec": {"group": "demo.example.com", "versions": [{"name": "v1"}]}}));
    check(
        &service,
        &[
            ("a backend", |o| o["spec"]["service"] = json!({"name": "evil", "namespace": "shop"})),
            ("a certificate", |o| o["spec"]["caBundle"] = "x".into()),
            ("no verification", |o| o["spec"]["insecureSkipTLSVerify"] = true.into()),
            ("another name", |o| o["metadata"]["name"] = "v1.apps".into()),
            ("a label", |o| o["metadata"]["labels"]["x"] = "y".into()),
        ],
        |o| world.create(API_SERVER, o),
    );
}

#[test]
fn the_api_server_starts() {
    let world = World::new();
    let bootstrap = |api_version: &str, kind: &str, name: &str, metadata: Value| {
        with(
            &json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}),
            json!({"metadata": metadata}),
        )
    };
    let defaults = json!({"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}});
    let rbac = "rbac.authorization.k8s.io/v1";
    let flow = json!({"annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}});
    let cases = [
        (bootstrap(rbac, "ClusterRole", "system:node", defaults.clone()), true),
        (bootstrap(rbac, "ClusterRoleBinding", "cluster-admin", defaults.clone()), true),
        (bootstrap(rbac, "ClusterRole", "evil", defaults), false),
        (bootstrap(rbac, "ClusterRole", "system:node", json!({})), false),
        (bootstrap("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "probes", flow), true),
        (bootstrap("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "mine", json!({})), false),
        (bootstrap("scheduling.k8s.io/v1", "PriorityClass", "system-node-critical", json!({})), true),
        (bootstrap("v1", "Namespace", "kube-system", json!({})), true),
        (bootstrap("v1", "Namespace", "evil", json!({})), false),
        (bootstrap("v1", "Service", "kubernetes", json!({"namespace": "default"})), true),
        (bootstrap("v1", "Service", "kubernetes", json!({"namespace": "shop"})), false),
        (bootstrap("v1", "ConfigMap", "extension-apiserver-authentication", json!({"namespace": "kube-system"})), true),
        (bootstrap("networking.k8s.io/v1", "ServiceCIDR", "kubernetes", json!({})), true),
    ];
    for (object, recognised) in cases {
        assert_eq!(world.create(API_SERVER, &object).is_ok(), recognised, "{object}");
        assert!(world.create(PERSON, &object).is_err(), "{object}");
    }
    let address = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": "10.0.0.1"},
        "spec": {"parentRef": {"resource": "services"}}});
    assert!(world.create(API_SERVER, &address).is_ok());
    assert!(world.create(PERSON, &address).is_err());
}

#[test]
fn a_namespace_is_finalised_only_when_it_goes() {
    let world = World::new();
    let living = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"},
        "spec": {"finalizers": ["kubernetes"]}});
    let dying = with(&living, json!({"metadata": {"deletionTimestamp": "2026-05-01T10:00:00Z"}}));
    let finalise = |who: &str, old: &Value| {
        world.change(who, old, "finalize", old, &with(old, json!({"spec": {"finalizers": []}})))
    };
    assert!(finalise("@namespace-controller", &dying).is_ok());
    assert!(finalise("@namespace-controller", &living).is_err());
    assert!(finalise(PERSON, &dying).is_err());
    let labelled = with(&dying, json!({"metadata": {"labels": {"x": "y"}}}));
    assert!(world.change("@namespace-controller", &dying, "finalize", &dying, &labelled).is_err());
}

#[test]
fn events_leases_and_reviews_are_outside_the_rules() {
    let world = World::new();
    let event = object("v1", "Event", "e", json!({}));
    let lease = object("coordination.k8s.io/v1", "Lease", "l", json!({}));
    for object in [&event, &lease] {
        assert!(world.create("@job-controller", object).is_ok());
        assert!(world.update("kwok", object, &with(object, json!({"count": 2}))).is_ok());
        assert!(world.create(PERSON, object).is_err());
    }
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {"name": ""}});
    assert!(world.create(PERSON, &review).is_ok());
}

#[test]
fn what_no_row_is_about_is_refused() {
    let world = World::new();
    let things = [
        object("v1", "ConfigMap", "settings", json!({"data": {"a": "b"}})),
        object("v1", "Secret", "s", json!({})),
        object("rbac.authorization.k8s.io/v1", "RoleBinding", "root", json!({})),
        object("example.com/v1", "Widget", "w", json!({})),
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "p"}}),
    ];
    for thing in things {
        for who in [PERSON, CONTROLLER_MANAGER, API_SERVER, "@job-controller"] {
            assert!(world.create(who, &thing).is_err(), "{who} {thing}");
            assert!(world.update(who, &thing, &with(&thing, json!({"spec": {"x": 1}}))).is_err(), "{who} {thing}");
        }
        assert!(world.there(&thing).is_err());
    }
}
