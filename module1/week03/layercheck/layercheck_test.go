package layercheck_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/middle-go/course/grader/labkit/rule"
	"github.com/middle-go/course/module1/week03/layercheck"
)

func TestAnalyzer_DomainImportsHTTP(t *testing.T) {
	requireFindings(t, "domain_imports_http.txtar",
		"Deny keeps a technology out of one layer, whatever stands below its path and whichever layer it is in.")
}

func TestAnalyzer_InfraMayImportApp(t *testing.T) {
	requireFindings(t, "infra_may_import_app.txtar",
		"A layer may import what its rules name. If permission were inherited, one line would open layers that nobody thought of.")
}

func TestAnalyzer_AppImportsInfra(t *testing.T) {
	requireFindings(t, "app_imports_infra.txtar",
		"A use case that imports the database cannot be tested without it. This edge is what the linter is for.")
}

func TestAnalyzer_PrefixIsPathSegment(t *testing.T) {
	requireFindings(t, "prefix_is_path_segment.txtar",
		"A linter that confuses app with apple is switched off in its first week.")
}

func TestAnalyzer_LongestPathWins(t *testing.T) {
	requireFindings(t, "longest_path_wins.txtar",
		"The order of the rules must not matter: the most specific path says where a package belongs.")
}

func TestAnalyzer_AliasDotBlankImports(t *testing.T) {
	requireFindings(t, "alias_dot_blank_imports.txtar",
		"A driver is linked in by a blank import: that is a dependency like any other.")
}

func TestAnalyzer_LeakedTypeInSignature(t *testing.T) {
	requireFindings(t, "leaked_type.txtar",
		"Whoever uses the exported name depends on the type in it, and so on the layer that was to be hidden.")
}

func TestAnalyzer_LeakThroughAlias(t *testing.T) {
	requireFindings(t, "leak_through_alias.txtar",
		"An alias is a second name of the same type. Here no import line gives the leak away.")
}

func TestAnalyzer_LeakInGenerics(t *testing.T) {
	requireFindings(t, "leak_in_generics.txtar",
		"Type arguments and constraints are part of a signature: the caller has to import them.")
}

func TestAnalyzer_TestFilesExempt(t *testing.T) {
	requireFindings(t, "test_files_exempt.txtar",
		"Tests may use what they need. The analyzer gets them together with the package and has to tell them apart.")
}

func TestAnalyzer_GeneratedReported(t *testing.T) {
	requireFindings(t, "generated_reported.txtar",
		"A generator that imports the wrong layer does so in every build. Style checks may skip its code, this one may not.")
}

// TestAnalyzer_RecursiveTypes runs the analyzer in processes of their own, since
// a stack overflow ends the process.
func TestAnalyzer_RecursiveTypes(t *testing.T) {
	f := load(t, "recursive_types.txtar")
	const why = "Real types refer to themselves. A walk that follows every name overflows the stack and takes go vet down."
	for _, out := range vet(t, f, plainRules) {
		if strings.Contains(out.stderr, "stack overflow") {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("NewAnalyzer(rules).Run(pass) // package %s of %s", out.pkg, f.archive),
				Got:  rule.Text("fatal error: stack overflow"),
				Want: rule.Text("it returns"),
				Why:  why,
			})
		}
		requireOutcome(t, f, out, out.plainFindings(), why)
	}
}

