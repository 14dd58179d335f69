package directory

import "time"

// GroupJSON is a group as programs see it: in the API and on the command line.
type GroupJSON struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Members   int       `json:"members"` // including those whose membership has ended
	Apps      int       `json:"apps"`    // that the group opens
}

// NewGroupJSON converts a group with its numbers of members and apps; see Groups.Count.
func NewGroupJSON(g Group) GroupJSON {
	return GroupJSON(g)
}

// MembershipJSON is a user's place in a group as programs see it.
type MembershipJSON struct {
	ID     string     `json:"id"` // of the group
	Name   string     `json:"name"`
	Until  *time.Time `json:"until"`  // null if it has no end
	Active bool       `json:"active"` // it hasn't ended
}

// NewMembershipsJSON converts a user's memberships.
func NewMembershipsJSON(memberships []Membership, now time.Time) []MembershipJSON {
	list := make([]MembershipJSON, len(memberships))
	for i, m := range memberships {
		list[i] = MembershipJSON{ID: m.GroupID, Name: m.GroupName, Until: untilJSON(m.Until), Active: m.Active(now)}
	}
	return list
}

// MemberJSON is a member of a group as programs see it.
type MemberJSON struct {
	User    UserJSON   `json:"user"`
	Until   *time.Time `json:"until"`  // null if the membership has no end
	Active  bool       `json:"active"` // it hasn't ended
	AddedAt time.Time  `json:"added_at"`
}

// NewMemberJSON converts a member.
func NewMemberJSON(m GroupMember, now time.Time) MemberJSON {
	return MemberJSON{User: NewUserJSON(m.User), Until: untilJSON(m.Until), Active: m.Active(now), AddedAt: m.CreatedAt}
}

func untilJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
