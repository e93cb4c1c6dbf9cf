// The target poses: bundled ones, those of one's own photos and videos, and those that are drawn.

import { byId, chooseFiles, make, once, spell } from "./dom.js";
import { drawPoseTile, Skeleton } from "./skeleton.js";

export class Poses {
  constructor(api, people, say) {
    Object.assign(this, { api, people, say, chosen: new Set() });
    this.tiles = make("div", { class: "grid", role: "group", "aria-label": "Target poses" });
    for (const [name, { pose }] of Object.entries(api.info.poses)) this.addTile(name, name, drawPoseTile(api.info, pose));
    this.button = make("button", { type: "button", class: "primary", id: "generate", onclick: once(() => this.generate()) });
    this.retarget = make("input", { type: "checkbox", checked: true });
    this.paste = make("input", { type: "checkbox" });
    this.frames = make("input", { type: "number", min: 1, max: 120, value: 24 });
    this.rendering = {
      head: makeSelect("Head", [["auto", "as suits the pose"], ["keep", "as in the photo"], ["follow", "as in the pose"]]),
      background: makeSelect("Background", [["auto", "the photo’s"], ["transparent", "none (transparent)"], ["#ffffff", "white"], ["#808080", "gray"]]),
      frame_mode: makeSelect("Poses that leave the photo", [["keep", "are moved into it"], ["extend", "extend it"]]),
    };
    this.dialog = new DrawDialog(api, people, (pose, size) => this.addDrawn(pose, size));
    byId("panel-poses").append(
      make("p", { class: "soft" }, "Choose one pose or several."), this.tiles,
      make("div", { class: "row" },
        make("button", { type: "button", onclick: () => this.addFiles() }, "Pose of a photo or video…"),
        make("button", { type: "button", id: "draw", onclick: () => this.dialog.open() }, "Draw a pose…")),
      make("div", { id: "reading-poses" }),
      make("details", {}, make("summary", {}, "Options"), make("div", { class: "column" },
        make("label", { class: "inline" }, this.retarget, " Give poses the limb lengths, size and place of this person"),
        make("label", { class: "inline" }, this.paste, " Put results into the whole photo"),
        ...Object.values(this.rendering).map(({ element }) => element),
        make("label", { class: "inline" }, "Frames of a video, at most ", this.frames))),
      make("div", { class: "row action" }, this.button));
    people.addEventListener("select", () => this.draw());
    this.draw();
  }

  addTile(id, name, picture) {
    const tile = make("button", { type: "button", class: "tile", "aria-pressed": false, "data-pose": id, onclick: () => this.toggle(id, tile) }, picture, make("span", {}, spell(name.replaceAll("-", " "))));
    this.tiles.append(tile);
    return tile;
  }

  toggle(id, tile) {
    if (!this.chosen.delete(id)) this.chosen.add(id);
    tile.setAttribute("aria-pressed", this.chosen.has(id));
    this.draw();
  }

  draw() {
    const count = this.chosen.size;
    const moving = [...this.chosen].filter((id) => this.moving?.has(id)).length;
    const made = [[count - moving, "picture"], [moving, "animation"]].filter(([some]) => some);
    const told = made.map(([some, what]) => (some > 1 ? `${some} ${what}s` : count > 1 ? `1 ${what}` : `the ${what}`));
    this.button.disabled = !count || !this.people.current;
    this.button.textContent = !this.people.current ? "Open a photo first" : !count ? "Choose a pose" : `Make ${told.join(" and ")}`;
  }

  async addFiles() {
    for (const file of await chooseFiles("image/*,video/*,.json,.csv,.txt", true)) await this.addFile(file);
  }

  async addFile(file) {
    try {
      const path = `/targets?name=${encodeURIComponent(file.name)}&frames=${this.frames.value}`;
      const { about, answer } = await this.api.work("POST", path, { body: file });
      for (const warning of answer.warnings) this.say(warning);
      const tile = this.addTile(about.target, `${about.name}${answer.is_motion ? ` (${answer.count} poses)` : ""}`, drawPoseTile(this.api.info, answer.poses[0]));
      if (answer.is_motion) this.moving = (this.moving ?? new Set()).add(about.target);
      this.toggle(about.target, tile);
    } catch (error) {
      if (!error.cancelled) this.say(error.message, true);
    }
  }

  async addDrawn(pose, size) {
    try {
      const { target, name } = await this.api.call("POST", "/targets", { json: { pose, size } });
      this.toggle(target, this.addTile(target, name.replace(".json", ""), drawPoseTile(this.api.info, pose)));
    } catch (error) {
      this.say(error.message, true);
    }
  }

  async generate() {
    await this.people.editor.flush();
    const moving = [...this.chosen].filter((id) => this.moving?.has(id));
    const still = [...this.chosen].filter((id) => !moving.includes(id));
    const rendering = Object.fromEntries(Object.entries(this.rendering).map(([name, { select }]) => [name, select.value]));
    for (const targets of [...(still.length ? [still] : []), ...moving.map((id) => [id])]) {
      const json = { photo: this.people.selected, targets, retarget: this.retarget.checked, paste: this.paste.checked, frames: Number(this.frames.value) || 24, rendering };
      await this.people.order("generate", json);
    }
  }
}

function makeSelect(label, choices) {
  const select = make("select", {}, ...choices.map(([value, text]) => make("option", { value }, text)));
  return { select, element: make("label", { class: "inline" }, `${label} `, select) };
}

class DrawDialog {
  constructor(api, people, use) {
    Object.assign(this, { api, people, use });
    this.skeleton = new Skeleton(api.info, { keepLengths: true });
    this.start = make("select", { onchange: () => this.begin() });
    const keep = make("input", { type: "checkbox", checked: true, onchange: () => (this.skeleton.keepLengths = keep.checked) });
    this.stage = make("div", { class: "stage dark", "data-mode": "pose" }, this.skeleton.svg);
    this.element = make("dialog", { "aria-labelledby": "draw-title" },
      make("h2", { id: "draw-title" }, "Draw a pose"),
      make("div", { class: "row" }, make("label", { class: "inline" }, "Begin with ", this.start), make("label", { class: "inline" }, keep, " Bones keep their length")),
      make("div", { class: "zoom" }, this.stage),
      make("div", { class: "row" },
        make("button", { type: "button", onclick: () => this.skeleton.swap(true) }, "Mirror"),
        make("button", { type: "button", onclick: () => this.skeleton.remove() }, "Remove joint"),
        make("button", { type: "button", onclick: () => this.skeleton.undo() }, "Undo")),
      make("div", { class: "row action" },
        make("button", { type: "button", class: "primary", onclick: () => this.finish() }, "Use this pose"),
        make("button", { type: "button", onclick: () => this.element.close() }, "Cancel")));
    document.body.append(this.element);
  }

  open() {
    const own = this.people.current ? [make("option", { value: "" }, "the person's own pose")] : [];
    this.start.replaceChildren(...own, ...Object.keys(this.api.info.poses).map((name) => make("option", { value: name }, name)));
    this.begin();
    this.element.showModal();
  }

  begin() {
    const { pose, size } = this.start.value ? this.api.info.poses[this.start.value] : this.people.current;
    this.size = size;
    this.stage.style.aspectRatio = `${size[0]} / ${size[1]}`;
    this.stage.style.setProperty("--ratio", size[0] / size[1]);
    this.skeleton.show(pose, size);
  }

  finish() {
    this.element.close();
    this.use(this.skeleton.pose, this.size);
  }
}
