
// Rows that refresh while something is under way or due.

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
