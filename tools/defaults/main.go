// Makes the list of what Kubernetes' own types fill in where a manifest says nothing.
//
// Each object kind of the API server's schemes is made in many sparse and full shapes, read and
// written as the API server does it (decoded with defaults into the internal type, encoded again),
// and what came out that was not put in is noted: a field path of the kind, and the values seen.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
)

// Values of fields that decide what is filled in beside them. Reflection knows no enumerations.
var deciding = map[string][]string{
	"ServiceType":                            {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"},
	"ServiceAffinity":                        {"ClientIP"},
	"DeploymentStrategyType":                 {"RollingUpdate", "Recreate"},
	"DaemonSetUpdateStrategyType":            {"RollingUpdate", "OnDelete"},
	"StatefulSetUpdateStrategyType":          {"RollingUpdate", "OnDelete"},
	"CompletionMode":                         {"Indexed", "NonIndexed"},
	"MetricSourceType":                       {"Resource", "ContainerResource", "Pods", "Object", "External"},
	"PriorityLevelEnablement":                {"Limited", "Exempt"},
	"LimitResponseType":                      {"Queue", "Reject"},
	"SubjectKind":                            {"User", "Group", "ServiceAccount"},
	"DeviceAllocationMode":                   {"ExactCount", "All"},
	"ConversionStrategyType":                 {"None", "Webhook"},
	"SeccompProfileType":                     {"RuntimeDefault", "Localhost"},
	"PersistentVolumeMode":                   {"Filesystem", "Block"},
	"PodFailurePolicyOnPodConditionsPattern": {},
}

// shape says how an object is filled.
type shape struct {
	depth  int  // pointers that are followed, from the outside
	lists  bool // lists of structures get one element
	choice int  // which of the deciding values
	host   bool // host network, with ports
}

// Ports that are put in, to see which fields are filled in from them.
const (
	containerPort = 4242
	port          = 4343
)

type rows map[string]map[string]bool

func main() {
	out := map[string]rows{}
	pointers, plain, seen := map[string]bool{}, map[string]bool{}, map[reflect.Type]bool{}
	for _, one := range []struct {
		scheme *runtime.Scheme
		codecs serializer.CodecFactory
	}{
		{legacyscheme.Scheme, legacyscheme.Codecs},
		{extensions.Scheme, extensions.Codecs},
		{aggregator.Scheme, aggregator.Codecs},
	} {
		for gvk, kind := range one.scheme.AllKnownTypes() {
			if gvk.Version == runtime.APIVersionInternal || strings.HasSuffix(gvk.Kind, "List") || !hasMetadata(kind) || isGone(gvk) {
				continue
			}
			pointed(kind, seen, pointers, plain)
			name := gvk.Group + "/" + gvk.Version + "/" + gvk.Kind
			if out[name] == nil {
				out[name] = rows{}
			}
			for depth := 0; depth < 9; depth++ {
				for choice := 0; choice < 6; choice++ {
					for _, lists := range []bool{false, true} {
						for _, host := range []bool{false, true} {
							note(out[name], one.scheme, one.codecs, gvk, kind, shape{depth, lists, choice, host})
						}
					}
				}
			}
			if len(out[name]) == 0 {
				delete(out, name)
			}
		}
	}
	for name := range plain {
		delete(pointers, name)
	}
	write(out, pointers)
}

// pointed notes the names of fields that are pointers to scalars, where absence is not the zero value,
// and of those that are plain ones.
func pointed(kind reflect.Type, seen map[reflect.Type]bool, names, plain map[string]bool) {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || isScalar(kind) || seen[kind] {
		return
	}
	seen[kind] = true
	for i := 0; i < kind.NumField(); i++ {
		field := kind.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "status" || field.Type.Name() == "ObjectMeta" {
			continue
		}
		if field.Type.Kind() == reflect.Pointer && (field.Type.Elem().Kind() != reflect.Struct || isScalar(field.Type.Elem())) {
			names[name] = true
		} else if field.Type.Kind() != reflect.Struct && field.Type.Kind() != reflect.Slice && field.Type.Kind() != reflect.Map {
			plain[name] = true
		}
		pointed(field.Type, seen, names, plain)
	}
}

func hasMetadata(kind reflect.Type) bool {
	field, found := kind.FieldByName("ObjectMeta")
	return found && field.Anonymous
}

func note(found rows, scheme *runtime.Scheme, codecs serializer.CodecFactory, gvk schema.GroupVersionKind, kind reflect.Type, s shape) {
	object := reflect.New(kind)
	fill(object.Elem(), s, 0, nil)
	typed := object.Interface().(runtime.Object)
	typed.GetObjectKind().SetGroupVersionKind(gvk)
	before, err := json.Marshal(typed)
	if err != nil {
		return
	}
	internal := schema.GroupVersion{Group: gvk.Group, Version: runtime.APIVersionInternal}
	decoded, err := decode(codecs, before, internal)
	if err != nil {
		return
	}
	after, err := runtime.Encode(codecs.LegacyCodec(gvk.GroupVersion()), decoded)
	if err != nil {
		return
	}
	var a, b any
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		log.Fatalf("%v: no JSON", gvk)
	}
	compare(found, "", a, b)
}

