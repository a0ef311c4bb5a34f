package gitward.resource_requests

import data.gitward.lib.pod

title := "Containers request CPU and memory"

kinds := {"Pod"}

warn contains {
	"message": sprintf("container %s requests no %s", [pod.name(container), concat(" and no ", sort(missing))]),
	"field": ["spec", list, position, "resources"],
	"hint": "set `resources.requests.cpu` and `resources.requests.memory`",
} if {
	some list in ["containers", "initContainers"]
	some position, container in input.object.spec[list]
	# Most have both: of those nothing more is asked.
	some written in ["cpu", "memory"]
	not container.resources.requests[written]
	missing := {resource | some resource in ["cpu", "memory"]; not requested(container, resource)}
	count(missing) > 0
}

requested(container, resource) if container.resources.requests[resource]

# A limit without a request is its own request.
requested(container, resource) if container.resources.limits[resource]

# The Pod as a whole may request them.
requested(_, resource) if input.object.spec.resources.requests[resource]
