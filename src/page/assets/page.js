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
  const pad = (number, width = 2) => String(number).padStart(width, "0");
  for (const field of form.querySelectorAll("input[type=datetime-local]")) {
    form.querySelector(`label[for="${field.id}"] .zone`).textContent = `(${zone})`;
    if (!field.value) continue;
    const date = new Date(`${field.value}Z`);
    const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
    field.value = `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (!value) continue;
      const local = form.elements[name].type === "datetime-local";
      query.append(name, local ? new Date(value).toISOString() : value);
    }
    const text = query.toString();
    location.assign(form.action + (text ? `?${text}` : ""));
  });
}

// ---------------------------------------------------------------- what is said

function say(text, kind = "ok") {
  const line = document.createElement("p");
  line.className = `notice ${kind}`;
  line.textContent = text;
  said.replaceChildren(line);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // A frame may be denied the clipboard: the old way needs no leave.
    const field = document.createElement("textarea");
    field.value = button.dataset.copy;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.classList.add("done");
  say(`Copied ${button.dataset.copy}`);
  setTimeout(() => button.classList.remove("done"), 1500);
}

// ---------------------------------------------------------------- asking the server

class Ended extends Error {}

async function ask(address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  // The session is over: the way to sign in is a page of its own.
  if (new URL(answer.url).pathname === "/login") {
    location.assign(answer.url);
    throw new Ended();
  }
  const html = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error(html.querySelector("main p")?.textContent ?? "That did not work. Try again.");
  return html;
}

function failed(error) {
  if (!(error instanceof Ended)) say(error instanceof TypeError ? "The server cannot be reached." : error.message, "bad");
}

// ---------------------------------------------------------------- rows that open

const detailsOf = (row) => document.getElementById(`d-${row.dataset.id}`);

function mark(row, open) {
  row.querySelector(".open").setAttribute("aria-expanded", String(open));
}

async function fill(row) {
  const address = `${location.pathname}/${row.dataset.id}/details${location.search}`;
  const content = (await ask(address)).body;
  let details = detailsOf(row);
  if (!details) {
    details = document.createElement("tr");
    details.id = `d-${row.dataset.id}`;
    details.className = "details";
    details.setAttribute("role", "row");
    details.innerHTML = '<td colspan="8" role="cell"></td>';
    row.after(details);
  }
  details.firstElementChild.replaceChildren(...content.childNodes);
  improve(details);
  mark(row, true);
}

async function toggle(link) {
  const row = link.closest("tr");
  const open = detailsOf(row);
  try {
    if (open) {
      open.remove();
      mark(row, false);
    } else {
      await fill(row);
    }
  } catch (error) {
    failed(error);
  }
}

// ---------------------------------------------------------------- resends

function confirmResend(summary) {
  const confirm = summary.parentElement.querySelector(".confirm");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Resend");
  dialog.append(...confirm.cloneNode(true).childNodes);
  const form = dialog.querySelector("form");
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.textContent = "Cancel";
  cancel.addEventListener("click", () => dialog.close());
  const actions = document.createElement("div");
  actions.className = "actions";
  actions.append(cancel, form.querySelector("button"));
  form.append(actions);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    resend(form, dialog);
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (summary.isConnected) summary.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function resend(form, dialog) {
  const button = form.querySelector("button.primary");
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(form));
    const page = await ask(form.action, { method: "POST", body });
    const notice = page.querySelector("#said");
    const row = form.action.match(/\/([0-9a-f-]{36})\/resend/)[1];
    dialog.close();
    merge(page);
    said.replaceChildren(...notice.childNodes);
    improve(said);
    // What is open tells of the delivery's life, which has a new part; the form asks once.
    await refill(row);
    pause = POLL;
    watch();
  } catch (error) {
    dialog.close();
    failed(error);
  }
}

async function refill(id) {
  const row = document.getElementById(`a-${id}`);
  if (!row || !detailsOf(row)) return;
  const focused = detailsOf(row).contains(document.activeElement);
  await fill(row);
  if (focused) (detailsOf(row).querySelector(".resend > summary") ?? row.querySelector(".open")).focus();
}

// ---------------------------------------------------------------- rows that refresh

// Takes the rows of another rendering over; what did not change, and what is open, stays as it is.
function merge(page) {
  const here = table();
  const there = page.querySelector("#webhooks");
  if (!there) return [];
  if (!here) {
    location.reload();
    return [];
  }
  here.dataset.now = there.dataset.now;
  renderedAt = performance.now();
  const body = here.tBodies[0];
  const changed = [];
  let after = null;
  for (const fresh of [...there.tBodies[0].rows].filter((row) => row.dataset.id)) {
    let row = document.getElementById(fresh.id);
    if (!row) {
      row = document.importNode(fresh, true);
      improve(row);
      changed.push(row);
    } else if (row.dataset.state !== fresh.dataset.state) {
      row.dataset.state = fresh.dataset.state;
      row.dataset.due = fresh.dataset.due ?? "";
      for (const head of ["Response Code", "Time Stamp"]) {
        const cell = (of) => of.querySelector(`[data-head="${head}"]`);
        cell(row).replaceChildren(...document.importNode(cell(fresh), true).childNodes);
      }
      tellTimes(row);
      changed.push(row);
    }
    const place = after ? (detailsOf(after) ?? after).nextElementSibling : body.firstElementChild;
    if (place !== row) {
      const details = detailsOf(row);
      body.insertBefore(row, place);
      if (details) row.after(details);
    }
    after = row;
  }
  return changed;
}

// When to look again, in milliseconds from now; none where nothing is awaited.
function nextLook() {
  const rows = [...(table()?.tBodies[0].rows ?? [])].filter((row) => row.dataset.id);
  if (rows.some((row) => row.dataset.state.startsWith("wait"))) return pause;
  const now = Number(table()?.dataset.now) + (performance.now() - renderedAt);
  const newest = new Map();
  for (const row of rows) {
    const manual = row.querySelector(".manual") !== null;
    if (!manual && !newest.has(row.dataset.trace)) newest.set(row.dataset.trace, Number(row.dataset.due) || 0);
  }
  const dues = [...newest.values()].filter((due) => due && due > now - OVERDUE);
  return dues.length ? Math.max(Math.min(...dues) - now + 300, pause) : null;
}

let timer = null;
let pause = POLL;
let renderedAt = performance.now();

function watch() {
  clearTimeout(timer);
  const wait = nextLook();
  // A timer takes no more than 31 bits.
  if (wait !== null) timer = setTimeout(look, Math.min(wait, 2 ** 31 - 1));
}

async function look() {
  if (document.hidden) return;
  try {
    // What is open is asked for by itself, where it has changed.
    const address = new URL(location.href);
    address.searchParams.delete("open");
    const changed = merge(await ask(address));
    pause = changed.length ? POLL : Math.min(pause * 1.3, POLL_AT_MOST);
    const traces = new Set(changed.map((row) => row.dataset.trace));
    for (const row of [...table().querySelectorAll("tr[data-id]")]) {
      if (traces.has(row.dataset.trace) && !busy(detailsOf(row))) await refill(row.dataset.id);
    }
    announce(changed);
  } catch (error) {
    // It is asked again: only an end of the session ends this.
    if (error instanceof Ended) return;
  }
  watch();
}

// Somebody is about to resend: what they read does not change under their eyes.
const busy = (details) => details?.querySelector(".resend[open]") || document.querySelector("dialog[open]");

function announce(changed) {
  const ended = changed.filter((row) => !row.dataset.state.startsWith("wait"));
  if (!ended.length) return;
  const text = (row) => `${row.querySelector(".title").textContent}: ${row.querySelector(".code").textContent}`;
  say(`${ended.length === 1 ? "1 attempt has" : `${ended.length} attempts have`} ended. ${ended.slice(0, 3).map(text).join(". ")}`);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && nextLook() !== null) look();
});

// ---------------------------------------------------------------- beginning

function improve(root) {
  tellTimes(root);
  for (const button of root.querySelectorAll(".copy")) button.hidden = false;
  for (const link of root.querySelectorAll("a.open")) link.setAttribute("role", "button");
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const on = (selector) => event.target.closest(selector);
  if (on("a.open")) {
    event.preventDefault();
    toggle(on("a.open"));
  } else if (on(".copy")) {
    copy(on(".copy"));
  } else if (on(".resend > summary")) {
    event.preventDefault();
    confirmResend(on(".resend > summary"));
  }
});

document.addEventListener("keydown", (event) => {
  // A button is pressed by the space bar too, and this was a link.
  if (event.key === " " && event.target.matches("a.open")) {
    event.preventDefault();
    toggle(event.target);
  }
});

improve(document);
const filters = document.querySelector("#filters");
if (filters) localFields(filters);
watch();
