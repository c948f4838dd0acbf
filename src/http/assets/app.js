// Moves the figures of runs under way, and reads the page again when a run begins or ends. Without it the page reads itself
// again every few seconds.
"use strict";
(() => {
  const main = document.querySelector("main");
  const numbers = new Intl.NumberFormat(document.documentElement.lang);
  const dollars = (usd) => "$" + usd.toFixed(usd >= 1 || usd === 0 ? 2 : 4);
  const show = {
    cost_usd: dollars,
    rows_per_s: (rate) => rate.toFixed(1),
  };

  function field(job, name) {
    return document.querySelector(`[data-field="${CSS.escape(name + "@" + job)}"]`);
  }

  function move(frame) {
    for (const { place: job, progress, rows_per_s, pace, latency } of frame.jobs) {
      if (!progress) continue;
      draw(job, { pace, latency });
      const bar = field(job, "bar");
      if (bar) {
        bar.max = Math.max(progress.rows_expected ?? progress.rows_read, 1);
        if (progress.rows_expected !== null) bar.value = progress.rows_settled;
      }
      for (const [name, value] of Object.entries({ ...progress, rows_per_s })) {
        const place = field(job, name);
        if (place && value !== null) place.textContent = (show[name] ?? ((n) => numbers.format(n)))(value);
      }
    }
  }

  function draw(job, curves) {
    for (const [name, { points, last, most }] of Object.entries(curves)) {
      const chart = document.querySelector(`[data-curve="${name}@${job}"]`);
      if (!chart) continue;
      chart.querySelector("polyline").setAttribute("points", points);
      chart.querySelector("b").textContent = last;
      chart.querySelector("span").textContent = most;
    }
  }

  // Which runs are under way, as the page has them and as a frame has them.
  const shown = () => [...document.querySelectorAll("[data-run]")].map((run) => run.dataset.run).sort().join();
  const told = (frame) => frame.jobs.map((job) => job.run_id).filter(Boolean).sort().join();
  const isOverview = () => document.querySelector("article.card") !== null;

  let reading = false;
  async function readAgain() {
    if (reading) return;
    reading = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      main.replaceChildren(...page.querySelector("main").childNodes);
    } finally {
      reading = false;
    }
  }

  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("progress", (event) => {
    const frame = JSON.parse(event.data);
    const here = shown();
    const changed = isOverview() ? here !== told(frame) : here !== "" && !told(frame).includes(here);
    if (changed) readAgain(); else move(frame);
  });
  addEventListener("pagehide", () => events.close());
})();
