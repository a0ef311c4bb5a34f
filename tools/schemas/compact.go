package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// A catalog is what gitward-core embeds.
type catalog struct {
	Version string `json:"version"`
	Kinds   []kind `json:"kinds"`
	// A type is a node. Nodes are written as short as can be:
	//   7                              the type with this index
	//   "string"                       a scalar, or "any"
	//   {"enum": [V]}                  a string with these values
	//   {"map": N}                     a map with values N
	//   {"list": N, "keys": [K]}       a list of N, with merge keys K
	//   {"like": N, "or": "boolean"}   an N if it is a map; or true or false
	//   {"like": N, "or": "list"}      an N if it is a map, or a list of them
	//   {"fields": {F: N}, "required": [F]}
	Types []node `json:"types"`
}

type kind struct {
	Group      string `json:"g"`
	Version    string `json:"v"`
	Kind       string `json:"k"`
	Plural     string `json:"p"`
	Namespaced bool   `json:"n"`
	Status     bool   `json:"s"`
	Type       int    `json:"t"`
}

type node any

type object struct {
	Fields   map[string]node `json:"fields"`
	Required []string        `json:"required,omitempty"`
}

type list struct {
	Items node     `json:"list"`
	Keys  []string `json:"keys,omitempty"`
}

type values struct {
	Values node `json:"map"`
}

type either struct {
	Like node   `json:"like"`
	Or   string `json:"or"`
}

type enum struct {
	Enum []string `json:"enum"`
}

// Types whose JSON form is not what their OpenAPI schema says, or is more than it can say.
var special = map[string]string{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":                                         "quantity",
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString":                                       "int-or-string",
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time":                                             "time",
	"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":                                        "micro-time",
	"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1":                                         "any",
	"io.k8s.apimachinery.pkg.runtime.RawExtension":                                          "any",
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON":                         "any",
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
}

// Types that are a JSONSchemaProps or something else.
var schemaOr = map[string]string{
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "list",
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool":  "boolean",
}

type compactor struct {
	schemas map[string]*schema
	enums   enums
	index   map[string]int
	types   []node
}

func compact(version string, documents []document, e enums) catalog {
	c := compactor{schemas: map[string]*schema{}, enums: e, index: map[string]int{}}
	for _, d := range documents {
		for name, s := range d.Components.Schemas {
			c.schemas[name] = s
		}
	}
	// ObjectMeta comes first: custom resources use it too.
	c.typeOf("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", true)
	var kinds []kind
	for _, k := range resources(documents) {
		k.kind.Type = c.typeOf(k.typeName, true).(int)
		kinds = append(kinds, k.kind)
	}
	return catalog{Version: strings.TrimPrefix(version, "v"), Kinds: kinds, Types: c.types}
}

// typeOf gives the node of a named type. In a status nothing is required and every string is taken:
// the API server drops what a manifest says there, or takes it as it is.
func (c *compactor) typeOf(name string, required bool) node {
	if scalar, ok := special[name]; ok {
		return scalar
	}
	if or, ok := schemaOr[name]; ok {
		props := name[:strings.LastIndex(name, "Or")]
		return either{Like: c.typeOf(props, required), Or: or}
	}
	s := c.schemas[name]
	if s == nil {
		panic("no type " + name)
	}
	key := fmt.Sprint(name, required)
	if at, ok := c.index[key]; ok {
		return at
	}
	at := len(c.types)
	c.index[key] = at
	c.types = append(c.types, nil)
	o := object{Fields: map[string]node{}}
	for _, field := range sortedKeys(s.Properties) {
		allowed := c.enums.of(name, field)
		if notEnforced(name, field) {
			allowed = nil
		}
		o.Fields[field] = c.nodeOf(s.Properties[field], allowed, required && field != "status")
	}
	if required {
		for _, field := range s.Required {
			if !acceptedMissing(name, field) {
				o.Required = append(o.Required, field)
			}
		}
		sort.Strings(o.Required)
	}
	c.types[at] = o
	return at
}

func (c *compactor) nodeOf(s *schema, allowed []string, required bool) node {
	if name := s.ref(); name != "" {
		return c.typeOf(name, required)
	}
	switch s.Type {
	case "array":
		keys := s.ListMapKeys
		if len(keys) == 0 && s.PatchMergeKey != "" {
			keys = []string{s.PatchMergeKey}
		}
		return list{Items: c.nodeOf(s.Items, allowed, required), Keys: keys}
	case "object":
		if s.AdditionalProperties == nil {
			panic("an unnamed object without values")
		}
		return values{Values: c.nodeOf(s.AdditionalProperties, allowed, required)}
	case "string":
		if s.Format == "byte" {
			return "bytes"
		}
		if len(allowed) > 0 && required {
			return enum{Enum: allowed}
		}
		return "string"
	case "integer":
		return s.Format
	case "number", "boolean":
		return s.Type
	}
	panic("no node for type " + s.Type)
}

type resource struct {
	kind     kind
	typeName string
}

// resources finds the kinds that can be created, with their names in paths. A path
// /apis/GROUP/VERSION[/namespaces/{namespace}]/PLURAL is theirs.
func resources(documents []document) []resource {
	found := map[string]*resource{}
	for _, d := range documents {
		for path, operations := range d.Paths {
			var post struct {
				GVK         struct{ Group, Version, Kind string } `json:"x-kubernetes-group-version-kind"`
				RequestBody struct {
					Content map[string]struct{ Schema schema }
				}
			}
			raw, ok := operations["post"]
			segments := strings.Split(strings.Trim(path, "/"), "/")
			if segments[0] == "api" {
				segments = segments[1:]
			} else {
				segments = segments[min(2, len(segments)):]
			}
			if !ok || len(segments) < 2 {
				continue
			}
			namespaced := len(segments) == 4 && segments[1] == "namespaces" && segments[2] == "{namespace}"
			if len(segments) != 2 && !namespaced {
				continue
			}
			if err := json.Unmarshal(raw, &post); err != nil {
				panic(err)
			}
			body := post.RequestBody.Content["*/*"]
			_, status := d.Paths[path+"/{name}/status"]
			found[path] = &resource{
				kind: kind{
					Group: post.GVK.Group, Version: post.GVK.Version, Kind: post.GVK.Kind,
					Plural: segments[len(segments)-1], Namespaced: namespaced, Status: status,
				},
				typeName: body.Schema.ref(),
			}
		}
	}
	var sorted []resource
	for _, path := range sortedKeys(found) {
		if found[path].typeName == "" {
			panic("no body of " + path)
		}
		sorted = append(sorted, *found[path])
	}
	return sorted
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