func decode(codecs serializer.CodecFactory, text []byte, internal schema.GroupVersion) (object runtime.Object, err error) {
	// Conversions of objects that no one would write may panic.
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("%v", caught)
		}
	}()
	return runtime.Decode(codecs.UniversalDecoder(internal), text)
}

// fill makes the shape of a value; scalars stay as they are but for those that decide.
func fill(value reflect.Value, s shape, depth int, above []reflect.Type) {
	kind := value.Type()
	if kind.PkgPath() == "k8s.io/apimachinery/pkg/apis/meta/v1" && kind.Name() == "ObjectMeta" {
		return
	}
	if values, decides := deciding[kind.Name()]; decides && kind.Kind() == reflect.String && s.choice > 0 && s.choice <= len(values) {
		value.SetString(values[s.choice-1])
		return
	}
	switch kind.Kind() {
	case reflect.Struct:
		seen := 0
		for _, t := range above {
			if t == kind {
				seen++
			}
		}
		if seen > 1 || isScalar(kind) {
			return
		}
		above = append(above[:len(above):len(above)], kind)
		for i := 0; i < kind.NumField(); i++ {
			if field := value.Field(i); field.CanSet() {
				fill(field, s, depth, above)
				// The kind of RBAC's subjects is a plain text.
				if kinds := deciding["SubjectKind"]; kind.Name() == "Subject" && kind.Field(i).Name == "Kind" && s.choice < len(kinds) {
					field.SetString(kinds[s.choice])
				}
				if s.host && kind.Field(i).Name == "HostNetwork" && field.Kind() == reflect.Bool {
					field.SetBool(true)
				}
				if s.host && field.Kind() == reflect.Int32 && kind.Field(i).Name == "ContainerPort" {
					field.SetInt(containerPort)
				} else if s.host && field.Kind() == reflect.Int32 && kind.Field(i).Name == "Port" {
					field.SetInt(port)
				}
			}
		}
	case reflect.Pointer:
		_, decides := deciding[kind.Elem().Name()]
		if (kind.Elem().Kind() == reflect.Struct && !isScalar(kind.Elem()) && depth < s.depth) || (decides && s.choice > 0) {
			value.Set(reflect.New(kind.Elem()))
			fill(value.Elem(), s, depth+1, above)
		}
	case reflect.Slice:
		if s.lists && kind.Elem().Kind() == reflect.Struct && !isScalar(kind.Elem()) {
			value.Set(reflect.MakeSlice(kind, 1, 1))
			fill(value.Index(0), s, depth, above)
		}
	case reflect.Map:
		if s.lists && kind.Elem().Kind() == reflect.Struct && !isScalar(kind.Elem()) && kind.Key().Kind() == reflect.String {
			element := reflect.New(kind.Elem()).Elem()
			fill(element, s, depth, above)
			value.Set(reflect.MakeMap(kind))
			value.SetMapIndex(reflect.ValueOf("k").Convert(kind.Key()), element)
		}
	}
}

