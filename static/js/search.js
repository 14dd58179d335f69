// A form with data-live-search="id" searches while the user types: it fetches its own page and
// replaces the element with that id. The address is updated, so that a search can be linked to and
// reloaded. "/" focuses the search field. Without this script, the form has a button.

const form = document.querySelector("[data-live-search]");
const field = form.querySelector("input[type=search]");
const partId = form.dataset.liveSearch;
let timer;
let request;

form.querySelector("[data-unneeded]").hidden = true;
form.querySelector("[data-shortcut]").hidden = false;

/** Shows the results for the form's current values. A newer request cancels an older one. */
async function search() {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.action}?${query}`;
  request?.abort();
  request = new AbortController();
  try {
    const response = await fetch(address, { signal: request.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const part = page.getElementById(partId);
    if (response.redirected || !part) {
      location.assign(response.redirected ? response.url : address); // signed out, or an error page: show it
      return;
    }
    const total = document.querySelector(`#${partId} [role=status]`);
    const results = document.getElementById(partId);
    // The status line stays the same element, so that screen readers announce its change.
    const newTotal = part.querySelector("[role=status]");
    total.textContent = newTotal.textContent;
    newTotal.replaceWith(total);
    results.replaceChildren(...part.childNodes);
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

form.addEventListener("input", (event) => {
  clearTimeout(timer);
  timer = setTimeout(search, event.target === field ? 180 : 0);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});
