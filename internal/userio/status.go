package userio

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// access is what a column says about whether somebody may sign in where the file
// comes from.
type access int

const (
	accessNone    access = iota // nothing
	accessWord                  // by a word, such as active or suspended
	accessIfAny                 // by a word, or nothing if it is empty
	accessGranted               // true for people who may sign in, such as enabled
	accessSince                 // true, or the date since when they may
	accessDenied                // true, a date or a reason for people who may not, such as disabled or deleted_at
	accessPlace                 // a state of a country: by any word that does not sound like accessDenied
	accessStray                 // in a column about something else: by any word but those of deniedWords
)

// Words that let a person in, in the form of [plainWord]. Every other word leaves
// the person out: no list of words for people who are kept out can be complete.
//
// Accounts that wait for their person, or for a new password, count as active:
// here the person proves the address, and there is no password. STAGED (Okta) and
// UNCONFIRMED (Cognito) are not on the list: nobody has let those people in yet.
var admittedWords = newSet(
	"active", "activated", "enabled", "allowed", "approved", "provisioned",
	"invited", "pending", "accepted", "pendingacceptance", "confirmed",
	"recovery", "passwordexpired", // Okta
	"forcechangepassword", "resetrequired", "externalprovider", // Cognito
	"subscribed",                               // Mailchimp
	"member", "admin", "owner", "primaryowner", // Slack, whose guests and bots are left out
)

// deniedWords say that somebody is kept out wherever they stand: in a column of which
// nothing else is read, such as access or type, too.
var deniedWords = newSet(
	"suspended", "disabled", "blocked", "banned", "deactivated", "deprovisioned", "inactive", "archived", "deleted", "revoked",
	"terminated", "lockedout",
)

const maxDeniedWord = 40 // bytes, with what plainWord takes out

var (
	trueWords  = newSet("true", "t", "yes", "y", "on", "1")
	falseWords = newSet("false", "f", "no", "n", "off", "0", "null", `\n`, "never")
)

// admits is the one place that decides whether what a column says lets a person
// in. Only words it knows do.
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
	case accessStray:
		return len(value) > maxDeniedWord || !deniedWords[plainWord(value)]
	}
	return false
}

// plainWord returns a word without case, quotation marks, invisible characters,
// and the blanks, dashes and underscores within it.
func plainWord(value string) string {
	word := strings.Trim(strings.ToLower(visible(value)), `"'`)
	if strings.IndexFunc(word, unicode.IsLetter) != 0 {
		return word // also "!active"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '_' {
			return -1
		}
		return r
	}, word)
}

