// Edits of what is worn: by menus and sliders, or by hand; the new map is shown before it is painted.

import { byId, make, makeChoice } from "./dom.js";
import { makePaintTools, Painter } from "./painter.js";

const PREVIEW_AFTER = 250; // milliseconds

export class Edits {
  constructor(api, people, say) {
    Object.assign(this, { api, people, say, painted: false, timer: 0 });
    this.controls = Object.entries(api.info.edits).map(([name, edit]) => this.makeControl(name, edit));
    this.painter = new Painter(api.info, { before: true });
    this.painter.addEventListener("change", () => {
      this.painted = true;
      this.drawButton();
    });
    this.picture = make("img", { class: "shown", alt: "The photo with what is to change" });
    this.stage = make("div", { class: "stage", "data-mode": "map" }, this.picture, this.painter.canvas, this.painter.cursor);
    this.tools = makePaintTools(this.painter, makeChoice);
    this.said = make("p", { class: "soft", role: "status" });
    this.button = make("button", { type: "button", class: "primary", id: "edit", onclick: () => this.paint() });
    byId("panel-edits").append(
      make("div", { class: "controls" }, ...this.controls.map((control) => control.element)),
      (this.more = make("div", {}, this.said, make("div", { class: "zoom" }, this.stage),
        make("details", { id: "by-hand", ontoggle: (event) => this.painter.enable(event.target.open) }, make("summary", {}, "Paint the change by hand"), this.tools),
        make("div", { class: "row action" }, this.button, make("button", { type: "button", onclick: () => this.reset() }, "Undo all")))));
    this.painter.enable(false);
    people.addEventListener("select", () => this.reset());
    people.addEventListener("change", () => this.people.current !== this.photo && this.reset());
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
    for (const control of this.controls) control.reset();
    this.photo = this.people.current;
    this.more.hidden = !this.photo;
    if (this.photo) {
      this.picture.src = this.photo.url;
      this.stage.style.aspectRatio = `${this.photo.shown_size[0]} / ${this.photo.shown_size[1]}`;
      this.stage.style.setProperty("--ratio", this.photo.shown_size[0] / this.photo.shown_size[1]);
    }
    this.showMap(this.photo?.labels);
  }

  showMap(labels) {
    this.painted = false;
    if (this.photo && labels) this.painter.show(labels, this.photo.shown_size, this.photo.labels);
    this.said.textContent = "";
    this.drawButton();
  }

  drawButton() {
    const count = Object.keys(this.edits).length;
    this.button.disabled = !this.photo || (!count && !this.painted);
    this.button.textContent = !count && !this.painted ? "Choose an edit" : "Paint it";
  }

  preview() {
    clearTimeout(this.timer);
    this.drawButton();
    this.timer = setTimeout(() => this.fetchPreview(), PREVIEW_AFTER);
  }

  async fetchPreview() {
    const { photo, edits } = this;
    if (!photo) return;
    if (!Object.keys(edits).length) return this.showMap(photo.labels);
    try {
      await this.people.editor.flush();
      this.said.textContent = "Drawing the new map…";
      const { answer } = await this.api.work("POST", "/orders/preview", { json: { photo: photo.id, edits } });
      const labels = await this.api.bytes(answer.files.labels);
      if (photo !== this.photo) return;
      this.showMap(labels);
      this.said.textContent = [answer.changed ? "This is how the map changes." : "This changes nothing that the photo shows.", ...answer.warnings].join(" ");
    } catch (error) {
      if (error.cancelled) return;
      this.showMap(photo.labels);
      this.said.textContent = error.message;
    }
  }

  async paint() {
    const { photo, edits } = this;
    try {
      await this.people.editor.flush();
      const json = { photo: photo.id, edits };
      if (this.painted) {
        const answer = await this.api.call("PUT", `/photos/${photo.id}/labels?for=edit`, { body: this.painter.labels });
        Object.assign(json, { parsing: answer.parsing });
      }
      await this.api.work("POST", "/orders/manipulate", { json });
    } catch (error) {
      if (!error.cancelled) this.say(error.message, true);
    }
  }
}
