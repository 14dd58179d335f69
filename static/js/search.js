// A form with data-live-search="id" searches while one types: it fetches its own
// page and puts the part with that id in place. The address follows, so that a
// search can be linked to and reloaded. "/" goes to the search field. Without
// this script the form has a button.

const form = document.querySelector("[data-live-search]");
const field = form.querySelector("input[type=search]");
const partId = form.dataset.liveSearch;
let timer;
let request;

form.querySelector("[data-unneeded]").hidden = true;
form.querySelector("[data-shortcut]").hidden = false;

/** Shows what the form asks for now; a newer request overtakes an older one. */
async function search() {
  const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.action}?${asked}`;
  request?.abort();
  request = new AbortController();
  try {
    const answer = await fetch(address, { signal: request.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById(partId);
    if (answer.redirected || !part) {
      location.assign(answer.redirected ? answer.url : address); // signed out meanwhile, or out of reach: let the page say so
      return;
    }
    const total = document.querySelector(`#${partId} [role=status]`);
    const place = document.getElementById(partId);
    // The status line stays the same element, so that screen readers announce its change.
    const newTotal = part.querySelector("[role=status]");
    total.textContent = newTotal.textContent;
    newTotal.replaceWith(total);
    place.replaceChildren(...part.childNodes);
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
