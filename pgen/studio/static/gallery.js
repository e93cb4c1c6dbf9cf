// What is under way, and what came of it.

import { byId, make } from "./dom.js";

// Where jobs are shown that make no result: beside what was pressed.
const PLACES = { read: "reading", target: "reading-poses" };
const NAMES = { read: "Reading", target: "Reading the pose of", generate: "New poses of", transfer: "Clothes for", manipulate: "Edits of" };

export class Gallery {
  constructor(api, people, say) {
    Object.assign(this, { api, people, say, bars: new Map(), shown: new Map(), count: 0 });
    api.addEventListener("job", (event) => this.hear(event.detail));
    byId("all").href = `${api.base}/zip`;
    setInterval(() => this.tick(), 1000);
  }

  hear(job) {
    if (job.kind === "preview") return;
    const ended = ["done", "failed", "cancelled"].includes(job.state);
    if (ended) {
      this.bars.get(job.id)?.remove();
      this.bars.delete(job.id);
    } else this.drawBar(job);
    if (job.answer.results) this.add(job);
  }

  drawBar(job) {
    const name = `${NAMES[job.kind]} ${job.about.name ?? job.about.photo}`;
    let bar = this.bars.get(job.id);
    if (!bar) {
      const cancel = () => this.api.cancel(job.id).catch((error) => this.say(error.message, true));
      const [text, progress] = [make("span"), make("progress", { "aria-label": name })];
      const button = make("button", { type: "button", onclick: cancel, "aria-label": `Cancel ${name}` }, "Cancel");
      bar = Object.assign(make("div", { class: "job" }, text, progress, button), { text, progress, button });
      byId(PLACES[job.kind] ?? "jobs").append(bar);
      this.bars.set(job.id, bar);
      if (!PLACES[job.kind] && bar.getBoundingClientRect().top > innerHeight - (innerWidth < 821 ? 300 : 60)) byId("results").scrollIntoView();
    }
    const left = job.seconds_left === null ? "" : `, about ${Math.max(1, Math.round(job.seconds_left))} s left`;
    const state = job.state === "queued" ? (job.place ? `waits, ${job.place} before it` : "waits") : job.state === "stopping" ? "stopping…" : `${job.note}${left}`;
    bar.job = job;
    bar.text.textContent = `${name}: ${state}`;
    bar.button.disabled = job.state === "stopping";
    bar.progress.max = job.total;
    if (job.state === "running" && job.done) bar.progress.value = job.done;
    else bar.progress.removeAttribute("value");
  }

  // Let a second of the time left go by.
  tick() {
    for (const { job } of this.bars.values()) {
      if (job.state === "running" && job.seconds_left !== null) this.drawBar({ ...job, seconds_left: job.seconds_left - 1 });
    }
  }

  // Show what is new among the results of a job, which come one by one.
  add(job) {
    const { answer } = job;
    const shown = this.shown.get(job.id) ?? new Set();
    const isNew = (name) => name && !shown.has(name) && shown.add(name);
    const cards = answer.results.filter((result) => isNew(result.picture)).map((result) => this.makeCard(job, result));
    if (isNew(answer.gif)) cards.push(this.makeMovie(job));
    if (!cards.length) return;
    if (!this.shown.has(job.id)) byId("gallery").prepend(make("div", { class: "group", id: job.id }));
    this.shown.set(job.id, shown);
    byId(job.id).append(...cards);
    this.count += cards.length;
    byId("all").hidden = false;
    byId("said").textContent = `${this.count} ${this.count === 1 ? "result" : "results"}; the newest first.`;
  }

  makeCard(job, result) {
    const title = `${job.about.photo} → ${result.target}`;
    const picture = make("img", { src: this.api.file(result.picture), alt: `Result: ${title}`, class: "picture" });
    const panels = result.panels.map(({ caption, file }) => make("figure", {}, make("img", { src: this.api.file(file), alt: "" }), make("figcaption", {}, caption)));
    const card = make("article", { class: "result", "aria-label": title },
      make("h3", {}, title),
      make("div", { class: "pictures" }, make("div", { class: "panels" }, ...panels), make("a", { href: this.api.file(result.picture), target: "_blank" }, picture)),
      ...[...new Set([...job.answer.warnings, ...result.warnings])].map((warning) => make("p", { class: "warning" }, warning)),
      make("div", { class: "row" },
        make("a", { class: "button", download: result.picture, href: this.api.file(result.picture, true) }, "Picture"),
        make("a", { class: "button", download: result.sheet, href: this.api.file(result.sheet, true) }, "Sheet"),
        make("button", { type: "button", onclick: () => this.reuse(result) }, "Work on it"),
        make("button", { type: "button", "aria-label": `Remove ${title}`, onclick: () => this.remove(card, result.picture) }, "Remove")),
      this.makeCommand(result.command));
    return card;
  }

  makeMovie(job) {
    const { gif, command } = job.answer;
    const title = `${job.about.photo} → ${job.about.targets.length > 1 ? `all ${job.about.targets.length} poses` : job.about.targets[0]}`;
    const card = make("article", { class: "result movie", "aria-label": "Animation" }, make("h3", {}, title),
      make("a", { href: this.api.file(gif), target: "_blank" }, make("img", { src: this.api.file(gif), alt: `Animation: ${title}`, class: "picture" })),
      make("div", { class: "row" }, make("a", { class: "button", download: gif, href: this.api.file(gif, true) }, "GIF"),
        make("button", { type: "button", "aria-label": "Remove the animation", onclick: () => this.remove(card, gif) }, "Remove")),
      this.makeCommand(command));
    return card;
  }

  makeCommand(command) {
    const copy = make("button", { type: "button", onclick: async () => {
      await navigator.clipboard?.writeText(command);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    } }, "Copy");
    return make("details", { class: "command" }, make("summary", {}, "The command that makes the same"),
      make("pre", { tabindex: 0 }, make("code", {}, command)),
      make("div", { class: "row" }, copy, make("span", { class: "soft" }, "in a folder with the files of “Download all”")));
  }

  async reuse(result) {
    const blob = await (await fetch(this.api.file(result.picture))).blob();
    await this.people.open([new File([blob], result.picture, { type: blob.type })]);
    byId("person").scrollIntoView();
  }

  async remove(card, name) {
    card.remove();
    await this.api.call("DELETE", `/results/${encodeURIComponent(name)}`).catch((error) => this.say(error.message, true));
    this.count -= 1;
    byId("all").hidden = !this.count;
    byId("said").textContent = this.count ? `${this.count} results.` : "Nothing yet.";
  }
}
