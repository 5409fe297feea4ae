
// What is done to all that the server sends, and what begins it.

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

// Browsers keep the page that somebody leaves, to go back to: after signing out it is not there to see.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A page that is loaded again does not tell again of a resend, and is not the first of its session.
const address = new URL(location.href);
const passing = ["resent", "opened"].filter((name) => address.searchParams.has(name));
if (passing.length) {
  for (const name of passing) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}

improve(document);
const filters = document.querySelector("#filters");
if (filters) localFields(filters);
watch();
