
// Forms: a search among choices as it is typed. The script does what the button does without it, so the button goes, and what is searched
// is not sent.

for (const search of document.querySelectorAll("[data-filters]")) {
  const choices = document.querySelectorAll(`${search.dataset.filters} > li`);
  search.removeAttribute("name");
  search.parentElement.querySelector("button").hidden = true;
  search.addEventListener("input", () => {
    const text = search.value.trim().toLowerCase();
    for (const choice of choices) choice.hidden = !choice.textContent.toLowerCase().includes(text);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// A form of settings is sent once, however often its button is pressed. Where no answer comes, or the browser shows the page again, it
// can be sent again: a webhook or a key is made once all the same.
const SENT_FOR = 5000;

for (const form of document.querySelectorAll("form.settings")) {
  let sent = false;
  const free = () => {
    sent = false;
  };
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    setTimeout(free, SENT_FOR);
  });
  window.addEventListener("pageshow", free);
}
