// A page with data-progress shows the progress of something. It is fetched every second, and
// elements with data-live take the new text or value. When the state in data-progress changes, the
// page is reloaded. Without this script, the page refreshes itself.

const state = document.querySelector("[data-progress]").dataset.progress;

/** Updates the page. */
async function update() {
  let response;
  try {
    response = await fetch(location.href);
  } catch {
    schedule(); // the server can't be reached
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (response.status >= 500) {
    schedule();
    return;
  }
  if (response.redirected || page.querySelector("[data-progress]")?.dataset.progress !== state) {
    location.reload();
    return;
  }
  const fresh = page.querySelectorAll("[data-live]");
  document.querySelectorAll("[data-live]").forEach((live, i) => {
    if (live instanceof HTMLProgressElement) live.value = fresh[i].value;
    else live.textContent = fresh[i].textContent;
  });
  schedule();
}

function schedule() {
  setTimeout(update, 1000);
}

schedule();
