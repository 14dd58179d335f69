package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
)

// maxGroupChoices is the largest number of groups that a form offers as boxes to tick. With
// more, it has a field for their names.
const maxGroupChoices = 200

// groupChoices is the part of a form that chooses groups.
type groupChoices struct {
	Groups []directory.Group // to choose from; if Many, those chosen
	Many   bool              // there are too many groups for boxes
	Chosen map[string]bool   // ids
	Names  string            // if Many, further names as typed, separated by commas
}

// Has reports whether a group is chosen.
func (c groupChoices) Has(id string) bool { return c.Chosen[id] }

// groupChoices returns the choices with some groups chosen.
func (s *server) groupChoices(r *http.Request, chosen []string) (groupChoices, error) {
	c := groupChoices{Chosen: map[string]bool{}}
	for _, id := range chosen {
		c.Chosen[id] = true
	}
	var err error
	if c.Groups, err = s.opts.Groups.Names(r.Context(), maxGroupChoices+1); err != nil {
		return c, err
	}
	if len(c.Groups) <= maxGroupChoices {
		return c, nil
	}
	c.Many, c.Groups = true, nil
	for _, id := range slices.Compact(slices.Sorted(slices.Values(chosen))) {
		g, err := s.opts.Groups.Get(r.Context(), id)
		if errors.Is(err, directory.ErrNotFound) {
			continue
		}
		if err != nil {
			return c, err
		}
		c.Groups = append(c.Groups, g)
	}
	return c, nil
}

// chosenGroups returns the groups that a form chooses, each once: those ticked and those
// named. Its error is a *directory.ValidationError for the field groups.
func (s *server) chosenGroups(r *http.Request, form url.Values) ([]directory.Group, error) {
	var list []directory.Group
	add := func(g directory.Group, err error, missing string) error {
		if errors.Is(err, directory.ErrNotFound) {
			return &directory.ValidationError{Fields: map[string]string{"groups": missing}}
		}
		if err == nil && !slices.ContainsFunc(list, func(have directory.Group) bool { return have.ID == g.ID }) {
			list = append(list, g)
		}
		return err
	}
	ids := form["groups"]
	if len(ids) > maxGroupChoices {
		return nil, errBadForm
	}
	for _, id := range ids {
		if id == "" { // "Choose a group"
			continue
		}
		g, err := s.opts.Groups.Get(r.Context(), id)
		if err := add(g, err, "One of these groups doesn’t exist any more. Choose again."); err != nil {
			return nil, err
		}
	}
	names := strings.Split(form.Get("group_names"), ",")
	if len(names) > maxGroupChoices {
		return nil, errBadForm
	}
	for _, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		g, err := s.opts.Groups.Find(r.Context(), name)
		if err := add(g, err, "There’s no group called “"+name+"”."); err != nil {
			return nil, err
		}
	}
	return list, nil
}
