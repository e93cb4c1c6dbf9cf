// Clothes of a second photo.

import { byId, chooseFiles, make, once } from "./dom.js";

const NAMES = { upper: "Top", lower: "Trousers or skirt", hair: "Hair" };

export class Clothes {
  constructor(api, people, say) {
    Object.assign(this, { api, people, say, selected: null });
    this.strip = make("div", { class: "strip", role: "radiogroup", "aria-label": "Photo of the clothes" });
    this.boxes = Object.entries(NAMES).map(([region, name]) => {
      const box = make("input", { type: "checkbox", value: region, checked: region === "upper", onchange: () => this.draw() });
      return [box, make("label", { class: "inline" }, box, ` ${name}`)];
    });
    this.shape = make("input", { type: "checkbox" });
    this.button = make("button", { type: "button", class: "primary", id: "dress", onclick: once(() => this.transfer()) });
    byId("panel-clothes").append(
      make("p", { class: "soft" }, "Whose clothes? Choose a photo that is open, or add one."),
      make("div", { class: "row" }, this.strip),
      make("div", { class: "row" }, make("button", { type: "button", onclick: () => this.add() }, "Photo of clothes…"), this.makeExamples()),
      make("fieldset", {}, make("legend", {}, "What to take"), make("div", { class: "row" }, ...this.boxes.map(([, label]) => label))),
      make("label", { class: "inline" }, this.shape, " Take on the shape too, such as the length of sleeves"),
      make("div", { class: "row action" }, this.button));
    people.addEventListener("change", () => this.draw());
    people.addEventListener("select", () => this.draw());
    this.draw();
  }

  makeExamples() {
    const select = make("select", { "aria-label": "Clothes of a rendered person", id: "clothes-example", onchange: async () => {
      const name = select.value;
      select.value = "";
      if (name) this.choose(await this.people.openExample(name, false));
    } }, make("option", { value: "" }, "Rendered person…"), ...this.api.info.examples.map((name) => make("option", { value: name }, name)));
    return select;
  }

  async add() {
    this.choose(await this.people.open(await chooseFiles("image/*"), false));
  }

  choose(photo) {
    if (photo) this.selected = photo.id;
    this.draw();
  }

  draw() {
    const others = [...this.people.photos.values()].filter((photo) => photo.id !== this.people.selected);
    if (!others.some((photo) => photo.id === this.selected)) this.selected = others.at(-1)?.id ?? null;
    this.strip.replaceChildren(...others.map((photo) => make("button", { type: "button", class: "tile", role: "radio", "aria-checked": photo.id === this.selected, "aria-label": photo.name, title: photo.name, onclick: () => this.choose(photo) },
      make("img", { src: photo.url, alt: "", width: 75, height: 100 }))));
    const regions = this.boxes.filter(([box]) => box.checked);
    this.button.disabled = !this.people.current || !this.selected || !regions.length;
    this.button.textContent = !this.people.current ? "Open a photo first" : !this.selected ? "Add a photo of clothes" : !regions.length ? "Choose what to take" : "Put them on";
  }

  async transfer() {
    await this.people.editor.flush();
    const regions = this.boxes.filter(([box]) => box.checked).map(([box]) => box.value);
    const json = { clothes: this.selected, person: this.people.selected, regions, shape: this.shape.checked };
    await this.people.order("transfer", json);
  }
}
