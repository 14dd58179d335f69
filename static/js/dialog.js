// A link with data-dialog="id" opens that dialog instead of its page; a link with data-close
// closes it. Without this script, the links lead to pages with the same forms.

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("dialog [data-close]");
  if (!opener && !closer) return;
  event.preventDefault();
  if (closer) {
    closer.closest("dialog").close(); // the browser returns the focus to the opener
    return;
  }
  const dialog = document.getElementById(opener.dataset.dialog);
  dialog.showModal();
});
