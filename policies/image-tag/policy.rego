package gitward.image_tag

import data.gitward.lib.pod

title := "Images have a fixed tag"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s runs the image %s, which has no fixed tag", [pod.name(container), image]),
	"field": ["spec", list, position, "image"],
	"hint": "name a version, or better a digest: `image: name@sha256:…`",
} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	image := container.image
	parts := split(image, "/")
	floats(parts[count(parts) - 1])
	not contains(image, "@")
	not is_bare(image)
}

# A name alone is often a placeholder that skaffold or kustomize puts an image in the place of.
warn contains {
	"message": sprintf("container %s runs the image %s, which has no tag", [pod.name(container), image]),
	"field": ["spec", list, position, "image"],
	"hint": "name a version, or better a digest: `image: name@sha256:…`",
} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	image := container.image
	is_bare(image)
}

is_bare(image) if {
	not contains(image, "/")
	not contains(image, ":")
	not contains(image, "@")
}

# The tag follows the colon in the last part; a colon before that belongs to a registry's port.
floats(last_part) if not contains(last_part, ":")

floats(last_part) if split(last_part, ":")[1] in {"", "latest"}