func TestAnalyzer_PassesAreIndependent(t *testing.T) {
	f := load(t, "leak_through_alias.txtar")
	a := f.analyzer(t)
	const why = "A driver runs one analyzer over many packages at the same time, gopls again and again over the same one."
	first := f.runAll(t, a)
	f.compare(t, first, why)

	app := f.packages["example.com/tt/app"]
	found := make([][]finding, 8)
	errs := make([]error, len(found))
	var wg sync.WaitGroup
	for i := range found {
		wg.Go(func() { found[i], errs[i] = f.run(a, app) })
	}
	wg.Wait()
	for i := range found {
		if errs[i] != nil || !slices.Equal(found[i], first) {
			rule.Broken(t, rule.Case{
				Do:   "a := NewAnalyzer(rules)\na.Run(pass)      // a first pass over a package\ngo a.Run(again)  // 8 further ones over the same package",
				Got:  rule.Textf("a further pass reports %d findings, error %v", len(found[i]), errs[i]),
				Want: rule.Textf("each reports %d findings, error <nil>", len(first)),
				Why:  why,
			})
		}
	}
}

// requireFindings runs the analyzer over every package of a fixture.
func requireFindings(t *testing.T, name, why string) {
	t.Helper()
	f := load(t, name)
	f.compare(t, f.runAll(t, f.analyzer(t)), why)
}

func TestParseRules_Format(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       layercheck.Rules
	}{
		{
			name: "one layer",
			text: "layer domain example.com/tt/domain\n",
			want: layercheck.Rules{Layers: []layercheck.Layer{{Name: "domain", Path: "example.com/tt/domain"}}},
		},
		{
			name: "no final newline",
			text: "layer main tt",
			want: layercheck.Rules{Layers: []layercheck.Layer{{Name: "main", Path: "tt"}}},
		},
		{
			name: "everything",
			text: "# the layers of tasktracker\n" +
				"layer app example.com/tt/app # use cases\n" +
				"  import domain\r\n" +
				"\n" +
				"\tdeny net/http   database/sql# both\n" +
				"\t \n" +
				"  import infra app\n" +
				"#deny fmt\n" +
				"layer\tdomain\texample.com/tt/domain\n" +
				"deny\tlog\n" +
				"layer infra gopkg.in/tt.v2/infra\n" +
				"deny C\n",
			want: layercheck.Rules{Layers: []layercheck.Layer{
				{
					Name: "app", Path: "example.com/tt/app",
					MayImport: []string{"domain", "infra", "app"}, Deny: []string{"net/http", "database/sql"},
				},
				{Name: "domain", Path: "example.com/tt/domain", Deny: []string{"log"}},
				{Name: "infra", Path: "gopkg.in/tt.v2/infra", Deny: []string{"C"}},
			}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := layercheck.ParseRules(iotest.OneByteReader(strings.NewReader(tc.text)))
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				rule.Broken(t, rule.Case{
					Do:   fmt.Sprintf("ParseRules(strings.NewReader(%q))", tc.text),
					Got:  rule.Textf("%+v, %v", got, err),
					Want: rule.Textf("%+v, <nil>", tc.want),
					Why:  "Rules that are read differently from how they are written guard the wrong thing.",
				})
			}
		})
	}
}

func TestParseRules_RejectsUnknownLayer(t *testing.T) {
	const why = "With a misspelt layer the rule says nothing, and nobody notices: the check is green."
	for _, tc := range []struct {
		name, text, line, word string
	}{
		{"misspelt", "layer domain tt/domain\n\nlayer app tt/app\n  import domain # fine\n  import infra domian\nlayer infra tt/infra\n", "line 5: ", `"domian"`},
		{"another case", "layer domain tt/domain\nlayer app tt/app\nimport Domain\n", "line 3: ", `"Domain"`},
		{"a path", "layer domain tt/domain\nlayer app tt/app\nimport tt/domain\n", "line 3: ", `"tt/domain"`},
	} {
		t.Run(tc.name, func(t *testing.T) { requireMistake(t, tc.text, tc.line, tc.word, why) })
	}
	t.Run("declared later", func(t *testing.T) {
		const text = "layer app tt/app\n  import domain\nlayer domain tt/domain\n"
		if _, err := layercheck.ParseRules(strings.NewReader(text)); err != nil {
			rule.Broken(t, rule.Case{
				Do:   fmt.Sprintf("_, err := ParseRules(strings.NewReader(%q))", text),
				Got:  err,
				Want: nil,
				Why:  "Layers may stand in any order, so a name is unknown only after the last line.",
			})
		}
	})
}

