package report_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

// schemaNode is the part of a JSON Schema that says which fields there are.
type schemaNode struct {
	Required   []string
	Properties map[string]schemaNode
	Items      *schemaNode
	Defs       map[string]schemaNode `json:"$defs"`
}

// The schema is written by hand and the documents come from Go types. A field
// that is in one of them only would be a promise that nobody keeps.
func TestSchema_HasTheFieldsOfTheTypes(t *testing.T) {
	var root schemaNode
	require.NoError(t, json.Unmarshal(report.JSONSchema(), &root))
	for _, tc := range []struct {
		node  schemaNode
		typ   reflect.Type
		extra []string
	}{
		{root, reflect.TypeFor[report.Summary](), []string{"schema"}},
		{*root.Properties["changes"].Items, reflect.TypeFor[report.Change](), nil},
		{*root.Properties["earlier"].Items, reflect.TypeFor[report.Earlier](), nil},
		{root.Defs["verdict"], reflect.TypeFor[grade.Verdict](), nil},
		{root.Defs["result"], reflect.TypeFor[checks.Result](), nil},
		{root.Defs["finding"], reflect.TypeFor[checks.Finding](), nil},
	} {
		all, always := fields(tc.typ)
		require.ElementsMatch(t, append(all, tc.extra...), keys(tc.node.Properties), "fields of %s", tc.typ)
		require.ElementsMatch(t, append(always, tc.extra...), tc.node.Required, "fields that %s always has", tc.typ)
	}
}

// fields returns the JSON names of the fields of a struct: all of them, and
// those that are never left out.
func fields(typ reflect.Type) (all, always []string) {
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || f.Anonymous {
			continue
		}
		all = append(all, name)
		if options == "" {
			always = append(always, name)
		}
	}
	return all, always
}

func keys(m map[string]schemaNode) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
