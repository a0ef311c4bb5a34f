package gitward.plain_credential_test

import data.gitward.plain_credential

with_variable(name, value) := {"kind": "Pod", "spec": {"containers": [{"name": "app", "env": [{"name": name, "value": value}]}]}}

test_a_variable_called_a_credential_is_a_warning_without_its_value if {
	some finding in plain_credential.warn with input.object as with_variable("DB_PASSWORD", "hunter2")
	finding.message == "container app is given DB_PASSWORD in plain text"
	finding.field == ["spec", "containers", 0, "env", 0, "value"]
}

test_what_only_leads_to_one_passes if {
	count(plain_credential.warn) == 0 with input.object as with_variable("DB_PASSWORD_FILE", "/run/secrets/db")
	count(plain_credential.warn) == 0 with input.object as with_variable("DB_PASSWORD", "$(FROM_SECRET)")
	count(plain_credential.warn) == 0 with input.object as with_variable("DB_PASSWORD", "/run/secrets/db")
	count(plain_credential.warn) == 0 with input.object as with_variable("DB_PASSWORD", "")
	count(plain_credential.warn) == 0 with input.object as with_variable("MAX_TOKENS", "4096")
	count(plain_credential.warn) == 0 with input.object as with_variable("TOKEN_URL", "https://example.org/token")
	count(plain_credential.warn) == 0 with input.object as with_variable("USE_TOKEN", "false")
}

test_what_looks_like_one_is_a_warning_whatever_it_is_called if {
	some finding in plain_credential.warn with input.object as with_variable("AWS_ID", concat("", ["AKI", "A0123456789ABCDEF"]))
	finding.message == "the value of AWS_ID of container app looks like a credential"
	key := concat(" ", ["-----BEGIN RSA", "PRIVATE KEY-----"])
	count(plain_credential.warn) == 1 with input.object as {"kind": "ConfigMap", "data": {"a.pem": key, "b": "AKIA is no key"}}
	count(plain_credential.warn) == 0 with input.object as {"kind": "ConfigMap", "data": {"ca.crt": "-----BEGIN CERTIFICATE-----"}}
}

test_one_is_found_among_others_and_behind_a_line_break if {
	key := concat("", ["first\nAKI", "A0123456789ABCDEF"])
	env := [{"name": "REGION", "value": "eu"}, {"name": "Api_Key", "value": "hunter2"}, {"name": "NOTE", "value": key}]
	fields := {finding.field | some finding in plain_credential.warn} with input.object as {"spec": {"initContainers": [{"name": "app", "env": env}]}}
	fields == {["spec", "initContainers", 0, "env", 1, "value"], ["spec", "initContainers", 0, "env", 2, "value"]}
}
