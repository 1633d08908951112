// Times are typed in the reader's zone. Without it they are in UTC, as the labels say.
"use strict";
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const field = document.getElementById("zone");
  const typed = ["since", "until"].some((name) => document.getElementById(name).value);
  // What was typed without the script stays what it was.
  if (zone && (field.value || !typed)) {
    field.value = zone;
    for (const label of document.querySelectorAll("[data-zone]")) label.textContent = `(${zone})`;
  }
}
