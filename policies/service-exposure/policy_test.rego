package gitward.service_exposure_test

import data.gitward.service_exposure

test_open_types_are_a_warning if {
	every type in ["NodePort", "LoadBalancer"] {
		count(service_exposure.warn) == 1 with input.object as {"spec": {"type": type}}
	}
}

test_source_ranges_close_a_load_balancer if {
	object := {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["192.0.2.0/24"]}}
	count(service_exposure.warn) == 0 with input.object as object
}

test_external_addresses_are_a_warning if {
	some finding in service_exposure.warn with input.object as {"spec": {"externalIPs": ["192.0.2.1"]}}
	finding.field == ["spec", "externalIPs", 0]
}

test_cluster_services_pass if {
	count(service_exposure.warn) == 0 with input.object as {"spec": {"type": "ClusterIP"}}
	count(service_exposure.warn) == 0 with input.object as {"spec": {"ports": [{"port": 80}]}}
}
