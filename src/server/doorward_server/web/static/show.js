// Shows and hides what is typed. The page works without it.
"use strict";
const field = document.getElementById("token");
const button = document.getElementById("show");
button.hidden = false;
button.addEventListener("click", () => {
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.textContent = shown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", String(shown));
  field.focus();
});
// A password manager saves passwords, and a token that stays on the screen is read by others.
field.form.addEventListener("submit", () => { field.type = "password"; });
