// Makes the page smoother; all it does can be done without it.
//
// Rows open in place, a resend asks in a dialog and stays on the page, IDs are copied, times are the viewer's,
// and rows refresh while something is under way or due. What it shows comes from the server as HTML.
"use strict";

// Between two looks, in milliseconds; longer each time that nothing has changed.
const POLL = 2000;
const POLL_AT_MOST = 15000;
// A retry that does not come is waited for so long, and then no longer: its delivery may have been canceled.
const OVERDUE = 120000;
// How long that is told, in milliseconds.
const TOLD_FOR = 10000;
// The server gives no more rows at once.
const SHOWN_AT_MOST = 200;

const table = () => document.querySelector("#webhooks");
const said = document.querySelector("#said");

// ---------------------------------------------------------------- times

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
  .formatToParts(new Date())
  .find((part) => part.type === "timeZoneName").value;

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.getTime())) time.textContent = clock.format(date);
  }
}

// The fields of the filters are UTC in the address, and the viewer's zone in the form.
function localFields(form) {
  const told = new Map();
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  for (const field of form.querySelectorAll("input[type=datetime-local]")) {
    form.querySelector(`label[for="${field.id}"] .zone`).textContent = `(${zone})`;
    if (!field.value) continue;
    const date = new Date(`${field.value}Z`);
    const part = date.getMilliseconds() ? `.${pad(date.getMilliseconds(), 3)}` : "";
    const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
    field.value = `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${part}`;
    // What nobody changes stays the same moment, in the hour too that a zone has twice.
    told.set(field, [field.value, date]);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (!value) continue;
      const field = form.elements[name];
      const [as, at] = told.get(field) ?? [];
      const date = as === value ? at : new Date(value);
      query.append(name, field.type === "datetime-local" ? date.toISOString().replace(".000Z", "Z") : value);
    }
    const text = query.toString();
    location.assign(form.action + (text ? `?${text}` : ""));
  });
}

// ---------------------------------------------------------------- what is said

// Floats above the page, so that it is seen from any row. What nobody need act on goes away by itself.
function tell(words, kind, stays) {
  const line = document.createElement("div");
  line.className = `notice ${kind}`;
  const text = document.createElement("span");
  text.append(...words);
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "dismiss";
  dismiss.textContent = "×";
  dismiss.setAttribute("aria-label", "Dismiss");
  let before = null;
  line.addEventListener("focusin", (event) => (before ??= event.relatedTarget));
  dismiss.addEventListener("click", () => {
    line.remove();
    before?.focus({ preventScroll: true });
  });
  line.append(text, dismiss);
  said.className = "floats";
  said.replaceChildren(line);
  if (!stays) goesAway(line);
}

// Not while somebody is at it.
function goesAway(line) {
  setTimeout(() => (line.matches(":hover, :focus-within") ? goesAway(line) : line.remove()), TOLD_FOR);
}

const say = (text, kind = "ok", stays = kind === "bad") => tell([text], kind, stays);

// A frame may be denied the clipboard: this way needs no leave.
function copyTheOldWay(text) {
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const copied = copyTheOldWay(button.dataset.copy);
    button.focus();
    if (!copied) {
      say(`The browser does not let this page copy. It is ${button.dataset.copy}`, "bad");
      return;
    }
  }
  button.classList.add("done");
  say(`Copied ${button.dataset.copy}`);
  setTimeout(() => button.classList.remove("done"), 1500);
}

// ---------------------------------------------------------------- asking the server

class Ended extends Error {}

class Refused extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }

  // Asking again gets the same answer; too slow or too often is no refusal of what was asked.
  get final() {
    return this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

// The page that answers, and the address it was found at in the end.
async function ask(address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  // The session is over: the way to sign in is a page of its own.
  if (new URL(answer.url).pathname === "/sign-in") {
    location.assign(answer.url);
    throw new Ended();
  }
  const html = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) {
    throw new Refused(html.querySelector("main p")?.textContent ?? "That did not work. Try again.", answer.status);
  }
  return { page: html, address: answer.url };
}

function failed(error) {
  if (!(error instanceof Ended)) say(error instanceof TypeError ? "The server cannot be reached." : error.message, "bad");
}
