package repo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
)

// externalPrograms need an account, a service or files of their own, so their commands aren't run.
// commonPrograms are installed nearly everywhere; docs_run_test.go runs their commands.
var (
	externalPrograms = map[string]bool{"docker": true, "fly": true, "mysql": true, "mysqldump": true, "pscale": true}
	commonPrograms   = map[string]bool{"curl": true, "go": true, "grep": true, "sh": true, "sha256sum": true}
)

var (
	// block is fenced with its language, or indented after an empty line.
	block          = regexp.MustCompile("(?m)^ *```([a-z]*)\n((?:.*\n)*?) *```$|\n\n((?:(?: {4,}.*)\n)+)")
	settingsPrefix = regexp.MustCompile(`^(?: *[A-Z_]+=(?:'[^']*'|\S*))+`)
	inlineCommand  = regexp.MustCompile("`(guestlist [^`]+)`")
	settingName    = regexp.MustCompile(`\b(?:GUESTLIST|STYTCH)_[A-Z_]*[A-Z]\b`)
	link           = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	heading        = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

// TestDocs_NameCommandsThatExist parses every command in a block, and every guestlist command in a
// sentence, of which the arguments may be placeholders.
func TestDocs_NameCommandsThatExist(t *testing.T) {
	t.Parallel()
	makefile := readText(t, "Makefile")
	eachPage(t, func(page, text string) {
		for _, b := range blocks(text) {
			for _, command := range commands(b.text) {
				if err := checkCommand(commandWords(command), makefile); err != nil {
					t.Errorf("%s:%d: %v; correct it, add the program to externalPrograms, or fence the block as ```text", page, b.line, err)
					break
				}
			}
		}
		for _, found := range inlineCommand.FindAllStringSubmatch(text, -1) {
			if err := parseGuestlist(strings.Fields(found[1])[1:], false); err != nil {
				t.Errorf("%s: `%s`: %v", page, found[1], err)
			}
		}
	})
}

// commandBlock is a block of commands in a page.
type commandBlock struct {
	text string
	line int // of its first command in the page
}

// blocks returns the command blocks of a page: indented ones, and those fenced as sh.
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

// commands splits a block into its commands, without comments.
func commands(block string) []string {
	var all []string
	for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
		line, _, _ = strings.Cut(line, " #")
		all = append(all, strings.Split(strings.NewReplacer(" && ", "\n", " | ", "\n").Replace(line), "\n")...)
	}
	return all
}

// commandWords returns the words of a command, without the settings before it.
func commandWords(command string) []string {
	return strings.Fields(settingsPrefix.ReplaceAllString(command, ""))
}

// checkCommand returns an error unless the words are a valid command of Guestlist or make, or name a known program.
func checkCommand(words []string, makefile string) error {
	switch {
	case len(words) == 0:
		return nil
	case strings.TrimPrefix(words[0], "./") == "guestlist":
		return parseGuestlist(words[1:], true)
	case words[0] == "make":
		for _, word := range words[1:] {
			if !settingsPrefix.MatchString(word) && !strings.Contains(makefile, "\n"+word+": ## ") {
				return fmt.Errorf("make has no target %q", word)
			}
		}
		return nil
	case externalPrograms[words[0]] || commonPrograms[words[0]]:
		return nil
	}
	return fmt.Errorf("unknown program %q", words[0])
}

