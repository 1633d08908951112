// Shows the apps that match as one types. Without it there is the button Preview.
"use strict";
{
  const form = document.getElementById("new-token");
  const preview = document.getElementById("preview");
  const scoped = form.querySelector(".scoped");
  let asked = null;
  let timer = 0;

  const show = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch("/tokens/preview", {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { "doorward-background": "1" },
        signal: asked.signal,
      });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      preview.replaceChildren(...page.body.childNodes);
    } catch {
      // Asked anew meanwhile, or away for a moment: what is shown stays.
    }
  };

  // Neither region nor labels narrow an ADMIN token: its form does not have them, nor send them.
  const fit = () => { scoped.hidden = scoped.disabled = form.elements.role.value === "ADMIN"; };

  // Typing a selector means it.
  form.elements.selector.addEventListener("input", () => {
    if (form.elements.selector.value) form.elements.scope.value = "labels";
  });
  form.addEventListener("input", (event) => {
    if (event.target.name === "name" || event.target.name === "lifetime") return;
    fit();
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });
  form.querySelector("button[name=preview]").hidden = true;
  fit();
  show();
}
