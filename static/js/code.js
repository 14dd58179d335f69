// A field with data-code takes an emailed code. Its form submits itself when all six digits are in,
// typed or pasted. The server ignores spaces and hyphens, too.

for (const field of document.querySelectorAll("[data-code]")) {
  let submitted = "";
  field.addEventListener("input", () => {
    const code = field.value.replace(/[\s-]/g, "");
    if (!/^\d{6}$/.test(code) || code === submitted) return;
    submitted = code;
    field.form.requestSubmit();
  });
}
