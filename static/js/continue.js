// The landing page of a mailed link: the token leaves the address bar and the
// history when the button is pressed. In the browser that asked for the link,
// and only there, the button presses itself.

const form = document.querySelector("[data-continue]");

form.addEventListener("submit", () => history.replaceState(null, "", location.pathname));
if (form.dataset.continue === "auto") form.requestSubmit();
