// What the console does better with scripts. Every page works without them.
"use strict";

const ago = (length) => {
  for (const [unit, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (length >= unit) return `${Math.floor(length / unit)} ${name}`;
  }
  return `${Math.max(0, Math.floor(length))} s`;
};

// Times come in UTC, and are shown in the reader's zone.
const showTimes = (root) => {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    if ("ago" in time.dataset) {
      time.title = format.format(moment);
      time.textContent = ago((Date.now() - moment.getTime()) / 1000);
    } else if ("clock" in time.dataset) {
      time.textContent = clock.format(moment);
    } else if (!time.title) {
      time.title = time.textContent;
      time.textContent = format.format(moment);
    }
  }
};

const showCopyButtons = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
};

// Another page of the console; null when it leads to the sign-in, or does not come.
const load = async (address) => {
  const answer = await fetch(address, { headers: { "doorward-background": "1" } });
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
    // It knows that the session has ended, and the way back.
    location.replace(answer.url);
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

// A link that asks before something is done shows its page in a dialog.
const openDialog = async (event) => {
  const link = event.target.closest("a[data-confirm]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  let asked = null;
  try {
    const page = await load(link.href);
    if (!page) return;
    asked = page.querySelector("[data-dialog]");
  } catch {
    // The page itself says what is wrong.
  }
  if (!asked) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "question");
  dialog.append(document.adoptNode(asked));
  document.body.append(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  dialog.addEventListener("click", (click) => {
    if (click.target === dialog || click.target.closest("[data-close]")) {
      click.preventDefault();
      dialog.close();
    }
  });
  enliven(dialog);
  dialog.showModal();
};

// What changes by itself is loaded anew, so many seconds later as it says.
const refresh = (region) => {
  setTimeout(async () => {
    if (!region.isConnected) return;
    let page = null;
    try {
      if (!document.hidden && !document.querySelector("dialog[open]")) page = await load(location.href);
    } catch {
      // Away for a moment: try again.
    }
    const fresh = page?.getElementById(region.id);
    if (!fresh || !region.isConnected) {
      refresh(region);
      return;
    }
    const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
    region.replaceWith(document.adoptNode(fresh));
    enliven(fresh);
    if (focused) document.getElementById(focused)?.focus();
  }, Number(region.dataset.live) * 1000);
};

// What was asked for may wait for every replica: the form says that it is at it, and is not sent twice.
const PATIENCE = 800;
const wait = (event) => {
  const form = event.target;
  if (form.method !== "post" || !form.closest("main, dialog")) return;
  if (form.hasAttribute("aria-busy")) {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  const says = Object.assign(document.createElement("p"), { className: "progress" });
  says.setAttribute("role", "status");
  form.append(says);
  setTimeout(() => {
    says.textContent = "Working… What closes an access is done when every replica knows of it.";
  }, PATIENCE);
};

// The browser's button for stopping, and the one for going back, lead to a form that can be sent.
const stopWaiting = () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
    form.querySelector(".progress")?.remove();
  }
};

// A log goes on as it is printed, until the app is gone or the session ends.
const MOST_LINES = 1000;
const follow = (log) => {
  const says = document.getElementById("log-state");
  const events = new EventSource(log.dataset.follow);
  events.addEventListener("open", () => {
    // What comes now begins with the newest lines again.
    log.replaceChildren();
    says.textContent = "Following";
  });
  events.addEventListener("message", (event) => {
    const { iso, utc, stream, line } = JSON.parse(event.data);
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const time = Object.assign(document.createElement("time"), { dateTime: iso, title: utc, textContent: utc });
    time.dataset.clock = "";
    const row = Object.assign(document.createElement("p"), { className: stream });
    row.append(time, line);
    log.append(row);
    showTimes(row);
    while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  const end = (event) => {
    says.textContent = JSON.parse(event.data);
    events.close();
  };
  events.addEventListener("problem", end);
  events.addEventListener("end", end);
  events.addEventListener("error", () => {
    says.textContent = events.readyState === EventSource.CLOSED
      ? "Not followed any more. Load the page again."
      : "Connecting…";
  });
};

// An open menu closes when something else is clicked, and by Escape. Under a dialog it stays: the dialog gives the
// focus back to its link.
const closeMenus = (event) => {
  if (document.querySelector("dialog[open]")) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.type === "click" ? menu.contains(event.target) : event.key !== "Escape") continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary").focus();
  }
};

const enliven = (root) => {
  showTimes(root);
  showCopyButtons(root);
  for (const region of root.querySelectorAll("[data-live]")) refresh(region);
  for (const log of root.querySelectorAll("[data-follow]")) follow(log);
  if (root instanceof Element && root.matches("[data-live]")) refresh(root);
};

document.addEventListener("click", openDialog);
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
document.addEventListener("submit", wait);
addEventListener("pageshow", stopWaiting);
globalThis.navigation?.addEventListener("navigateerror", stopWaiting);
enliven(document);
setInterval(() => showTimes(document), 30000);