// parseGuestlist parses the words as the command line does. In sentences, where whole is false,
// arguments such as ADDRESS are placeholders and aren't checked.
func parseGuestlist(words []string, whole bool) error {
	for i, word := range words { // the shell handles redirections
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

func TestDocs_NameSettingsThatExist(t *testing.T) {
	t.Parallel()
	settings := map[string]bool{}
	for _, s := range config.Settings {
		settings[s.Name] = true
	}
	eachPage(t, func(page, text string) {
		for _, name := range settingName.FindAllString(text, -1) {
			if !settings[name] && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				t.Errorf("%s names the setting %s, which does not exist", page, name)
			}
		}
	})
}

func TestDocs_LinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	eachPage(t, func(page, text string) {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			to := page
			if strings.Contains(found[1], ":") { // another site
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

// headings returns the anchors of a page's headings.
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

// decisionPage matches a decision: number and title, date, status, and three sections.
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

// dialect matches words that the docs don't use.
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

// testCommand is a go test command in a sentence: its package, and the test or fuzz target it runs.
var testCommand = regexp.MustCompile("`[^`]*go test \\./(\\S+?)(?: [^`]*?((?:Test|Fuzz)[A-Z]\\w*)[^`]*)?`")

func TestContributing_NamesTestsThatExist(t *testing.T) {
	t.Parallel()
	commands := testCommand.FindAllStringSubmatch(readText(t, "CONTRIBUTING.md"), -1)
	if len(commands) < 5 {
		t.Fatalf("CONTRIBUTING.md has %d go test commands", len(commands))
	}
	for _, command := range commands {
		files, err := filepath.Glob(filepath.Join(command[1], "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no tests in %s: %v", command[0], command[1], err)
		}
		found := slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(text), "\nfunc "+command[2])
		})
		if !found {
			t.Errorf("%s: %s has no %s", command[0], command[1], command[2])
		}
	}
}

// walkStep matches a step of a walk in docs/architecture.md: a file below internal and a function in it.
var walkStep = regexp.MustCompile("(?m)^\\| \\d+ \\| `([\\w/]+\\.go)` \\| `(\\w+)` \\|")

func TestArchitecture_WalksNameFunctionsThatExist(t *testing.T) {
	t.Parallel()
	steps := walkStep.FindAllStringSubmatch(readText(t, "docs/architecture.md"), -1)
	if len(steps) < 20 {
		t.Fatalf("docs/architecture.md has %d steps", len(steps))
	}
	for _, step := range steps {
		text := readText(t, filepath.Join("internal", step[1]))
		if !regexp.MustCompile(`\nfunc (?:\([^)]+\) )?` + step[2] + `[(\[]`).MatchString(text) {
			t.Errorf("docs/architecture.md: internal/%s has no function %s", step[1], step[2])
		}
	}
}

func TestArchitecture_NamesPackagesInsideOthers(t *testing.T) {
	t.Parallel()
	text := readText(t, "docs/architecture.md")
	files, err := filepath.Glob("internal/*/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		parent, name := filepath.Base(filepath.Dir(dir)), filepath.Base(dir)
		if strings.HasSuffix(name, "test") { // helpers of tests
			continue
		}
		drawn := regexp.MustCompile(`\([^()]*\b` + name + `\b[^()]*\)`)
		if !drawn.MatchString(text) && !strings.Contains(text, "`"+parent+"/"+name+"`") {
			t.Errorf("docs/architecture.md doesn't name %s", dir)
		}
	}
}

// repoPath matches a path of the repository in a sentence. NNNN is a placeholder.
var repoPath = regexp.MustCompile("`((?:\\.ci|deploy|docs|internal|queries|schema|static|test|tools)/[\\w./-]*)`")

func TestDocs_NamePathsThatExist(t *testing.T) {
	t.Parallel()
	eachPage(t, func(page, text string) {
		for _, found := range repoPath.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "NNNN") {
				continue
			}
			if _, err := os.Stat(found[1]); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	})
}

// goName matches an exported identifier of a package in a sentence.
var goName = regexp.MustCompile("`([a-z]+)\\.([A-Z]\\w+)`")

func TestDocs_NameIdentifiersThatExist(t *testing.T) {
	t.Parallel()
	eachPage(t, func(page, text string) {
		for _, found := range goName.FindAllStringSubmatch(text, -1) {
			files, err := filepath.Glob(filepath.Join("internal", found[1], "*.go"))
			if err != nil || len(files) == 0 { // a package of a library
				continue
			}
			declared := regexp.MustCompile(`(?m)^(?:func|type|var|const|\t) ?` + found[2] + `\b`)
			if !slices.ContainsFunc(files, func(file string) bool { return declared.MatchString(readText(t, file)) }) {
				t.Errorf("%s: package %s has no %s", page, found[1], found[2])
			}
		}
	})
}
