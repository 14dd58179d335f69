package web

import (
	"net/http"
	"net/url"
)

// maxListState limits the length of a listState, in bytes.
const maxListState = 2048

// listState is the part of the list that the viewer came from: the list's query with search,
// filters, order and cursor. It is empty for the whole list.
type listState string

// listStateOf returns the part of the list that a request names.
func listStateOf(r *http.Request) listState {
	carried := r.URL.Query().Get("list")
	v, err := url.ParseQuery(carried)
	if err != nil || len(carried) > maxListState {
		return ""
	}
	return newListState(v)
}

// newListState keeps the list's parameters of a query.
func newListState(v url.Values) listState {
	state := listURL(v, nil)[1:]
	if len(state) > maxListState {
		return ""
	}
	return listState(state)
}

// Back returns the query that leads back to the list.
func (l listState) Back() string {
	if l == "" {
		return ""
	}
	return "?" + string(l)
}

// Carry returns the query that takes the list along to another page.
func (l listState) Carry() string {
	if l == "" {
		return ""
	}
	return "?" + url.Values{"list": {string(l)}}.Encode()
}
