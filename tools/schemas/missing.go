package main

import "strings"

// acceptedMissing says whether the API server does without a field that the documents call
// required: it fills in a default, the empty value is a good one, or nothing looks. Each field that
// is not here was left out of an accepted object and refused by kube-apiserver 1.36.3; fields that
// could not be tried (alpha and beta versions, most of them off by default) count as accepted.
func acceptedMissing(typeName, field string) bool {
	parts := strings.Split(typeName, ".")
	version, name := parts[len(parts)-2], parts[len(parts)-1]
	if strings.Contains(version, "alpha") || strings.Contains(version, "beta") {
		return true
	}
	for _, allowed := range strings.Fields(doneWithout[name]) {
		if allowed == field {
			return true
		}
	}
	return false
}

var doneWithout = map[string]string{
	// Tried, and accepted, some because their feature is off and the field around them is dropped.
	"ClusterTrustBundleProjection":    "path",
	"PodCertificateProjection":        "keyType signerName",
	"CSIDriver":                       "spec",
	"CSINode":                         "spec",
	"CSINodeSpec":                     "drivers",
	"ControllerRevision":              "revision",
	"Counter":                         "value",
	"CustomResourceDefinitionVersion": "served storage",
	"DeviceCapacity":                  "value",
	"DeviceClass":                     "spec",
	"EndpointSlice":                   "endpoints",
	"Event":                           "eventTime involvedObject metadata",
	"ForNode":                         "name",
	"ForZone":                         "name",
	"HTTPHeader":                      "value",
	"ISCSIPersistentVolumeSource":     "lun",
	"ISCSIVolumeSource":               "lun",
	"LimitRangeSpec":                  "limits",
	"PodFailurePolicy":                "rules",
	"PreferredSchedulingTerm":         "preference",
	"ResourceClaim":                   "spec",
	"ResourceClaimTemplate":           "spec",
	"ResourceClaimTemplateSpec":       "spec",
	"ResourcePool":                    "generation",
	"ScaleIOPersistentVolumeSource":   "secretRef",
	"ScaleIOVolumeSource":             "secretRef",
	"SleepAction":                     "seconds",
	"StatefulSetSpec":                 "serviceName",
	"Sysctl":                          "value",
	"TokenRequest":                    "audience",
	"TypedLocalObjectReference":       "kind name",

	// Not tried.
	"Binding":                   "target",
	"ConfigMapNodeConfigSource": "kubeletConfigKey name namespace",
	"EphemeralContainer":        "name",
	"EventSeries":               "count lastObservedTime",
	"FieldSelectorRequirement":  "key operator",
	"LocalSubjectAccessReview":  "spec",
	"SelfSubjectAccessReview":   "spec",
	"SelfSubjectRulesReview":    "spec",
	"SubjectAccessReview":       "spec",
	"TokenReview":               "spec",
	"TokenReviewSpec":           "token",
	"TypedObjectReference":      "kind name",
}

// notEnforced says whether the values that the source lists for a field are no rule: the API server
// drops the field where its feature is off, whatever it holds.
func notEnforced(typeName, field string) bool {
	return strings.HasSuffix(typeName, ".Lifecycle") && field == "stopSignal"
}
