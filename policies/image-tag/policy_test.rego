package gitward.image_tag_test

import data.gitward.image_tag

running(image) := {"spec": {"containers": [{"name": "app", "image": image}]}}

test_floating_images_are_denied if {
	every image in ["nginx:latest", "nginx:", "registry.example.org:5000/team/app", "a/b:latest"] {
		count(image_tag.deny) == 1 with input.object as running(image)
	}
}

test_a_name_alone_is_warned_of if {
	count(image_tag.deny) == 0 with input.object as running("nginx")
	count(image_tag.warn) == 1 with input.object as running("nginx")
	count(image_tag.warn) == 0 with input.object as running("nginx:latest")
}

test_fixed_images_pass if {
	every image in ["nginx:1.29.1", "registry.example.org:5000/team/app:v2", "nginx@sha256:0123", "nginx:latest@sha256:0123"] {
		count(image_tag.deny) == 0 with input.object as running(image)
	}
}

test_a_container_without_an_image_is_the_schemas_business if {
	count(image_tag.deny) == 0 with input.object as {"spec": {"containers": [{"name": "app"}]}}
}
