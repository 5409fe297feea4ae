
// What became of a bulk resend, renewed until all of it has an outcome.

const runningJob = () => document.querySelector("#job[data-running]");
let jobTimer = null;
let jobPause = POLL;

// Its deliveries, unless somebody is at one of them.
function renewItems(page) {
  const [items, fresh] = [document, page].map((of) => of.querySelector("#items"));
  if (!items || !fresh || items.contains(document.activeElement)) return;
  items.replaceChildren(...document.importNode(fresh, true).childNodes);
}

async function lookAtJob() {
  if (document.hidden) return;
  try {
    const { page } = await ask(location.href);
    const fresh = page.querySelector("#job");
    const job = runningJob();
    if (viewer(page) !== viewer(document) || !fresh || !job) return;
    job.replaceChildren(...document.importNode(fresh, true).childNodes);
    renewItems(page);
    if (fresh.dataset.running === undefined) {
      delete job.dataset.running;
      say(job.querySelector("h2").textContent, "ok", true);
      return;
    }
    jobPause = POLL;
  } catch (error) {
    if (error instanceof Ended) return;
    if (error.final) {
      say(`This page does not refresh any more. ${error.message}`, "bad");
      return;
    }
    jobPause = Math.min(jobPause * 2, POLL_AT_MOST);
  }
  watchJob();
}

function watchJob() {
  clearTimeout(jobTimer);
  if (runningJob()) jobTimer = setTimeout(lookAtJob, jobPause);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && runningJob()) lookAtJob();
});

watchJob();
