// A button with data-wait can be pressed after that many seconds, and counts them down. Without this
// script, the server refuses a press that comes too early and says so.

for (const button of document.querySelectorAll("[data-wait]")) {
  const label = button.textContent;
  const end = Date.now() + button.dataset.wait * 1000;
  const update = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(update, 500);
  update();
}
