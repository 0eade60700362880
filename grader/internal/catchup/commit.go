package catchup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// commit is one commit on a new branch, written as git fast-import reads it:
// with the bytes of the files as they are, which no filter and no rule for line
// endings has touched.
type commit struct {
	tracker   *tracker
	prefix    string // of the tracker, from the top of the work tree
	branch    string
	committer string
	parent    string // or empty
}

func (c *commit) write(to io.Writer, files []string, week int) error {
	w := bufio.NewWriter(to)
	message := fmt.Sprintf("Save the tracker before catching up for week %d\n", week)
	fmt.Fprintf(w, "feature date-format=%s\n", dateFormat(c.committer))
	fmt.Fprintf(w, "commit refs/heads/%s\ncommitter %s\ndata %d\n%s", c.branch, c.committer, len(message), message)
	if c.parent != "" {
		fmt.Fprintf(w, "from %s\n", c.parent)
	}
	if c.prefix == "" {
		fmt.Fprintln(w, "deleteall")
	} else {
		fmt.Fprintf(w, "D %s\n", quoted(strings.TrimSuffix(c.prefix, "/")))
	}
	for _, file := range files {
		if err := c.file(w, file); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, "done")
	return w.Flush()
}

func (c *commit) file(w io.Writer, file string) error {
	info, err := c.tracker.lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has gone meanwhile; run the command again", file)
	}
	if err != nil {
		return err
	}
	content, err := c.tracker.content(file, info)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "M %s inline %s\ndata %d\n", mode(info), quoted(c.prefix+file), len(content))
	if _, err := w.Write(content); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

func mode(info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "120000"
	case info.Mode()&0o111 != 0:
		return "100755"
	default:
		return "100644"
	}
}

func dateFormat(committer string) string {
	if strings.HasSuffix(committer, " now") {
		return "now"
	}
	return "raw"
}

// quoted returns a path as fast-import reads it.
func quoted(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}