// isScalar tells structures that are written as one value.
func isScalar(kind reflect.Type) bool {
	switch kind.Name() {
	case "Time", "MicroTime", "Duration", "Quantity", "IntOrString", "RawExtension", "FieldsV1", "JSON":
		return true
	}
	return false
}

// isEmpty tells values that say that there is nothing; of those that are always written, too.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case float64:
		return v == 0
	case bool:
		return !v
	}
	return false
}

func compare(found rows, path string, before, after any) {
	switch a := after.(type) {
	case map[string]any:
		b, _ := before.(map[string]any)
		if isEmpty(before) && len(a) == 0 {
			found.add(path, a)
		}
		for name, value := range a {
			compare(found, join(path, name), b[name], value)
		}
	case []any:
		b, _ := before.([]any)
		for i, value := range a {
			var there any
			if i < len(b) {
				there = b[i]
			}
			compare(found, path+"[]", there, value)
		}
	default:
		if isEmpty(before) && after != nil {
			found.add(path, after)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// isGone tells versions that no API server of today serves.
func isGone(gvk schema.GroupVersionKind) bool {
	switch gvk.Group {
	case "extensions":
		return true
	case "apps", "batch", "apiextensions.k8s.io", "apiregistration.k8s.io", "rbac.authorization.k8s.io":
		return gvk.Version != "v1"
	}
	return false
}

func (r rows) add(path string, value any) {
	// The status is nobody's to declare.
	if path == "status" || strings.HasPrefix(path, "status.") {
		return
	}
	if r[path] == nil {
		r[path] = map[string]bool{}
	}
	r[path][written(value)] = true
}

// written is a value as the list has it: as it is, or where it is taken from.
func written(value any) string {
	switch v := value.(type) {
	case float64:
		if v == containerPort {
			return `{"as":"containerPort"}`
		} else if v == port {
			return `{"as":"port"}`
		}
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil {
			return `{"any":true}`
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// A kind as it is written. Fields of Pods stand once, under "pod".
type kindRows struct {
	// Where in the object the specification of a Pod is.
	Pod    string                       `json:"pod,omitempty"`
	Fields map[string][]json.RawMessage `json:"fields,omitempty"`
}

var podAt = []string{"spec.template.spec", "spec.jobTemplate.spec.template.spec", "template.spec", "spec"}

func write(out map[string]rows, pointers map[string]bool) {
	pod := rows{}
	for path, values := range out["/v1/Pod"] {
		if inner, found := strings.CutPrefix(path, "spec."); found {
			pod[inner] = values
		}
	}
	kinds := map[string]kindRows{}
	for kind, found := range out {
		var one kindRows
		for _, at := range podAt {
			if one.Pod == "" && found[at+".terminationGracePeriodSeconds"] != nil {
				one.Pod = at
			}
		}
		for path, values := range found {
			inner, inPod := strings.CutPrefix(path, one.Pod+".")
			if one.Pod != "" && inPod && isAmong(values, pod[inner]) {
				delete(found, path)
			}
		}
		one.Fields = sorted(found)
		kinds[kind] = one
	}
	text, err := json.MarshalIndent(struct {
		Pointers []string                     `json:"pointers"`
		Pod      map[string][]json.RawMessage `json:"pod"`
		Kinds    map[string]kindRows          `json:"kinds"`
	}{slices.Sorted(maps.Keys(pointers)), sorted(pod), kinds}, "", " ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}

func isAmong(values, all map[string]bool) bool {
	for value := range values {
		if !all[value] {
			return false
		}
	}
	return true
}

func sorted(found rows) map[string][]json.RawMessage {
	out := map[string][]json.RawMessage{}
	for path, values := range found {
		texts := make([]string, 0, len(values))
		for value := range values {
			texts = append(texts, value)
		}
		sort.Strings(texts)
		for _, text := range texts {
			out[path] = append(out[path], json.RawMessage(text))
		}
	}
	return out
}
