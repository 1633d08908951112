// What was shown once is not shown, nor asked for, again: reloading the page, or going back to it, loads the list.
"use strict";
history.replaceState(null, "", document.currentScript?.dataset.address ?? "/tokens");
