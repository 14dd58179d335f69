// The landing page of a mailed link, in the browser that asked for it: takes the
// token out of the address and presses the button. Loaded only there.

history.replaceState(null, "", location.pathname);
document.querySelector("[data-continue]").requestSubmit();
