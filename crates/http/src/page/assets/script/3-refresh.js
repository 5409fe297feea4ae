
// Rows that refresh while something is under way or due.

const rowsOf = (of) => [...(of?.tBodies[0].rows ?? [])].filter((row) => row.dataset.id);

// Every answer that is taken over makes those void that were asked for before it.
let turn = 0;

// Takes the rows of another rendering over, and gives those that changed; what did not change, and what is open,
// stays as it is. None where the two have no row in common: what is between them nobody knows.
function merge(page) {
  turn += 1;
  const here = table();
  const there = page.querySelector("#webhooks");
  const fresh = rowsOf(there);
  const known = new Set(fresh.map((row) => row.id));
  if (!rowsOf(here).some((row) => known.has(row.id))) return null;
  here.dataset.now = there.dataset.now;
  renderedAt = performance.now();
  // Older rows than these are on a next page, if there is one. All others were left out for a reason.
  const more = page.querySelector("nav a[rel=next]") !== null;
  const oldest = fresh.at(-1).dataset.id;
  for (const row of rowsOf(here)) {
    if (!known.has(row.id) && !(more && row.dataset.id < oldest)) drop(row);
  }
  const body = here.tBodies[0];
  const changed = [];
  let after = null;
  for (const one of fresh) {
    let row = document.getElementById(one.id);
    if (!row) {
      row = document.importNode(one, true);
      improve(row);
      changed.push(row);
    } else if (row.dataset.state !== one.dataset.state) {
      renew(row, one);
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
  trim(page);
  return changed;
}

// What is shown and not asked for any more would go out of date: it is on the next page. What is open stays.
function trim(page) {
  const rows = rowsOf(table());
  const beyond = rows.slice(SHOWN_AT_MOST);
  if (!beyond.length) return;
  for (const row of beyond) if (!detailsOf(row)) drop(row);
  let next = document.querySelector("nav a[rel=next]");
  if (!next) {
    const pages = document.importNode(page.querySelector("nav.pages"), true);
    document.querySelector("main").append(pages);
    next = pages.querySelector("a[rel=next]");
  }
  const address = new URL(next.href);
  const limit = new URLSearchParams(location.search).get("limit");
  if (limit) address.searchParams.set("limit", limit);
  else address.searchParams.delete("limit");
  address.searchParams.set("before", rows[SHOWN_AT_MOST - 1].dataset.id);
  next.href = address;
}

function renew(row, fresh) {
  row.dataset.state = fresh.dataset.state;
  row.dataset.due = fresh.dataset.due ?? "";
  for (const head of ["Response Code", "Time Stamp"]) {
    const cell = (of) => of.querySelector(`[data-head="${head}"]`);
    cell(row).replaceChildren(...document.importNode(cell(fresh), true).childNodes);
  }
  tellTimes(row);
}

function drop(row) {
  const details = detailsOf(row);
  const next = (details ?? row).nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement) || details?.contains(document.activeElement)) {
    next?.querySelector("a.open, summary")?.focus({ preventScroll: true });
  }
  details?.remove();
  row.remove();
}

// When to look again, in milliseconds from now; none where nothing is awaited.
function nextLook() {
  const rows = rowsOf(table());
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

// Where all that is shown is found again, as far as it can be: rows that came made it longer than a page.
function again() {
  const address = new URL(location.href);
  const shown = rowsOf(table()).length;
  address.searchParams.set("limit", Math.min(Math.max(Number(table().dataset.limit), shown), SHOWN_AT_MOST));
  // What is open is asked for by itself, where it has changed.
  address.searchParams.delete("open");
  return address;
}

async function look() {
  if (document.hidden) return;
  const mine = ++turn;
  try {
    const { page } = await ask(again());
    if (mine !== turn) return;
    if (viewer(page) !== viewer(document)) {
      say("Another session for this loan was opened in this browser. Load the page again to go on with it.", "bad");
      return;
    }
    const changed = merge(page);
    if (!changed && !document.querySelector("dialog[open], tr.details")) {
      location.reload();
      return;
    }
    pause = changed?.length ? POLL : Math.min(pause * 1.3, POLL_AT_MOST);
    if (changed) await show(changed);
    else offer(page);
  } catch (error) {
    if (error instanceof Ended) return;
    if (error.final) {
      say(`This page does not refresh any more. ${error.message}`, "bad");
      return;
    }
    pause = Math.min(pause * 2, POLL_AT_MOST);
  }
  watch();
}

// For whom a page was made, in which tenant.
const viewer = (page) => page.querySelector(".who")?.dataset.viewer;

async function show(changed) {
  const traces = new Set(changed.map((row) => row.dataset.trace));
  for (const row of rowsOf(table())) {
    if (traces.has(row.dataset.trace) && !busy(detailsOf(row))) await refill(row.dataset.id);
  }
  announce(changed);
}

// Nothing of what is shown is found again, and somebody is at it: they say when it goes.
function offer(page) {
  if (said.querySelector("a.newer")) return;
  const link = document.createElement("a");
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.delete("open");
  link.href = address;
  link.className = "newer";
  const came = rowsOf(page.querySelector("#webhooks")).length > 0;
  link.textContent = came ? "show them" : "look again";
  tell([came ? "Newer webhooks have come: " : "What is shown here does not match the filters any more: ", link], "wait", true);
}

// Somebody is about to resend: what they read does not change under their eyes.
const busy = (details) => details?.querySelector(".resend[open]") || document.querySelector("dialog[open]");

function announce(changed) {
  const ended = changed.filter((row) => !row.dataset.state.startsWith("wait"));
  if (!ended.length) return;
  const kind = ended.some((row) => row.dataset.state.startsWith("bad")) ? "bad" : "ok";
  const words = [`${ended.length === 1 ? "1 attempt has" : `${ended.length} attempts have`} ended`];
  for (const row of ended.slice(0, 3)) {
    // Whatever its direction, it turns nothing around it.
    const title = document.createElement("bdi");
    title.textContent = row.querySelector(".title").textContent;
    words.push(". ", title, `: ${row.querySelector(".code").textContent}`);
  }
  tell(words, kind, false);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && nextLook() !== null) look();
});
