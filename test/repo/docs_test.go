package repo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
)

// others are programs that are not here, or need somebody's account, a service or
// files of their own; common ones are nearly everywhere, and what they do is run by docs_run_test.go.
var (
	others = map[string]bool{"docker": true, "fly": true, "mysql": true, "mysqldump": true, "pscale": true}
	common = map[string]bool{"curl": true, "go": true, "grep": true, "sh": true, "sha256sum": true}
)

var (
	// block is fenced, with its kind, or indented behind an empty line. What is no
	// command is fenced with another kind than sh.
	block     = regexp.MustCompile("(?m)^ *```([a-z]*)\n((?:.*\n)*?) *```$|\n\n((?:(?: {4,}.*)\n)+)")
	assigned  = regexp.MustCompile(`^(?: *[A-Z_]+=(?:'[^']*'|\S*))+`)
	inline    = regexp.MustCompile("`(guestlist [^`]+)`")
	setting   = regexp.MustCompile(`\b(?:GUESTLIST|STYTCH)_[A-Z_]*[A-Z]\b`)
	reference = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	heading   = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

// TestCommandsInTheDocsAreThoseThereAre parses every command in a block, and every
// guestlist in a sentence: its command, its flags, and in a block its words.
func TestCommandsInTheDocsAreThoseThereAre(t *testing.T) {
	t.Parallel()
	makefile := readText(t, "Makefile")
	eachPage(t, func(page, text string) {
		for _, b := range blocks(text) {
			for _, command := range commands(b.text) {
				if err := known(said(command), makefile); err != nil {
					t.Errorf("%s:%d: %v; mend it, name the program in others, or fence what is no command as ```text", page, b.line, err)
					break
				}
			}
		}
		for _, found := range inline.FindAllStringSubmatch(text, -1) {
			if err := parses(strings.Fields(found[1])[1:], false); err != nil {
				t.Errorf("%s: `%s`: %v", page, found[1], err)
			}
		}
	})
}

// commandBlock is a block of commands, and the number of its first line in the page.
type commandBlock struct {
	text string
	line int
}

func blocks(page string) []commandBlock {
	var all []commandBlock
	for _, at := range block.FindAllStringSubmatchIndex(page, -1) {
		text := ""
		switch {
		case at[6] >= 0:
			text = page[at[6]:at[7]]
		case page[at[2]:at[3]] == "sh":
			text = page[at[4]:at[5]]
		default:
			continue
		}
		all = append(all, commandBlock{text, strings.Count(page[:at[1]], "\n") - strings.Count(text, "\n") + 1})
	}
	return all
}

// commands are those of a block, without comments.
func commands(block string) []string {
	var all []string
	for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
		line, _, _ = strings.Cut(line, " #")
		all = append(all, strings.Split(strings.NewReplacer(" && ", "\n", " | ", "\n").Replace(line), "\n")...)
	}
	return all
}

// said are the words of a command, without the settings before it.
func said(command string) []string { return strings.Fields(assigned.ReplaceAllString(command, "")) }

// known refuses a command of which nothing can be said.
func known(words []string, makefile string) error {
	switch {
	case len(words) == 0:
		return nil
	case strings.TrimPrefix(words[0], "./") == "guestlist":
		return parses(words[1:], true)
	case words[0] == "make":
		for _, word := range words[1:] {
			if !assigned.MatchString(word) && !strings.Contains(makefile, "\n"+word+": ## ") {
				return fmt.Errorf("make has no %q", word)
			}
		}
		return nil
	case others[words[0]] || common[words[0]]:
		return nil
	}
	return fmt.Errorf("%q is no known program", words[0])
}

