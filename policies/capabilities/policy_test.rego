package gitward.capabilities_test

import data.gitward.capabilities

adding(names) := {"spec": {"containers": [{
	"name": "app",
	"securityContext": {"capabilities": {"add": names}},
}]}}

test_sys_admin_is_denied_however_it_is_written if {
	every name in ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "ALL"] {
		count(capabilities.deny) == 1 with input.object as adding([name])
	}
}

test_net_admin_is_a_warning if {
	count(capabilities.deny) == 0 with input.object as adding(["NET_ADMIN"])
	count(capabilities.warn) == 1 with input.object as adding(["NET_ADMIN"])
}

test_harmless_ones_pass if {
	count(capabilities.deny) == 0 with input.object as adding(["NET_BIND_SERVICE"])
	count(capabilities.warn) == 0 with input.object as adding(["NET_BIND_SERVICE"])
}

test_the_place_is_the_capability_itself if {
	some finding in capabilities.deny with input.object as adding(["CHOWN", "SYS_MODULE"])
	array.slice(finding.field, 3, 7) == ["securityContext", "capabilities", "add", 1]
}
