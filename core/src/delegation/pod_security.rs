//! The Pod Security Standards. Source: Kubernetes documentation, "Pod Security Standards", v1.36.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::derived::compare::{at, list, text};

/// A level of the Pod Security Standards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PodSecurity {
    /// Anything.
    Privileged,
    /// No known way to more privileges than a container has.
    #[default]
    Baseline,
    /// What hardening asks for, besides.
    Restricted,
}

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SYSCTLS: [&str; 11] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
];

const SELINUX_TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

const VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

/// Demands that a Pod's specification, with the metadata that it may get its annotations from, keeps a
/// level.
pub(super) fn check(level: PodSecurity, metadata: &[Option<&Value>], spec: &Value) -> Result<(), String> {
    if level == PodSecurity::Privileged {
        return Ok(());
    }
    baseline(metadata, spec)?;
    if level == PodSecurity::Restricted { restricted(spec) } else { Ok(()) }
}

fn baseline(metadata: &[Option<&Value>], spec: &Value) -> Result<(), String> {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        demand(!is(spec, &[field]), || format!("{field} is true"))?;
    }
    for (i, volume) in list(spec, &["volumes"]).iter().enumerate() {
        demand(volume.get("hostPath").is_none(), || format!("volumes[{i}] is a path of the host"))?;
    }
    for sysctl in list(spec, &["securityContext", "sysctls"]) {
        let name = text(sysctl, &["name"]);
        let is_safe = SYSCTLS.contains(&name) || name == "net.ipv4.tcp_wmem";
        demand(is_safe, || format!("securityContext.sysctls sets {name:?}, which is not safe"))?;
    }
    for metadata in metadata.iter().flatten() {
        let annotations = metadata.get("annotations").and_then(Value::as_object);
        for (key, value) in annotations.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            let confined = value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
            let is_profile = key.starts_with("container.apparmor.security.beta.kubernetes.io/");
            demand(!is_profile || confined, || format!("the annotation {key} is {value:?}"))?;
        }
    }
    security_context("securityContext", spec.get("securityContext"))?;
    each_container(spec, |at, container| {
        let context = container.get("securityContext");
        security_context(&format!("{at}.securityContext"), context)?;
        demand(!is(container, &["securityContext", "privileged"]), || format!("{at} is privileged"))?;
        for capability in list(container, &["securityContext", "capabilities", "add"]) {
            let known = capability.as_str().is_some_and(|c| CAPABILITIES.contains(&c));
            demand(known, || format!("{at} adds the capability {capability}"))?;
        }
        for port in list(container, &["ports"]) {
            demand(port.get("hostPort").is_none_or(|p| p == 0), || format!("{at} takes a port of the host"))?;
        }
        let mount = text(container, &["securityContext", "procMount"]);
        demand(matches!(mount, "" | "Default"), || format!("{at}.securityContext.procMount is {mount:?}"))?;
        for handler in HANDLERS {
            for action in ["httpGet", "tcpSocket"] {
                let path: Vec<&str> = handler.iter().copied().chain([action, "host"]).collect();
                demand(text(container, &path).is_empty(), || format!("{at}.{} is set", path.join(".")))?;
            }
        }
        Ok(())
    })
}

const HANDLERS: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];

/// What may stand in the security context of a Pod and of a container alike.
fn security_context(at: &str, context: Option<&Value>) -> Result<(), String> {
    let Some(context) = context else { return Ok(()) };
    demand(!is(context, &["windowsOptions", "hostProcess"]), || format!("{at} makes it a process of the host"))?;
    let selinux = text(context, &["seLinuxOptions", "type"]);
    demand(SELINUX_TYPES.contains(&selinux), || format!("{at}.seLinuxOptions.type is {selinux:?}"))?;
    for field in ["user", "role"] {
        let set = text(context, &["seLinuxOptions", field]);
        demand(set.is_empty(), || format!("{at}.seLinuxOptions.{field} is set"))?;
    }
    for field in ["seccompProfile", "appArmorProfile"] {
        demand(text(context, &[field, "type"]) != "Unconfined", || format!("{at}.{field} is unconfined"))?;
    }
    Ok(())
}

