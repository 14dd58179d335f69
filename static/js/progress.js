// A page with data-progress shows how far something is: it is fetched again every
// second, and what is marked data-live takes the new words and values. When it has
// come to another state, the page is loaded anew. Without this script the page
// refreshes by itself.

const state = document.querySelector("[data-progress]").dataset.progress;

/** Shows how far it is now. */
async function look() {
  let answer;
  try {
    answer = await fetch(location.href);
  } catch {
    again(); // out of reach for the moment
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.status >= 500) {
    again();
    return;
  }
  if (answer.redirected || page.querySelector("[data-progress]")?.dataset.progress !== state) {
    location.reload();
    return;
  }
  const fresh = page.querySelectorAll("[data-live]");
  document.querySelectorAll("[data-live]").forEach((live, i) => {
    if (live instanceof HTMLProgressElement) live.value = fresh[i].value;
    else live.textContent = fresh[i].textContent;
  });
  again();
}

function again() {
  setTimeout(look, 1000);
}

again();
