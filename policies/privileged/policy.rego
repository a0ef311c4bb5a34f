package gitward.privileged

import data.gitward.lib.pod

title := "No privileged containers"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s is privileged", [pod.name(container)]),
	"field": ["spec", list, position, "securityContext", "privileged"],
	"hint": "remove `privileged: true` and add the one capability that is needed",
} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	container.securityContext.privileged == true
}
