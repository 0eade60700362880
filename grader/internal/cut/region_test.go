package cut_test

import (
	"go/format"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCut_RegionsComeAndGo(t *testing.T) {
	one(t, "a.go", `package a

func open() error {
	//course:until m05a
	// store := newMemory()
	// if store == nil {
	// 	return errNone
	// }
	//course:end
	//course:since m05a
	store, err := newSQLite()
	if err != nil {
		return err
	}
	//course:end
	return store.ping()
}

//course:since m05a

// newSQLite opens it.
func newSQLite() (store, error) { return store{}, nil }

//course:end

//course:until m05a
// // newMemory makes one.
// func newMemory() *store { return nil }
//course:end

type store struct{}
`, map[string]string{
		"m04b": `package a

func open() error {
	store := newMemory()
	if store == nil {
		return errNone
	}
	return store.ping()
}

// newMemory makes one.
func newMemory() *store { return nil }

type store struct{}
`,
		"m05a": `package a

func open() error {
	store, err := newSQLite()
	if err != nil {
		return err
	}
	return store.ping()
}

// newSQLite opens it.
func newSQLite() (store, error) { return store{}, nil }

type store struct{}
`,
	})
}

func TestCut_LeavesAFileWithoutMarkersAsItIs(t *testing.T) {
	const content = "// Package a is here.\npackage a\n\nimport \"fmt\"\n\nconst s = `\n//course:since m05a\n`\n\nvar _ = fmt.Sprint(s)\n"
	one(t, "a.go", content, map[string]string{"m01a": content, "m12b": content})
	one(t, "a.md", "# course:since m05a\n", map[string]string{"m01a": "# course:since m05a\n"})
}

func TestCut_HeadOfAFileLeavesNoTrace(t *testing.T) {
	for _, head := range []string{
		"//course:since m05a\n\n// Package a is here.\npackage a\n",
		"// Package a is here.\n//\n//course:since m05a\npackage a\n", // where gofmt puts it
	} {
		one(t, "a.go", head, map[string]string{"m04b": absent, "m05a": "// Package a is here.\npackage a\n"})
	}
	one(t, "a.go", "//go:build linux\n\n//course:since m05a\n\npackage a\n", map[string]string{"m05a": "//go:build linux\n\npackage a\n"})
}

func TestCut_ImportsGoWithTheirUsers(t *testing.T) {
	const region = `
//course:since m05a

func later() {
	os.Exit(len(yaml.Kinds) + v7.New() + alias.X + errgroup.N)
}

//course:end

func always() { fmt.Println() }
`
	one(t, "a.go", `package a

import (
	"fmt"
	"os" // for Exit
	_ "time/tzdata"

	"golang.org/x/sync/errgroup"
	alias "example.org/other"
	// The codec of the queue.
	"github.com/goccy/go-yaml"
	"github.com/gofrs/uuid/v7"
)
`+region, map[string]string{"m04b": `package a

import (
	"fmt"
	_ "time/tzdata"

	"github.com/gofrs/uuid/v7"
)

func always() { fmt.Println() }
`})
	one(t, "a.go", "package a\n\nimport \"os\"\n\nimport (\n\t\"io\"\n)\n\nvar x int\n\n//course:since m05a\nvar w io.Writer = os.Stdout\n\n//course:end\n",
		map[string]string{"m01a": "package a\n\nvar x int\n"})
}

func TestCut_OldImportsStandInARegion(t *testing.T) {
	one(t, "a.go", `package a

import (
	//course:until m05a
	// "example.org/memory"
	//course:end
	"example.org/sqlite"
)

//course:until m05a
// var store = memory.New()
//course:end
//course:since m05a

var store = sqlite.New()

//course:end
`, map[string]string{
		"m04b": "package a\n\nimport (\n\t\"example.org/memory\"\n)\n\nvar store = memory.New()\n",
		"m05a": "package a\n\nimport (\n\t\"example.org/sqlite\"\n)\n\nvar store = sqlite.New()\n",
	})
}

func TestCut_RegionsOfOtherLanguages(t *testing.T) {
	one(t, "a.yaml", "services:\n  # course:until m08a\n  # queue: none\n  # course:end\n  # course:since m08a\n  queue:\n    image: rabbitmq\n  # course:end\n  app: {}\n",
		map[string]string{
			"m07b": "services:\n  queue: none\n  app: {}\n",
			"m08a": "services:\n  queue:\n    image: rabbitmq\n  app: {}\n",
		})
	one(t, "a.sql", "CREATE TABLE tasks (\n  id TEXT\n  -- course:since m06a\n  , note TEXT\n  -- course:end\n);\n",
		map[string]string{
			"m05a": "CREATE TABLE tasks (\n  id TEXT\n);\n",
			"m06a": "CREATE TABLE tasks (\n  id TEXT\n  , note TEXT\n);\n",
		})
}

func TestCut_IsFormatted(t *testing.T) {
	const content = `package a

var m = map[string]int{
	"a": 1,
	//course:since m05a
	"a long key": 2,
	//course:end
}

func f(x int) {
	switch x {
	case 1:
	//course:since m05a
	case 2:
		f(1)
		//course:end
	}
}
`
	formatted, err := format.Source([]byte(content))
	require.NoError(t, err)
	require.Equal(t, content, string(formatted), "gofmt moves a marker")
	one(t, "a.go", content, map[string]string{
		"m04a": "package a\n\nvar m = map[string]int{\n\t\"a\": 1,\n}\n\nfunc f(x int) {\n\tswitch x {\n\tcase 1:\n\t}\n}\n",
		"m05a": "package a\n\nvar m = map[string]int{\n\t\"a\":          1,\n\t\"a long key\": 2,\n}\n\nfunc f(x int) {\n\tswitch x {\n\tcase 1:\n\tcase 2:\n\t\tf(1)\n\t}\n}\n",
	})
}
