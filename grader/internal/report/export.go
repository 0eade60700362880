package report

// EscapeMarkdown makes a stranger's text harmless in Markdown: no markup, no
// link, no mention of anybody, no broken table.
func EscapeMarkdown(s string) string { return escape(s) }
