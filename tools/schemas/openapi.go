package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// A document is one OpenAPI v3 file: the paths and types of one API group and version.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]*schema }
}

type schema struct {
	Ref                  string             `json:"$ref"`
	AllOf                []*schema          `json:"allOf"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	Items                *schema            `json:"items"`
	AdditionalProperties *schema            `json:"additionalProperties"`
	ListType             string             `json:"x-kubernetes-list-type"`
	ListMapKeys          []string           `json:"x-kubernetes-list-map-keys"`
	PatchMergeKey        string             `json:"x-kubernetes-patch-merge-key"`
}

// ref is the name of the type that a schema refers to, if it does.
func (s *schema) ref() string {
	reference := s.Ref
	if reference == "" && len(s.AllOf) == 1 {
		reference = s.AllOf[0].Ref
	}
	return strings.TrimPrefix(reference, "#/components/schemas/")
}

func readDocuments(directory string) ([]document, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var documents []document
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var d document
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
	return documents, nil
}

// enums holds the allowed values of fields by type and field. The published documents leave them
// out; the source they are generated from has them.
type enums map[string]map[string][]string

// readEnums finds, in each function schema_X of the generated source, the fields with an Enum.
func readEnums(file string) (enums, error) {
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := enums{}
	for _, declaration := range source.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(function.Name.Name, "schema_") {
			continue
		}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			pair, ok := node.(*ast.KeyValueExpr)
			if !ok || !isName(pair.Key, "Properties") {
				return true
			}
			if fields, ok := pair.Value.(*ast.CompositeLit); ok {
				found[strings.TrimPrefix(function.Name.Name, "schema_")] = enumsOf(fields)
			}
			return false
		})
	}
	return found, nil
}

func enumsOf(fields *ast.CompositeLit) map[string][]string {
	found := map[string][]string{}
	for _, element := range fields.Elts {
		field := element.(*ast.KeyValueExpr)
		name, err := strconv.Unquote(field.Key.(*ast.BasicLit).Value)
		if err != nil {
			continue
		}
		// A field's own values and those of its list's elements are told apart by the field's type.
		ast.Inspect(field.Value, func(node ast.Node) bool {
			if pair, ok := node.(*ast.KeyValueExpr); ok && isName(pair.Key, "Enum") {
				for _, value := range pair.Value.(*ast.CompositeLit).Elts {
					if text, err := strconv.Unquote(value.(*ast.BasicLit).Value); err == nil {
						found[name] = append(found[name], text)
					}
				}
			}
			return true
		})
	}
	return found
}

func isName(node ast.Expr, name string) bool {
	identifier, ok := node.(*ast.Ident)
	return ok && identifier.Name == name
}

// of gives the allowed values of a field; the type is named as in the documents.
func (e enums) of(typeName, field string) []string {
	mangled := strings.ReplaceAll(strings.Replace(typeName, "io.k8s.", "k8sio.", 1), ".", "_")
	return e[strings.ReplaceAll(mangled, "-", "_")][field]
}
