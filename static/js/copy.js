// A button with data-copy="id" puts the value of that field onto the clipboard and
// says so. Without this script, or where there is no clipboard, it is not there.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // on http, but for this machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select(); // also for who copies by hand
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
}
