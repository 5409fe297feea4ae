
// Rows that open in place, and resends that ask in a dialog and stay on the page.

const detailsOf = (row) => document.getElementById(`d-${row.dataset.id}`);

function mark(row, open) {
  row.querySelector(".open").setAttribute("aria-expanded", String(open));
}

async function fill(row) {
  const address = `${location.pathname}/${row.dataset.id}/details${location.search}`;
  const content = (await ask(address)).page.body;
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
    const { page, address } = await ask(form.action, { method: "POST", body });
    dialog.close();
    // The answer is the newest page, which is not the one seen here, or has nothing of it.
    if (new URLSearchParams(location.search).has("before") || !merge(page)) {
      location.assign(address);
      return;
    }
    tell(page.querySelector("#said .notice")?.childNodes ?? ["Resend asked for."], "ok");
    // What is open tells of the delivery's life, which has a new part; the form asks once.
    const row = form.action.match(/\/([0-9a-f-]{36})\/resend/)[1];
    // It was resent, whether this can be read now or not.
    await refill(row).catch(() => {});
    pause = POLL;
    watch();
  } catch (error) {
    dialog.close();
    failed(error);
  }
}

// What tells an element of a row's details from the others, in every rendering of them.
const sameness = (element) =>
  [element.tagName, element.getAttribute("href"), element.dataset.copy, element.getAttribute("aria-label")].join(" ");

async function refill(id) {
  const row = document.getElementById(`a-${id}`);
  if (!row || !detailsOf(row)) return;
  const focused = document.activeElement;
  const within = detailsOf(row).contains(focused);
  await fill(row);
  if (!within) return;
  const again = [...detailsOf(row).querySelectorAll("a, button, summary, pre")];
  const same = again.find((element) => sameness(element) === sameness(focused));
  (same ?? row.querySelector(".open")).focus({ preventScroll: true });
}
