
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

// A page that is loaded again does not tell again of a resend.
const address = new URL(location.href);
if (address.searchParams.has("resent")) {
  address.searchParams.delete("resent");
  history.replaceState(null, "", address);
}

improve(document);
const filters = document.querySelector("#filters");
if (filters) localFields(filters);
watch();
