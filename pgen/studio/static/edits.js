// Edits of what is worn: by menus and sliders, or by hand; the new map is shown before it is painted.

import { byId, make, makeChoice, once } from "./dom.js";
import { makePaintTools, Painter } from "./painter.js";

const PREVIEW_AFTER = 250; // milliseconds

export class Edits {
  constructor(api, people, say) {
    Object.assign(this, { api, people, say, timer: 0, turn: 0, drawn: null });
    this.controls = Object.entries(api.info.edits).map(([name, edit]) => this.makeControl(name, edit));
    this.painter = new Painter(api.info, { before: true });
    this.painter.addEventListener("change", () => this.drawButton());
    this.picture = make("img", { class: "shown", alt: "The photo with what is to change" });
    this.stage = make("div", { class: "stage", "data-mode": "map" }, this.picture, this.painter.canvas, this.painter.cursor);
    this.tools = makePaintTools(this.painter, makeChoice);
    this.said = make("p", { class: "soft", role: "status" });
    this.button = make("button", { type: "button", class: "primary", id: "edit", onclick: once(() => this.paint()) });
    byId("panel-edits").append(
      make("div", { class: "controls" }, ...this.controls.map((control) => control.element)),
      (this.more = make("div", {}, this.said, make("div", { class: "zoom" }, this.stage),
        make("details", { id: "by-hand", ontoggle: (event) => this.painter.enable(event.target.open) }, make("summary", {}, "Paint the change by hand"), this.tools),
        make("div", { class: "row action" }, this.button, make("button", { type: "button", onclick: () => this.reset() }, "Undo all")))));
    this.painter.enable(false);
    people.addEventListener("select", () => this.reset());
    people.addEventListener("change", () => this.refresh());
    this.reset();
  }

  makeControl(name, { choices, share }) {
    const select = make("select", { id: `edit-${name}`, onchange: () => this.preview() },
      make("option", { value: "" }, "as it is"), ...choices.map((choice) => make("option", { value: choice }, choice)), share ? make("option", { value: "share" }, "by the slider") : null);
    const label = name[0].toUpperCase() + name.slice(1);
    const slider = share && make("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.5, "aria-label": `${label}, share of the limb`, oninput: () => {
      select.value = "share";
      this.preview();
    } });
    const value = () => (select.value === "share" ? Number(slider.value) : select.value);
    return { name, value, reset: () => (select.value = ""), element: make("div", { class: "control" }, make("label", { for: `edit-${name}` }, label), select, slider || null) };
  }

  get edits() {
    return Object.fromEntries(this.controls.map((control) => [control.name, control.value()]).filter(([, value]) => value !== ""));
  }

  reset() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.turn += 1; // a preview that is under way is not shown any more
    for (const control of this.controls) control.reset();
    this.photo = this.people.current;
    this.labels = this.photo?.labels;
    this.more.hidden = !this.photo;
    if (this.photo) {
      this.picture.src = this.photo.url;
      this.stage.style.aspectRatio = `${this.photo.shown_size[0]} / ${this.photo.shown_size[1]}`;
      this.stage.style.setProperty("--ratio", this.photo.shown_size[0] / this.photo.shown_size[1]);
    }
    if (this.photo) this.painter.show(this.labels, this.photo.shown_size, this.labels);
    this.said.textContent = "";
    this.drawButton();
  }

  // Begin anew with another photo; of a map that was corrected, show the edits again.
  refresh() {
    if (this.people.current !== this.photo) return this.reset();
    if (!this.photo || this.photo.labels === this.labels) return;
    this.labels = this.photo.labels;
    this.showMap(this.labels);
    if (Object.keys(this.edits).length) this.preview();
  }

  // A map, with what was painted by hand over it.
  showMap(labels) {
    this.painter.lay(labels, this.photo.labels);
    this.said.textContent = "";
    this.drawButton();
  }

  drawButton() {
    const isSome = Object.keys(this.edits).length > 0 || (this.photo && this.painter.changed);
    this.button.disabled = !this.photo || !isSome;
    this.button.textContent = !isSome ? "Choose an edit" : "Paint it";
  }

  preview() {
    clearTimeout(this.timer);
    this.drawButton();
    this.timer = setTimeout(() => this.drawPreview(), PREVIEW_AFTER);
  }

  drawPreview() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.drawn = this.fetchPreview();
    return this.drawn;
  }

  async fetchPreview() {
    const { photo, edits } = this;
    if (!photo) return;
    const turn = ++this.turn;
    if (!Object.keys(edits).length) return this.showMap(photo.labels);
    try {
      await this.people.editor.flush();
      this.said.textContent = "Drawing the new map…";
      const { answer } = await this.api.work("POST", "/orders/preview", { json: { photo: photo.id, edits } });
      const labels = await this.api.bytes(answer.files.labels);
      if (turn !== this.turn) return;
      this.showMap(labels);
      this.said.textContent = [answer.changed ? "This is how the map changes." : "This changes nothing that the photo shows.", ...answer.warnings].join(" ");
    } catch (error) {
      if (error.cancelled || turn !== this.turn) return;
      this.showMap(photo.labels);
      this.said.textContent = error.message;
    }
  }

  async paint() {
    const { photo, edits } = this;
    try {
      await this.people.editor.flush();
      const json = { photo: photo.id, edits };
      if (this.painter.changed) {
        await (this.timer ? this.drawPreview() : this.drawn); // what is painted by hand lies over it
        const answer = await this.api.call("PUT", `/photos/${photo.id}/labels?for=edit`, { body: this.painter.labels });
        Object.assign(json, { parsing: answer.parsing });
      }
      await this.people.order("manipulate", json);
    } catch (error) {
      this.say(error.message, true);
    }
  }
}
