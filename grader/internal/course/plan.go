package course

import (
	"fmt"
	"os"
	"path/filepath"
)

// MilestoneOf returns the id of the milestone of a week: m01a in week 1, m01b in
// week 2, m12b in week 24.
func MilestoneOf(week int) string {
	return fmt.Sprintf("m%02d%c", (week+1)/2, 'a'+(week+1)%2)
}

// IsPlanned reports whether id is that of a milestone, written already or
// not. Ids are in the order of the weeks when they are compared as strings.
func IsPlanned(id string) bool {
	for week := 1; week <= Weeks; week++ {
		if id == MilestoneOf(week) {
			return true
		}
	}
	return false
}

// HasMilestone reports whether the milestone id is written.
func (c *Course) HasMilestone(id string) bool {
	_, err := os.Stat(filepath.Join(c.Root, filepath.FromSlash(milestoneDir), id+".yaml"))
	return IsPlanned(id) && err == nil
}
