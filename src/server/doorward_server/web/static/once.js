// What was shown once is not shown, nor asked for, again: reloading the page, or going back to it, loads the list.
"use strict";
// Nor is it kept in the page for the way back to it.
addEventListener("pagehide", () => document.querySelector(".secret")?.remove());
history.replaceState(null, "", document.currentScript?.dataset.address ?? "/tokens");
