package userio

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// access is what the values of a column say about whether a user may sign in at the product
// that exported the file.
type access int

const (
	accessNone    access = iota // nothing
	accessWord                  // a status such as active or suspended
	accessIfAny                 // a status, or empty for nothing
	accessGranted               // true if the user may sign in, such as enabled
	accessSince                 // true, or the date since which the user may sign in
	accessDenied                // true, a date or a reason if the user may not sign in, such as disabled or deleted_at
	accessPlace                 // a place or anything else; words with one of deniedStems exclude
	accessOther                 // something else; deniedWords exclude
)

// admittedWords are the statuses of users that may sign in, in the form of [plainWord]. All
// others exclude the user, because no list of those could be complete.
//
// Accounts that wait for their user or for a new password count as active: users prove their
// address here, and there are no passwords. STAGED (Okta) and UNCONFIRMED (Cognito) aren't
// in the list, because these users haven't been approved yet.
var admittedWords = newSet(
	"active", "activated", "enabled", "allowed", "approved", "provisioned",
	"invited", "pending", "accepted", "pendingacceptance", "confirmed",
	"recovery", "passwordexpired", // Okta
	"forcechangepassword", "resetrequired", "externalprovider", // Cognito
	"subscribed",                               // Mailchimp
	"member", "admin", "owner", "primaryowner", // Slack, without its guests and bots
)

// deniedWords exclude a user in any column, also in those that aren't used otherwise, such
// as access or type.
var deniedWords = newSet(
	"suspended", "disabled", "blocked", "banned", "deactivated", "deprovisioned", "inactive", "archived", "deleted", "revoked",
	"terminated", "lockedout",
)

const maxDeniedWord = 40 // bytes, including those that plainWord removes

var (
	trueWords  = newSet("true", "t", "yes", "y", "on", "1")
	falseWords = newSet("false", "f", "no", "n", "off", "0", "null", `\n`, "never")
)

// admits reports whether a value lets the user be imported. No other function decides that.
func (a access) admits(value string) bool {
	word := plainWord(value)
	switch a {
	case accessNone:
		return true
	case accessWord:
		return admittedWords[word]
	case accessIfAny:
		return word == "" || admittedWords[word]
	case accessGranted:
		return trueWords[word] || admittedWords[word]
	case accessSince:
		return trueWords[word] || startsWithDate(word)
	case accessDenied:
		return word == "" || falseWords[word]
	case accessPlace:
		return !containsAny(letters(value), deniedStems)
	case accessOther:
		return len(value) > maxDeniedWord || !deniedWords[word]
	}
	return false
}

// plainWord returns a word in lower case without quotation marks, invisible characters,
// spaces, dashes and underscores. It keeps those of text that doesn't begin with a letter.
func plainWord(value string) string {
	word := strings.Trim(strings.ToLower(visible(value)), `"'`)
	if strings.IndexFunc(word, unicode.IsLetter) != 0 {
		return word // such as "!active"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '_' {
			return -1
		}
		return r
	}, word)
}

// visible returns text without invisible characters and surrounding spaces.
func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s))
}

func startsWithDate(s string) bool {
	return len(s) >= 8 && strings.HasPrefix(s, "20") && strings.Trim(s[:8], "0123456789-") == ""
}

// knownAccess lists columns whose names don't show their meaning, in the form of [letters].
var knownAccess = map[string]access{
	"newstatus": accessIfAny, "transitioningtostatus": accessIfAny, // Google Workspace, Okta: empty unless a change is due
	"invitationstate": accessIfAny, "externaluserstate": accessIfAny, // Entra: only guests have one
	"accountnonlocked": accessGranted, "accountnonexpired": accessGranted, // Spring Security
	"approvedat": accessSince, "activated": accessSince, "activatedat": accessSince, "activationdate": accessSince, // Okta and others
	"isbot":     accessDenied, // Slack
	"userstate": accessWord, "accountstate": accessWord, "lifecyclestate": accessWord,
}

// otherColumns lists columns of well-known products whose names contain a word about access
// but mean something else.
var otherColumns = newSet(
	"dirsyncenabled", "onpremisessyncenabled", "externaluserstatechangedatetime", // Microsoft 365 and Entra
	"mfaenabled", "mfaenabledat", "mfadisabledat", "cognitomfaenabled", "2faenabled", "twofactorenabled", "totpenabled", // second factors
	"backupcodeenabled", "passwordenabled", "deleteselfenabled", "createorganizationenabled", // Clerk
	"lastactive", "lastactiveat", "lastactivedate", "lastactivity", "lastactivityat", "lastactivitydate",
	"statuschanged", "statuschangedat", // Okta
	"billingactive", "statustext", "statustextcanonical", "statusemoji", "statusemojidisplayinfo", "statusexpiration", // Slack
	"disableablecredentialtypes",                  // Keycloak
	"retiredemailaddresses",                       // Stytch
	"smssubscriptionstatus", "smsmarketingstatus", // Mailchimp
	"huddlestate", "huddlestateexpirationts", // Slack
	"issipenabled",   // Graph
	"lockversion",    // of a database's row
	"lockoutenabled", // ASP.NET Identity: whether wrong passwords can lock the account
)