func TestParseRules_RejectsMistakes(t *testing.T) {
	const why = "A rule that never matches is a check that never fails."
	for _, tc := range []struct {
		name, text, line, word string
	}{
		{"unknown directive", "layer app tt/app\nallow net/http\n", "line 2: ", `"allow"`},
		{"directive in capitals", "Layer app tt/app\n", "line 1: ", `"Layer"`},
		{"import before a layer", "\n# first\nimport app\nlayer app tt/app\n", "line 3: ", ""},
		{"deny before a layer", "deny fmt\nlayer app tt/app\n", "line 1: ", ""},
		{"layer without a path", "layer app\n", "line 1: ", ""},
		{"layer with two paths", "layer app tt/app tt/usecase\n", "line 1: ", ""},
		{"empty import", "layer app tt/app\n\n\nimport # nothing\n", "line 4: ", ""},
		{"empty deny", "layer app tt/app\ndeny\n", "line 2: ", ""},
		{"a name twice", "layer app tt/app\nlayer app tt/usecase\n", "line 2: ", `"app"`},
		{"a path twice", "layer app tt/app\nlayer usecase tt/app\n", "line 2: ", `"tt/app"`},
		{"pattern in layer", "layer app tt/app/...\n", "line 1: ", `"tt/app/..."`},
		{"slash at the end", "layer app tt/app/\n", "line 1: ", `"tt/app/"`},
		{"relative path", "layer app ./app\n", "line 1: ", `"./app"`},
		{"path of the parent", "layer app ../app\n", "line 1: ", `"../app"`},
		{"the directory itself", "layer app tt/app\ndeny .\n", "line 2: ", `"."`},
		{"absolute path", "layer app /tt/app\n", "line 1: ", `"/tt/app"`},
		{"pattern in deny", "layer app tt/app\ndeny fmt net/...\n", "line 2: ", `"net/..."`},
		{"two slashes", "layer app tt/app\ndeny net//http\n", "line 2: ", `"net//http"`},
	} {
		t.Run(tc.name, func(t *testing.T) { requireMistake(t, tc.text, tc.line, tc.word, why) })
	}
	for _, text := range []string{"", "# no rules yet\n\n"} {
		t.Run(fmt.Sprintf("no layer in %q", text), func(t *testing.T) { requireMistake(t, text, "", "layer", why) })
	}
	t.Run("reader fails", func(t *testing.T) {
		broken := errors.New("disk on fire")
		r := io.MultiReader(strings.NewReader("layer app tt/app\n"), iotest.ErrReader(broken))
		if _, err := layercheck.ParseRules(r); !errors.Is(err, broken) {
			rule.Broken(t, rule.Case{
				Do:   "_, err := ParseRules(r) // r fails after one line, with errDisk",
				Got:  err,
				Want: rule.Text("an error that wraps errDisk"),
				Why:  "Half of the rules are other rules.",
			})
		}
	})
}

// requireMistake requires an error that says where the mistake is and which word
// is wrong.
func requireMistake(t *testing.T, text, line, word, why string) {
	t.Helper()
	_, err := layercheck.ParseRules(strings.NewReader(text))
	if err != nil && !errors.Is(err, errors.ErrUnsupported) && strings.HasPrefix(err.Error(), line) && strings.Contains(err.Error(), word) {
		return
	}
	want := rule.Textf("an error that begins with %q", line)
	switch {
	case line == "":
		want = rule.Textf("an error that speaks of %q", word)
	case word != "":
		want += rule.Textf(" and contains %s", word)
	}
	rule.Broken(t, rule.Case{
		Do:   fmt.Sprintf("_, err := ParseRules(strings.NewReader(%q))", text),
		Got:  err,
		Want: want,
		Why:  why,
	})
}
