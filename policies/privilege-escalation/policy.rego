package gitward.privilege_escalation

import data.gitward.lib.pod

title := "No privilege escalation"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s asks for privilege escalation", [pod.name(container)]),
	"field": ["spec", list, position, "securityContext", "allowPrivilegeEscalation"],
	"hint": "set `allowPrivilegeEscalation: false`",
} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	container.securityContext.allowPrivilegeEscalation == true
}
