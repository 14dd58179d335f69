package web

import (
	"net/http"
	"net/url"
)

// maxListState is the longest part of the list that is carried, in bytes.
const maxListState = 2048

// listState is the part of the list that somebody comes from: its search, filters,
// order and page. It is the list's own query; empty for the whole list.
type listState string

// listStateOf returns the part of the list that a request names. Only parameters
// of the list are kept.
func listStateOf(r *http.Request) listState {
	carried := r.URL.Query().Get("list")
	v, err := url.ParseQuery(carried)
	if err != nil || len(carried) > maxListState {
		return ""
	}
	return newListState(v)
}

// newListState returns the part of the list that a query asks for.
func newListState(v url.Values) listState {
	state := listURL(v, nil)[1:]
	if len(state) > maxListState {
		return ""
	}
	return listState(state)
}

// Back is the query of the list, to go back to it.
func (l listState) Back() string {
	if l == "" {
		return ""
	}
	return "?" + string(l)
}

// Carry is the query of another page's address, which takes the list along.
func (l listState) Carry() string {
	if l == "" {
		return ""
	}
	return "?" + url.Values{"list": {string(l)}}.Encode()
}
