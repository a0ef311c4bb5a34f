package gitward.secret_in_git_test

import data.gitward.secret_in_git

test_a_value_is_a_warning_that_names_the_key_only if {
	object := {"stringData": {"password": "hunter2"}}
	some finding in secret_in_git.warn with input.object as object
	finding.field == ["stringData", "password"]
	not contains(finding.message, "hunter2")
}

test_encoded_values_count_too if {
	count(secret_in_git.warn) == 2 with input.object as {"data": {"a": "eA==", "b": "eQ=="}}
}

test_an_empty_secret_passes if {
	count(secret_in_git.warn) == 0 with input.object as {"data": {"token": ""}}
	count(secret_in_git.warn) == 0 with input.object as {"type": "Opaque"}
}