// parses goes as far as the program itself before it does something. Words for
// something, as ADDRESS, stand in sentences, and are not looked at there.
func parses(words []string, whole bool) error {
	for i, word := range words { // a redirection is the shell's
		if word == ">" || word == "<" {
			words = words[:i]
			break
		}
	}
	command, rest, err := cli.NewRootCommand(cli.Invocation{}).Find(words)
	if err != nil {
		return err
	}
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	if whole || command.HasAvailableSubCommands() && !strings.Contains(strings.Join(rest, ""), "SHELL") {
		return command.ValidateArgs(command.Flags().Args())
	}
	return nil
}

func TestSettingsInTheDocsAreThoseThereAre(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, s := range config.Settings {
		there[s.Name] = true
	}
	eachPage(t, func(page, text string) {
		for _, name := range setting.FindAllString(text, -1) {
			if !there[name] && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				t.Errorf("%s names %s, which is no setting", page, name)
			}
		}
	})
}

func TestLinksInTheDocsLeadSomewhere(t *testing.T) {
	t.Parallel()
	eachPage(t, func(page, text string) {
		for _, found := range reference.FindAllStringSubmatch(text, -1) {
			to := page
			if strings.Contains(found[1], ":") { // elsewhere
				continue
			}
			if found[1] != "" {
				to = filepath.Join(filepath.Dir(page), found[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: link to %s: %v", page, found[1], err)
				continue
			}
			if found[2] != "" && !headings(readText(t, to))[found[2]] {
				t.Errorf("%s: %s has no heading #%s", page, to, found[2])
			}
		}
	})
}

// headings are the names that a page's headings have in links.
func headings(text string) map[string]bool {
	names := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		names[regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(found[1]), " ", "-"), "")] = true
	}
	return names
}

// eachPage calls fn with the path and the text of every page of the documentation.
func eachPage(t *testing.T, fn func(page, text string)) {
	t.Helper()
	pages := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	err := filepath.WalkDir("docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		fn(page, readText(t, page))
	}
}

// decisionPage is the form of a decision: number and title, date, status, and three sections.
var decisionPage = regexp.MustCompile(`(?s)\A# (\d+)\. (\S[^\n]*[^.\n])\n\n- Date: (\d{4}-\d\d-\d\d)\n- Status: [^\n]+\n\n` +
	`## Context\n\n.+\n\n## Decision\n\n.+\n\n## Consequences\n\n.+\n\z`)

func TestDecisions_HaveOneFormAndAreIndexed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("docs/decisions/[0-9]*.md")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	index := readText(t, "docs/decisions/README.md")
	for _, file := range files {
		text, name := readText(t, file), filepath.Base(file)
		found := decisionPage.FindStringSubmatch(text)
		if found == nil || strings.Count(text, "\n## ") != 3 {
			t.Errorf("%s differs from the form of a decision, %s", file, decisionPage)
			continue
		}
		if number := fmt.Sprintf("%04s-", found[1]); !strings.HasPrefix(name, number) {
			t.Errorf("%s is number %s", file, found[1])
		}
		if lines := strings.Count(text, "\n"); lines > 50 {
			t.Errorf("%s has %d lines, want a page: at most 50", file, lines)
		}
		if row := fmt.Sprintf("| %s | [%s](%s) | %s |", found[1], found[2], name, found[3]); !strings.Contains(index, row) {
			t.Errorf("docs/decisions/README.md lacks %s", row)
		}
	}
}

// dialect is a word that the docs don't use; the usual ones are in the message.
var dialect = regexp.MustCompile(`(?i)\b(?:somebody|nobody|whoever|e-mails?|mend(?:s|ed|ing)?|anew|a hole|stand-ins?)\b`)

func TestDocs_UseTheUsualWords(t *testing.T) {
	t.Parallel()
	eachPage(t, func(page, text string) {
		for i, line := range strings.Split(text, "\n") {
			if word := dialect.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: write someone, no one, anyone who, email, fix, again, vulnerability or local Stytch", page, i+1, word)
			}
		}
	})
	if lines := strings.Count(readText(t, "README.md"), "\n"); lines > 150 {
		t.Errorf("README.md has %d lines, want 150 at most: move details to docs/", lines)
	}
}
