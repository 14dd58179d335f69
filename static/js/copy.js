// A button with data-copy="id" copies the value of that field to the clipboard. It is hidden
// without this script or a clipboard.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // on http, except on this machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select(); // for users who copy by hand
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
}
