package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// The objects of SARIF 2.1.0 that a report has.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}

	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}

	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}

	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}

	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}

	sarifMessage struct {
		Text string `json:"text"`
	}

	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}

	sarifNotification struct {
		Level   string       `json:"level"`
		Message sarifMessage `json:"message"`
	}

	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}

	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}

	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}

	sarifArtifact struct {
		URI     string `json:"uri"`
		URIBase string `json:"uriBaseId"`
	}

	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sarifChecks are the checks whose findings are about lines of the student's
// files. Those of the tests are about what the program does.
var sarifChecks = map[string]string{
	"files":   "The files of a submission",
	"policy":  "The rules for submissions",
	"build":   "The compiler",
	"escapes": "What may not escape to the heap",
	"layers":  "Which package may import which",
	"limits":  "The limits of the exercise",
	"gofmt":   "Formatting",
	"lint":    "go vet and staticcheck",
}

// writeSARIF writes the findings about lines of the student's files, with paths
// from the root of the tree. What this leaves out is in the other formats.
func (s *Summary) writeSARIF(w io.Writer) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "Middle Go grader", Rules: []sarifRule{}}},
		ColumnKind: "utf16CodeUnits",
		Results:    []sarifResult{},
	}
	for _, v := range s.all() {
		run.add(v)
	}
	run.Invocations = []sarifInvocation{s.sarifInvocation()}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// sarifInvocation tells what the results alone do not: that there are fewer of
// them than there should be, or that they are for practice.
func (s *Summary) sarifInvocation() sarifInvocation {
	i := sarifInvocation{Successful: s.Status != checks.Blocked}
	warn := func(text string) {
		i.Notifications = append(i.Notifications, sarifNotification{"warning", sarifMessage{text}})
	}
	if p := s.practice(); p != "" {
		warn(p)
	}
	for _, v := range s.all() {
		if v.Status == checks.Blocked {
			warn(v.Exercise + " is blocked: the machine lacks something")
		}
		for _, c := range v.Checks {
			if c.Omitted > 0 && sarifChecks[c.Check] != "" {
				warn(fmt.Sprintf("%s, %s: %s", v.Exercise, c.Check, omitted(c.Omitted)))
			}
		}
	}
	return i
}

func (run *sarifRun) add(v *grade.Verdict) {
	seen := map[string]int{}
	for _, f := range v.Findings() {
		if sarifChecks[f.Check] == "" || !fs.ValidPath(f.File) || f.File == "." {
			continue
		}
		same := strings.Join([]string{v.Exercise, f.Check, f.Rule, f.File, f.Message}, "\x00")
		seen[same]++
		id, index := run.rule(f)
		result := sarifResult{
			RuleID: id, RuleIndex: index, Level: "error", Message: sarifText(f.Message),
			Locations:    []sarifLocation{{sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: f.File}).String(), "%SRCROOT%"}}}},
			Fingerprints: map[string]string{"middleGo/v1": fingerprint(same, seen[same])},
		}
		if f.Stretch {
			result.Level = "note"
		}
		if f.Line > 0 {
			result.Locations[0].Physical.Region = &sarifRegion{f.Line}
		}
		run.Results = append(run.Results, result)
	}
}

// rule returns the ID and the index of the rule that a finding breaks.
func (run *sarifRun) rule(f checks.Finding) (id string, index int) {
	id, description := f.Check, sarifChecks[f.Check]
	if f.Rule != "" {
		id += "/" + f.Rule
		description += ": " + f.Rule
	}
	rules := &run.Tool.Driver.Rules
	index = slices.IndexFunc(*rules, func(r sarifRule) bool { return r.ID == id })
	if index < 0 {
		index = len(*rules)
		*rules = append(*rules, sarifRule{id, sarifText(description)})
	}
	return id, index
}

// sarifText is plain text in which no viewer finds a link.
func sarifText(s string) sarifMessage {
	return sarifMessage{strings.ReplaceAll(s, "](", "] (")}
}

// fingerprint names a finding in a way that outlives edits elsewhere in the
// file: by what it says, and by which of several equal ones it is.
func fingerprint(same string, nth int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", same, nth))
	return hex.EncodeToString(sum[:16])
}
