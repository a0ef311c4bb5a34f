package gitward.image_tag

import data.gitward.lib.pod

title := "Images have a fixed tag"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s runs the image %s, which has no fixed tag", [pod.name(entry.container), image]),
	"field": pod.field(entry, ["image"]),
	"hint": "name a version, or better a digest: `image: name@sha256:…`",
} if {
	some entry in pod.containers
	image := entry.container.image
	not contains(image, "@")
	not is_bare(image)
	floats(tag(image))
}

# A name alone is often a placeholder that skaffold or kustomize puts an image in the place of.
warn contains {
	"message": sprintf("container %s runs the image %s, which has no tag", [pod.name(entry.container), image]),
	"field": pod.field(entry, ["image"]),
	"hint": "name a version, or better a digest: `image: name@sha256:…`",
} if {
	some entry in pod.containers
	image := entry.container.image
	is_bare(image)
}

is_bare(image) if {
	not contains(image, "/")
	not contains(image, ":")
	not contains(image, "@")
}

floats(tag) if tag in {"", "latest"}

# What follows the colon in the last part; a colon before that belongs to a registry's port.
tag(image) := "" if not contains(last_part(image), ":")

tag(image) := split(last_part(image), ":")[1] if contains(last_part(image), ":")

last_part(image) := parts[count(parts) - 1] if parts := split(image, "/")
