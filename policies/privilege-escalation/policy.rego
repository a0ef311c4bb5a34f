package gitward.privilege_escalation

import data.gitward.lib.pod

title := "No privilege escalation"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s asks for privilege escalation", [pod.name(entry.container)]),
	"field": pod.field(entry, ["securityContext", "allowPrivilegeEscalation"]),
	"hint": "set `allowPrivilegeEscalation: false`",
} if {
	some entry in pod.containers
	entry.container.securityContext.allowPrivilegeEscalation == true
}