// visible returns text without invisible characters and the blanks around it.
func visible(s string) string {
	if strings.ContainsFunc(s, isInvisible) {
		s = strings.Map(func(r rune) rune {
			if isInvisible(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

func isInvisible(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r) }

func startsWithDate(s string) bool {
	return len(s) >= 8 && strings.HasPrefix(s, "20") && strings.Trim(s[:8], "0123456789-") == ""
}

// Columns whose meaning their name does not show, by the form of [letters].
var knownAccess = map[string]access{
	"newstatus": accessIfAny, "transitioningtostatus": accessIfAny, // Google Workspace, Okta: empty unless a change is due
	"invitationstate": accessIfAny, "externaluserstate": accessIfAny, // Entra: only guests have one
	"accountnonlocked": accessGranted, "accountnonexpired": accessGranted, // Spring Security
	"approvedat": accessSince, "activated": accessSince, "activatedat": accessSince, "activationdate": accessSince, // Okta and others
	"isbot":     accessDenied, // Slack
	"userstate": accessWord, "accountstate": accessWord, "lifecyclestate": accessWord,
}

// Columns of well-known products that have a word about access in their name, and
// are about something else.
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

// Parts of names, in the form of [letters], and words of names.
var (
	deniedStems = []string{
		"suspen", "disable", "block", "banned", "locked", "lockout", "archiv", "delet", "deactiv", "desactiv", "desativ", "disattiv",
		"inactiv", "deprovision", "terminat", "revok", "expired", "removed", "rejected", "denied", "restrict", "frozen", "silenced",
		"quarantin", "offboard", "blacklist", "unsub", "bounce", "cleaned", "cleantime", "cleancampaign", "compromised",
	}
	deniedNames  = newSet("ban", "bans", "lock", "locks")
	grantedStems = []string{"active", "enable", "approved", "allowed", "cansignin", "canlogin"}
	// What makes the opposite of the part behind it.
	negations = []string{"un", "non", "not", "no", "never", "dis", "anti"}
	notNames  = newSet("not", "non", "un", "no", "never", "without", "lifted", "ended", "over", "resolved", "cleared")
	// In other languages, of which only the column is understood, and not its words.
	wordStems = lettersOf(
		"status", "statut", "statuto", "estado", "aktiv", "actif", "actief", "activo", "attivo", "ativo", "sperr", "blok", "blocc", "bloqu",
		"verrouill", "habilitad", "abilitat", "sospes", "gelöscht", "supprim", "elimin", "verwijder",
		"статус", "актив", "заблок", "удал", "状态", "状態", "ステータス", "상태", "حالة",
	)
	wordNames  = newSet("state", "stato", "etat", "zustand")
	placeWords = newSet("home", "work", "business", "office", "other", "mailing", "billing", "shipping", "postal", "address", "province", "region", "county", "country", "code")
)

// accessOf tells from the name of a column what it says about access; accessStray is
// that of a column that seems to say nothing. A name that has a word about access in
// it and is not clear is read as words: then only a word that is clear by itself lets
// a person in.
func accessOf(name string) access {
	exact := letters(withoutNotes(name))
	if exact == "" || otherColumns[exact] {
		return accessNone
	}
	if a, ok := knownAccess[exact]; ok {
		return a
	}
	all, words := strings.ReplaceAll(letters(name), "activedirectory", ""), wordsOf(withoutNotes(name))
	denied, notDenied := findStems(all, deniedStems)
	granted, notGranted := findStems(without(all, deniedStems), grantedStems)
	denied = denied || words.hasAny(deniedNames)
	unclear := denied && granted || notDenied || notGranted || (denied || granted) && words.hasAny(notNames)
	switch {
	case words["state"] && words.hasAny(placeWords):
		return accessPlace
	case unclear, containsAny(all, wordStems), words.hasAny(wordNames):
		return accessWord
	case denied:
		return accessDenied
	case granted:
		return accessGranted
	}
	return accessStray
}

// findStems says whether a name has one of the stems, and whether a negation stands
// before one.
func findStems(name string, stems []string) (found, negated bool) {
	for _, stem := range stems {
		for rest := name; ; {
			before, behind, ok := strings.Cut(rest, stem)
			if !ok {
				break
			}
			found = true
			negated = negated || slices.ContainsFunc(negations, func(n string) bool { return strings.HasSuffix(before, n) })
			rest = behind
		}
	}
	return found, negated
}

func lettersOf(names ...string) []string {
	for i, name := range names {
		names[i] = letters(name)
	}
	return names
}

// letters returns only the letters and digits of a name, without case and accents.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(name))
}

// withoutNotes cuts off what stands in brackets behind a name: [Required].
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

func (s set) hasAny(others set) bool {
	for m := range s {
		if others[m] {
			return true
		}
	}
	return false
}

// wordsOf returns the words of a name: accountLocked and account_locked are two.
func wordsOf(name string) set {
	words, begin, runes := set{}, 0, []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			words[letters(string(runes[begin:i]))] = true
			begin = i + 1
		case i > 0 && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]):
			words[letters(string(runes[begin:i]))] = true
			begin = i
		}
	}
	words[letters(string(runes[begin:]))] = true
	return words
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// without returns s with the parts taken out.
func without(s string, parts []string) string {
	for _, part := range parts {
		s = strings.ReplaceAll(s, part, " ")
	}
	return s
}