// Parts of column names in the form of [letters], and whole words of them.
var (
	deniedStems = []string{
		"suspen", "disable", "block", "banned", "locked", "lockout", "archiv", "delet", "deactiv", "desactiv", "desativ", "disattiv",
		"inactiv", "deprovision", "terminat", "revok", "expired", "removed", "rejected", "denied", "restrict", "frozen", "silenced",
		"quarantin", "offboard", "blacklist", "unsub", "bounce", "cleaned", "cleantime", "cleancampaign", "compromised",
	}
	deniedNames  = newSet("ban", "bans", "lock", "locks")
	grantedStems = []string{"active", "enable", "approved", "allowed", "cansignin", "canlogin"}
	// Prefixes that negate the part after them.
	negations = []string{"un", "non", "not", "no", "never", "dis", "anti"}
	notNames  = newSet("not", "non", "un", "no", "never", "without", "lifted", "ended", "over", "resolved", "cleared")
	// In other languages, whose values aren't understood.
	wordStems = lettersOfAll(
		"status", "statut", "statuto", "estado", "aktiv", "actif", "actief", "activo", "attivo", "ativo", "sperr", "blok", "blocc", "bloqu",
		"verrouill", "habilitad", "abilitat", "sospes", "gelöscht", "supprim", "elimin", "verwijder",
		"статус", "актив", "заблок", "удал", "状态", "状態", "ステータス", "상태", "حالة",
	)
	wordNames  = newSet("state", "stato", "etat", "zustand")
	placeWords = newSet("home", "work", "business", "office", "other", "mailing", "billing", "shipping", "postal", "address", "province", "region", "county", "country", "code")
)

// accessOf derives the access of a column from its name; accessOther if it isn't about
// access. If the name is ambiguous it is accessWord, which only admits clear values.
func accessOf(name string) access {
	key := letters(withoutNotes(name))
	if key == "" || otherColumns[key] {
		return accessNone
	}
	if a, ok := knownAccess[key]; ok {
		return a
	}
	all := strings.ReplaceAll(letters(name), "activedirectory", "")
	words := wordsOf(withoutNotes(name))
	denied, notDenied := findStems(all, deniedStems)
	granted, notGranted := findStems(without(all, deniedStems), grantedStems)
	denied = denied || deniedNames.hasAny(words)
	unclear := denied && granted || notDenied || notGranted || (denied || granted) && notNames.hasAny(words)
	switch {
	case slices.Contains(words, "state") && placeWords.hasAny(words):
		return accessPlace
	case unclear, containsAny(all, wordStems), wordNames.hasAny(words):
		return accessWord
	case denied:
		return accessDenied
	case granted:
		return accessGranted
	}
	return accessOther
}

// findStems reports whether a name contains one of the stems, and whether one is negated.
func findStems(name string, stems []string) (found, negated bool) {
	for _, stem := range stems {
		for rest := name; ; {
			before, after, ok := strings.Cut(rest, stem)
			if !ok {
				break
			}
			found = true
			negated = negated || slices.ContainsFunc(negations, func(n string) bool { return strings.HasSuffix(before, n) })
			rest = after
		}
	}
	return found, negated
}

// lettersOfAll replaces each name by its letters.
func lettersOfAll(names ...string) []string {
	for i, name := range names {
		names[i] = letters(name)
	}
	return names
}

// letters returns the letters and digits of a name in lower case without accents.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(name))
}

// withoutNotes removes a note in brackets after a name, such as [Required].
func withoutNotes(name string) string {
	if i := strings.IndexAny(name, "[("); i > 0 {
		return name[:i]
	}
	return name
}

type set map[string]bool

func newSet(members ...string) set {
	s := set{}
	for _, m := range members {
		s[m] = true
	}
	return s
}

func (s set) hasAny(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return s[w] })
}

// wordsOf returns the words of a name; accountLocked and account_locked have two.
func wordsOf(name string) []string {
	var separated strings.Builder
	previous := rune(0)
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(previous) {
			separated.WriteByte(' ')
		}
		separated.WriteRune(r)
		previous = r
	}
	words := strings.FieldsFunc(separated.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return lettersOfAll(words...)
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

// without returns s with each of the parts replaced by a space.
func without(s string, parts []string) string {
	for _, part := range parts {
		s = strings.ReplaceAll(s, part, " ")
	}
	return s
}