fn restricted(spec: &Value) -> Result<(), String> {
    for (i, volume) in list(spec, &["volumes"]).iter().enumerate() {
        let kinds = volume.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).filter(|k| *k != "name");
        for kind in kinds {
            demand(VOLUMES.contains(&kind), || format!("volumes[{i}] is a {kind}"))?;
        }
    }
    let pod = spec.get("securityContext").unwrap_or(&Value::Null);
    demand(pod.get("runAsUser").is_none_or(|u| u != 0), || "securityContext.runAsUser is 0".to_owned())?;
    each_container(spec, |at, container| {
        let own = container.get("securityContext").unwrap_or(&Value::Null);
        let escalates = own.get("allowPrivilegeEscalation") != Some(&Value::Bool(false));
        demand(!escalates, || format!("{at} may escalate its privileges"))?;
        let non_root = own.get("runAsNonRoot").or_else(|| pod.get("runAsNonRoot"));
        demand(non_root == Some(&Value::Bool(true)), || format!("{at} does not say that it runs as non-root"))?;
        demand(own.get("runAsUser").is_none_or(|u| u != 0), || format!("{at} runs as user 0"))?;
        let profile = |context: &Value| text(context, &["seccompProfile", "type"]).to_owned();
        let profile = Some(profile(own)).filter(|p| !p.is_empty()).unwrap_or_else(|| profile(pod));
        let confined = matches!(profile.as_str(), "RuntimeDefault" | "Localhost");
        demand(confined, || format!("{at} has no seccomp profile"))?;
        let dropped = list(own, &["capabilities", "drop"]).iter().any(|c| c == "ALL");
        demand(dropped, || format!("{at} does not drop all capabilities"))?;
        let mut added = list(own, &["capabilities", "add"]).iter();
        demand(added.all(|c| c == "NET_BIND_SERVICE"), || format!("{at} adds capabilities"))
    })
}

fn each_container(spec: &Value, check: impl Fn(&str, &Value) -> Result<(), String>) -> Result<(), String> {
    for field in CONTAINERS {
        for (i, container) in list(spec, &[field]).iter().enumerate() {
            check(&format!("{field}[{i}]"), container)?;
        }
    }
    Ok(())
}

fn demand(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

fn is(value: &Value, path: &[&str]) -> bool {
    at(value, path) == true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn level(pod: &Value) -> PodSecurity {
        let keeps = |level| check(level, &[pod.get("metadata")], &pod["spec"]).is_ok();
        match (keeps(PodSecurity::Baseline), keeps(PodSecurity::Restricted)) {
            (_, true) => PodSecurity::Restricted,
            (true, false) => PodSecurity::Baseline,
            (false, false) => PodSecurity::Privileged,
        }
    }

    #[test]
    fn each_control_is_kept() {
        use PodSecurity::{Baseline, Privileged, Restricted};
        let hardened = json!({"spec": {
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        }});
        let own = "/spec/containers/0/securityContext";
        let cases = [
            ("/spec", json!({}), Restricted),
            ("/spec", json!({"hostNetwork": true}), Privileged),
            ("/spec", json!({"hostPID": true}), Privileged),
            ("/spec", json!({"hostIPC": true}), Privileged),
            ("/spec", json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), Privileged),
            ("/spec", json!({"volumes": [{"name": "v", "nfs": {}}]}), Baseline),
            ("/spec", json!({"volumes": [{"name": "v", "emptyDir": {}}]}), Restricted),
            ("/spec/securityContext", json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), Privileged),
            ("/spec/securityContext", json!({"seccompProfile": {"type": "Unconfined"}}), Privileged),
            ("/spec/securityContext", json!({"seccompProfile": null}), Baseline),
            ("/spec/securityContext", json!({"seLinuxOptions": {"type": "spc_t"}}), Privileged),
            ("/spec/securityContext", json!({"seLinuxOptions": {"user": "system_u"}}), Privileged),
            ("/spec/securityContext", json!({"windowsOptions": {"hostProcess": true}}), Privileged),
            ("/spec/securityContext", json!({"runAsUser": 0}), Baseline),
            ("/spec/securityContext", json!({"runAsNonRoot": false}), Baseline),
            (own, json!({"privileged": true}), Privileged),
            (own, json!({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}), Privileged),
            (own, json!({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}), Baseline),
            (own, json!({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}), Restricted),
            (own, json!({"capabilities": {"drop": []}}), Baseline),
            (own, json!({"allowPrivilegeEscalation": true}), Baseline),
            (own, json!({"procMount": "Unmasked"}), Privileged),
            (own, json!({"appArmorProfile": {"type": "Unconfined"}}), Privileged),
            (own, json!({"runAsUser": 0}), Baseline),
            ("/spec/containers/0", json!({"ports": [{"containerPort": 80, "hostPort": 80}]}), Privileged),
            ("/spec/containers/0", json!({"livenessProbe": {"httpGet": {"host": "example.org"}}}), Privileged),
            (
                "",
                json!({"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}}}),
                Privileged,
            ),
        ];
        for (at, change, wanted) in cases {
            let mut pod = hardened.clone();
            json_patch::merge(pod.pointer_mut(at).unwrap(), &change);
            assert_eq!(level(&pod), wanted, "{at} {change}");
        }
        let first = json!({"spec": {"initContainers": [{"securityContext": {"privileged": true}}], "containers": []}});
        assert_eq!(level(&first), Privileged);
    }
}
