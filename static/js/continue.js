// The page a sign-in link leads to. When the button is pressed, the token is removed from the
// address bar and the history. In the browser that requested the link, the form submits itself.

const form = document.querySelector("[data-continue]");

form.addEventListener("submit", () => history.replaceState(null, "", location.pathname));
if (form.dataset.continue === "auto") form.requestSubmit();
