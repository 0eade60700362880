package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/middle-go/course/grader/internal/export"
	"github.com/middle-go/course/grader/internal/printable"
)

func newExport(s *settings) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "write the students' repository: the course without its solutions",
		Long: `export writes the course without solutions and wrong solutions, and without what
only its authors need, into a new directory. It has no history: make a repository
of it, publish that as a template, and students begin with their own copy.

With --check it looks for solutions in DIR instead, copies with other names and
another order among them: in all files, and in all objects of its git repository,
whether anything refers to them or not. The exit code is 1 if it finds any.

The reference at the milestones is not in there either. A mentor gives it to a student
who has missed a week: grader cut m04a --out DIR/grader/cuts/m04a, then the student
runs make catch-up.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.openCourse()
			if err != nil {
				return usage(err)
			}
			secrets, err := export.LoadSecrets(c)
			if err != nil {
				return usage(err)
			}
			dir, w := args[0], output()
			if !check {
				written, err := export.Write(cmd.Context(), c, dir)
				if err != nil {
					return usage(err)
				}
				fmt.Fprintf(w, "%d files in %s; %d files of the course left out.\n\n", written.Files, printable.Text(dir), written.LeftOut)
			}
			proof, err := export.Check(cmd.Context(), secrets, dir)
			if err != nil {
				return usage(err)
			}
			showProof(w, secrets, proof)
			if !proof.Clean() {
				return &exitError{code: exitFail}
			}
			if !check {
				fmt.Fprintf(w, "\nPublish it:\n  cd %s\n  git init -b main && git add -A && git commit -m 'Middle Go'\n  then mark the repository as a template on GitHub\n", printable.Text(dir))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; prove that DIR has nothing of the solutions, in its history neither")
	return cmd
}

// mostLeaks is how many finds are shown.
const mostLeaks = 30

func showProof(w io.Writer, s *export.Secrets, p *export.Proof) {
	fmt.Fprintf(w, "looked for: %d files of the references, %d wrong solutions; %d of these %d are found when they are shown\n",
		s.References, s.Wrong, s.Found, s.References+s.Wrong)
	fmt.Fprintf(w, "looked at: %d files", p.Files)
	if p.Objects == nil {
		fmt.Fprint(w, "; there is no git repository, so no history")
	} else {
		fmt.Fprintf(w, "; all objects of git, reachable or not: %d commits, %d trees, %d blobs, %d tags",
			p.Objects["commit"], p.Objects["tree"], p.Objects["blob"], p.Objects["tag"])
	}
	fmt.Fprintf(w, "\nfound: %d; could not be looked into: %d\n", len(p.Leaks), len(p.Unlooked))
	for i, l := range p.Leaks {
		if i == mostLeaks {
			fmt.Fprintf(w, "  and %d more\n", len(p.Leaks)-i)
			break
		}
		fmt.Fprintf(w, "  %s", printable.Text(l.Where))
		if l.Match.Line > 0 {
			fmt.Fprintf(w, ":%d", l.Match.Line)
		}
		fmt.Fprintf(w, " has %s", printable.Text(l.Match.Secret))
		if l.Match.Tokens > 0 {
			fmt.Fprintf(w, " (%d tokens in a row, %.0f %% of it)", l.Match.Tokens, 100*l.Match.Share)
		}
		fmt.Fprintln(w)
	}
	for i, name := range p.Unlooked {
		if i == mostLeaks {
			fmt.Fprintf(w, "  and %d more\n", len(p.Unlooked)-i)
			break
		}
		fmt.Fprintf(w, "  %s is not text, or too large\n", printable.Text(name))
	}
}
