use super::*;
use serde_json::json;

fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    Gvk { group: group.into(), version: version.into(), kind: kind.into() }
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "1000m", "memory": 1024}}}]}}}})
}

fn defaulted() -> Value {
    let mut answer = deployment();
    answer["spec"]["replicas"] = json!(1);
    answer["spec"]["revisionHistoryLimit"] = json!(10);
    answer["spec"]["progressDeadlineSeconds"] = json!(600);
    answer["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let pod = &mut answer["spec"]["template"]["spec"];
    pod["restartPolicy"] = json!("Always");
    pod["securityContext"] = json!({});
    pod["containers"][0]["imagePullPolicy"] = json!("Always");
    pod["containers"][0]["ports"][0]["protocol"] = json!("TCP");
    pod["containers"][0]["resources"]["requests"] = json!({"cpu": "1", "memory": "1024"});
    answer
}

fn of_deployment(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut answer = defaulted();
    change(&mut answer);
    unexplained(&gvk("apps", "v1", "Deployment"), &deployment(), &deployment(), &answer, None)
}

#[test]
fn amounts_are_kept_in_thousandths() {
    let with = |cpu: &str| {
        let mut object = defaulted();
        object["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!(cpu);
        object
    };
    let found = |sent: &str, answer: &str| {
        unexplained(&gvk("apps", "v1", "Deployment"), &with(sent), &with(sent), &with(answer), None)
    };
    assert_eq!(found("0.3333", "334m"), [""; 0]);
    for (sent, answer) in [("0.3333", "333m"), ("0.3333", "335m"), ("333m", "334m")] {
        assert_eq!(found(sent, answer).len(), 1, "{sent} {answer}");
    }
}

#[test]
fn defaults_are_explained() {
    assert_eq!(of_deployment(|_| ()), [""; 0]);
}

#[test]
fn what_a_mutator_does_is_not() {
    type Case = (&'static str, fn(&mut Value), &'static str);
    let cases: [Case; 12] = [
        ("a label", |a| a["metadata"]["labels"] = json!({"a": "b"}), "metadata.labels.a"),
        ("an annotation", |a| a["metadata"]["annotations"] = json!({"a": "b"}), "metadata.annotations.a"),
        ("a finalizer", |a| a["metadata"]["finalizers"] = json!(["a/b"]), "metadata.finalizers[]"),
        ("an owner", |a| a["metadata"]["ownerReferences"] = json!([{"name": "x"}]), "metadata.ownerReferences[].name"),
        ("a flag", |a| a["spec"]["template"]["spec"]["hostNetwork"] = json!(true), "spec.template.spec.hostNetwork"),
        (
            "a container",
            |a| {
                a["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "x"}));
            },
            "spec.template.spec.containers[].name",
        ),
        (
            "a variable",
            |a| a["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "b"}]),
            "spec.template.spec.containers[].env[].name",
        ),
        (
            "an empty directory",
            |a| a["spec"]["template"]["spec"]["volumes"] = json!([{"name": "a", "emptyDir": {}}]),
            "spec.template.spec.volumes[].name",
        ),
        (
            "another image",
            |a| a["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil:1"),
            "spec.template.spec.containers[].image",
        ),
        ("another default", |a| a["spec"]["replicas"] = json!(0), "spec.replicas"),
        (
            "a default's place with another value",
            |a| a["spec"]["template"]["spec"]["dnsPolicy"] = json!("None"),
            "spec.template.spec.dnsPolicy",
        ),
        (
            "a field that is gone",
            |a| {
                a["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("ports");
            },
            "spec.template.spec.containers[].ports",
        ),
    ];
    for (what, change, wanted) in cases {
        let found = of_deployment(change);
        assert!(found.iter().any(|f| wanted.starts_with(f)), "{what}: {found:?}");
    }
}

#[test]
fn a_port_is_filled_in_from_the_field_beside_it() {
    let service = |port: Value| json!({"metadata": {"name": "a"}, "spec": {"ports": [port]}});
    let of = |answer: Value| {
        unexplained(
            &gvk("", "v1", "Service"),
            &service(json!({"port": 80})),
            &service(json!({"port": 80})),
            &answer,
            None,
        )
    };
    assert_eq!(of(service(json!({"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30123}))), [""; 0]);
    assert_eq!(of(service(json!({"port": 80, "protocol": "TCP", "targetPort": 81}))), ["spec.ports[].targetPort"]);
}

#[test]
fn a_pods_token_is_mounted_and_nothing_else() {
    let sent =
        json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
    let mut answer = sent.clone();
    let mount = "/var/run/secrets/kubernetes.io/serviceaccount";
    answer["spec"]["serviceAccountName"] = json!("default");
    answer["spec"]["serviceAccount"] = json!("default");
    answer["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "kube-api-access-7q2xz", "mountPath": mount, "readOnly": true}]);
    answer["spec"]["volumes"] = json!([{"name": "kube-api-access-7q2xz", "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}]);
    answer["spec"]["tolerations"] = json!([
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]);
    let pod = gvk("", "v1", "Pod");
    assert_eq!(unexplained(&pod, &sent, &sent, &answer, None), [""; 0]);
    answer["spec"]["volumes"][0]["projected"]["sources"][1] = json!({"secret": {"name": "admin"}});
    answer["spec"]["tolerations"][0]["operator"] = json!("Equal");
    answer["spec"]["tolerations"][0]["tolerationSeconds"] = json!(300);
    let found = unexplained(&pod, &sent, &sent, &answer, None);
    assert!(found.contains(&"spec.volumes[].projected.sources[].secret.name".to_owned()), "{found:?}");
    assert!(found.contains(&"spec.tolerations[].operator".to_owned()), "{found:?}");
}

#[test]
fn a_custom_resource_gets_the_defaults_of_its_schema() {
    let schema = json!({"properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer", "default": 3},
        "storage": {"type": "object", "default": {}, "properties": {"class": {"type": "string", "default": "fast"}}},
        "rules": {"type": "array", "items": {"type": "object", "properties": {"on": {"type": "boolean", "default": true}}}}}}}});
    let kind = gvk("example.dev", "v1", "Shop");
    let sent = json!({"metadata": {"name": "a"}, "spec": {"rules": [{"x": 1}]}});
    let answer = json!({"metadata": {"name": "a"}, "spec": {"size": 3, "storage": {"class": "fast"}, "rules": [{"x": 1, "on": true}]}});
    assert_eq!(unexplained(&kind, &sent, &sent, &answer, Some(&schema)), [""; 0]);
    let forged = json!({"metadata": {"name": "a"}, "spec": {"size": 4, "storage": {"class": "mine"}, "rules": [{"x": 1, "on": false}]}});
    let found = unexplained(&kind, &sent, &sent, &forged, Some(&schema));
    assert_eq!(found, ["spec.rules[].on", "spec.size", "spec.storage.class"]);
    assert!(is_foreseeable(&kind, Some(&schema)) && !is_foreseeable(&kind, None));
}

#[test]
fn of_what_is_carried_a_counter_goes_on_and_what_is_needless_goes() {
    let kind = gvk("apps", "v1", "DaemonSet");
    let declared = json!({"metadata": {"name": "a"}, "spec": {"x": "y"}});
    let counted = |n: &str| {
        let mut object = declared.clone();
        object["metadata"]["annotations"] = json!({"deprecated.daemonset.template.generation": n});
        object
    };
    assert_eq!(unexplained(&kind, &declared, &counted("1"), &counted("2"), None), [""; 0]);
    assert_eq!(unexplained(&kind, &declared, &counted("1"), &declared, None), [""; 0]);
    assert_eq!(unexplained(&kind, &counted("1"), &counted("1"), &declared, None).len(), 1, "Git declares it");
}

#[test]
fn no_field_of_the_answer_explains_another() {
    let account = |a: &mut Value| {
        a["spec"]["template"]["spec"]["serviceAccountName"] = json!("admin");
        a["spec"]["template"]["spec"]["serviceAccount"] = json!("admin");
    };
    let found = of_deployment(account);
    assert!(found.contains(&"spec.template.spec.serviceAccountName".to_owned()), "{found:?}");
    let host_port = |a: &mut Value| a["spec"]["template"]["spec"]["containers"][0]["ports"][0]["hostPort"] = json!(80);
    assert_eq!(of_deployment(host_port), ["spec.template.spec.containers[].ports[].hostPort"]);

    let policy = |spec: Value| json!({"kind": "NetworkPolicy", "metadata": {"name": "a"}, "spec": spec});
    let kind = gvk("networking.k8s.io", "v1", "NetworkPolicy");
    let of =
        |sent: Value, answer: Value| unexplained(&kind, &policy(sent.clone()), &policy(sent), &policy(answer), None);
    let deny = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    let open = json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"protocol": "TCP"}]}]});
    assert_eq!(of(deny, open), ["spec.ingress[]"]);
    let ingress = |types: Value| json!({"podSelector": {}, "ingress": [{}], "policyTypes": types});
    assert_eq!(of(json!({"podSelector": {}, "ingress": [{}]}), ingress(json!(["Ingress"]))), [""; 0]);
    assert_eq!(of(json!({"podSelector": {}, "ingress": [{}]}), ingress(json!(["Egress"]))), ["spec.policyTypes[]"]);
}

#[test]
fn what_is_declared_does_not_vanish_where_absence_says_something() {
    let pod = |spec: Value| json!({"kind": "ServiceAccount", "metadata": {"name": "a"}, "automountServiceAccountToken": spec});
    let kind = gvk("", "v1", "ServiceAccount");
    let without = json!({"kind": "ServiceAccount", "metadata": {"name": "a"}});
    let declared = pod(json!(false));
    assert_eq!(unexplained(&kind, &declared, &declared, &without, None), ["automountServiceAccountToken"]);
    let custom = json!({"metadata": {"name": "a"}, "spec": {"enabled": false}});
    let gone = json!({"metadata": {"name": "a"}, "spec": {}});
    let found = unexplained(&gvk("example.dev", "v1", "Shop"), &custom, &custom, &gone, Some(&json!({})));
    assert_eq!(found, ["spec.enabled"]);
}

#[test]
fn what_is_always_written_and_other_spellings_are_explained() {
    let mut declared = deployment();
    declared["spec"]["template"]["spec"]["hostNetwork"] = json!(false);
    declared["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}, {"name": "EMPTY", "value": ""}]);
    let mut answer = defaulted();
    answer["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}}}, {"name": "EMPTY"}]);
    let kind = gvk("apps", "v1", "Deployment");
    assert_eq!(unexplained(&kind, &declared, &declared, &answer, None), [""; 0]);

    let secret =
        |data: &str| json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"k": data}, "type": "Opaque"});
    let wrapped = secret("aGVs\nbG8=\n");
    assert_eq!(unexplained(&gvk("", "v1", "Secret"), &wrapped, &wrapped, &secret("aGVsbG8="), None), [""; 0]);
    let map = |value: &str| json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}});
    let (sent, answer) = (map("1000"), map("1k"));
    assert_eq!(unexplained(&gvk("", "v1", "ConfigMap"), &sent, &sent, &answer, None), ["data.k"]);
}
