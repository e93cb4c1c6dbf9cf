// The photos that are open, and the editor of the pose and map of one of them.

import { byId, chooseFiles, make, makeChoice, spell } from "./dom.js";
import { makePaintTools, Painter } from "./painter.js";
import { Skeleton } from "./skeleton.js";

const SAVE_AFTER = 500; // milliseconds without a further stroke

export class People extends EventTarget {
  // Events: "change" when photos come, go or are read anew, "select".

  constructor(api, say) {
    super();
    Object.assign(this, { api, say, photos: new Map(), closed: new Set(), selected: null });
    this.editor = new Editor(api, say, () => this.dispatchEvent(new CustomEvent("change")));
    byId("editor").append(this.editor.element);
    byId("choose").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", (event) => {
      this.open([...event.target.files]);
      event.target.value = "";
    });
    const drop = byId("person");
    for (const kind of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.open([...event.dataTransfer.files]);
      });
    }
    addEventListener("paste", (event) => this.open([...(event.clipboardData?.files ?? [])]));
    for (const name of api.info.examples) {
      const picture = make("img", { src: `/api/examples/${name}`, alt: "", width: 60, height: 80 });
      byId("examples").append(make("button", { type: "button", class: "tile", "aria-label": `Rendered person: ${name}`, "data-example": name, onclick: () => this.openExample(name) }, picture));
    }
  }

  get current() {
    return this.photos.get(this.selected);
  }

  // Open files, one after another, and select the first; the photo that was opened last.
  async open(files, select = true) {
    let photo = null;
    for (const file of files) {
      const limit = this.api.info.most_bytes;
      if (file.size > limit) {
        this.say(`${file.name} is over ${Math.round(limit / 2 ** 20)} MB, too large; scale it down`, true);
        continue;
      }
      const opened = await this.read("POST", `/photos?name=${encodeURIComponent(file.name)}`, { body: file }, select && !photo);
      photo = opened ?? photo;
    }
    return photo;
  }

  // Show photos that are open on the server: the page was loaded anew.
  async reopen(photos) {
    for (const id of photos) await this.read("PATCH", `/photos/${id}`, { json: {} }, false);
  }

  // Ask for results, which appear as they come; through once it is known that they will be made.
  async order(kind, json) {
    const complain = (error) => error.cancelled || this.say(error.message, true);
    try {
      this.api.wait(await this.api.call("POST", `/orders/${kind}`, { json })).catch(complain);
    } catch (error) {
      complain(error);
    }
  }

  openExample(name, select = true) {
    return this.read("POST", `/photos?example=${name}`, {}, select);
  }

  async read(method, path, content, select = true) {
    try {
      const { about, answer } = await this.api.work(method, path, content);
      if (this.closed.has(about.photo)) return null;
      const photo = {
        ...answer, id: about.photo, name: about.name,
        url: this.api.file(answer.files.shown), labels: await this.api.bytes(answer.files.labels),
      };
      const isSelected = this.photos.has(photo.id) ? photo.id === this.selected : select || !this.selected;
      this.photos.set(photo.id, photo);
      if (isSelected) this.select(photo.id);
      this.draw();
      this.dispatchEvent(new CustomEvent("change"));
      return photo;
    } catch (error) {
      if (!error.cancelled) this.say(error.message, true);
      return null;
    }
  }

  select(id) {
    this.editor.flush();
    this.selected = id;
    byId("editor").hidden = !this.current;
    byId("drop").classList.toggle("small", this.photos.size > 0);
    if (this.current) this.editor.show(this.current, (method, path, content) => this.read(method, path, content));
    this.draw();
    this.dispatchEvent(new CustomEvent("select"));
  }

  async remove(id) {
    this.photos.delete(id);
    this.closed.add(id);
    if (this.selected === id) this.select([...this.photos.keys()].at(-1) ?? null);
    this.draw();
    this.dispatchEvent(new CustomEvent("change"));
    await this.api.call("DELETE", `/photos/${id}`).catch((error) => this.say(error.message, true));
  }

  draw() {
    const strip = byId("photos");
    strip.hidden = this.photos.size === 0;
    strip.replaceChildren(...[...this.photos.values()].map((photo) => make("div", { class: "photo" },
      make("button", { type: "button", class: "tile", role: "radio", "aria-checked": photo.id === this.selected, "aria-label": photo.name, title: photo.name, onclick: () => this.select(photo.id) },
        make("img", { src: photo.url, alt: "", width: 60, height: 80 })),
      make("button", { type: "button", class: "close", "aria-label": `Close ${photo.name}`, title: "Close", onclick: () => this.remove(photo.id) }, "×"))));
  }
}

class Editor {
  constructor(api, say, onchange) {
    Object.assign(this, { api, say, onchange, photo: null, timer: 0, saving: Promise.resolve() });
    this.skeleton = new Skeleton(api.info);
    this.painter = new Painter(api.info);
    this.picture = make("img", { class: "shown", alt: "" });
    this.stage = make("div", { class: "stage" }, this.picture, this.painter.canvas, this.skeleton.svg, this.painter.cursor);
    this.notes = make("div", { class: "notes" });
    this.skeleton.addEventListener("change", () => this.savePose());
    this.skeleton.addEventListener("select", () => this.showJoint());
    this.painter.addEventListener("change", () => this.saveLabels());
    this.mode = makeChoice("What to change", [["look", "Look"], ["pose", "Move joints"], ["map", "Paint the map"]], "look", (mode) => this.setMode(mode));
    const opacity = make("input", { type: "range", min: 0, max: 100, value: 45, "aria-label": "How strongly the map is drawn", oninput: () => this.stage.style.setProperty("--map", opacity.value / 100) });
    const bones = make("input", { type: "checkbox", checked: true, onchange: () => (this.skeleton.svg.style.display = bones.checked ? "" : "none") });
    this.stage.style.setProperty("--map", 0.45);
    this.element = make("div", { class: "editor" },
      make("div", { class: "row" }, this.mode),
      (this.poseTools = this.makePoseTools()), (this.mapTools = this.makeMapTools()),
      make("div", { class: "zoom" }, this.stage),
      make("div", { class: "row view" }, make("label", { class: "inline" }, "Map ", opacity), make("label", { class: "inline" }, bones, " Skeleton"), this.makeZoom()),
      (this.poseFiles = this.makeFileTools("pose", ".json,.csv,.txt,application/json", "Pose")),
      (this.mapFiles = this.makeFileTools("parsing", ".png,.npy,image/png", "Map")), this.makePhotoTools(), this.notes);
    this.setMode("look");
  }

  makeZoom() {
    const zoom = make("input", { type: "range", min: 100, max: 400, step: 25, value: 100, "aria-label": "Enlarge the photo", oninput: () => (this.stage.style.width = `${zoom.value}%`) });
    return make("label", { class: "inline" }, "Zoom ", zoom);
  }

  makePoseTools() {
    this.missing = make("select", { "aria-label": "Add a joint that is missing", onchange: () => {
      if (this.missing.value) this.skeleton.add(Number(this.missing.value));
    } });
    this.joint = make("span", { class: "soft" });
    this.removal = make("button", { type: "button", onclick: () => this.skeleton.remove() }, "Remove joint");
    return make("div", { class: "tools" },
      make("p", { class: "soft" }, "Drag joints; with the keyboard, Tab chooses one, arrows move it, Delete removes it."),
      make("div", { class: "row" }, this.missing, this.removal,
        make("button", { type: "button", onclick: () => this.skeleton.swap() }, "Swap left and right"),
        make("button", { type: "button", onclick: () => this.skeleton.undo() }, "Undo"), this.joint));
  }

  makeMapTools() {
    const tools = makePaintTools(this.painter, makeChoice);
    tools.prepend(make("p", { class: "soft" }, "Correct labels that are wrong. To change what is worn, use Edits."));
    return tools;
  }

  makeFileTools(kind, accept, title) {
    const link = make("a", { class: "button", download: true }, `Download ${title.toLowerCase()}`);
    this[`${kind}Link`] = link;
    return make("div", { class: "row" },
      make("button", { type: "button", onclick: () => this.reread({ estimate: [kind] }) }, "Estimate anew"), link,
      make("button", { type: "button", onclick: () => this.upload(accept) }, `Open ${title.toLowerCase()}…`));
  }

  makePhotoTools() {
    this.number = make("input", { type: "number", min: 0, max: 99, placeholder: "largest", onchange: () => {
      this.reread({ number: this.number.value === "" ? null : Number(this.number.value) });
    } });
    this.whole = make("input", { type: "checkbox", onchange: () => this.reread({ crop: !this.whole.checked }) });
    return make("details", {}, make("summary", {}, "More about this photo"),
      make("div", { class: "row" },
        make("label", { class: "inline" }, "Which person of several (0 is the largest) ", this.number),
        make("label", { class: "inline" }, this.whole, " Work on the whole photo, also if the person is small in it")));
  }

  setMode(mode) {
    this.skeleton.enable(mode === "pose");
    this.painter.enable(mode === "map");
    this.stage.dataset.mode = mode;
    this.poseTools.hidden = this.poseFiles.hidden = mode !== "pose";
    this.mapTools.hidden = this.mapFiles.hidden = mode !== "map";
  }

  show(photo, read) {
    Object.assign(this, { photo, read });
    this.picture.src = photo.url;
    this.picture.alt = `The photo ${photo.name}`;
    this.stage.style.aspectRatio = `${photo.shown_size[0]} / ${photo.shown_size[1]}`;
    this.stage.style.setProperty("--ratio", photo.shown_size[0] / photo.shown_size[1]);
    this.skeleton.show(photo.pose, photo.size);
    this.painter.show(photo.labels, photo.shown_size);
    this.showJoint();
    this.showNotes();
  }

  showNotes() {
    const { photo } = this;
    const [x, y] = photo.size;
    const facts = `${photo.name}, ${x}×${y}${photo.is_cropped ? "; the networks see the part around the person" : ""}`;
    this.notes.replaceChildren(make("p", { class: "soft" }, [facts, ...photo.notes.map((note) => note.replace(`${photo.name}: `, ""))].join("; ")),
      ...photo.warnings.map((warning) => make("p", { class: "warning" }, warning)));
    this.number.value = photo.number ?? "";
    this.whole.checked = !photo.crop;
    for (const kind of ["pose", "parsing"]) this[`${kind}Link`].href = this.api.file(photo.annotations[kind], true);
  }

  showJoint() {
    const { selected, pose } = this.skeleton;
    const names = this.api.info.joints;
    this.joint.textContent = selected === null ? "" : spell(names[selected]);
    this.removal.disabled = selected === null;
    const missing = names.map((name, index) => [name, index]).filter(([, index]) => !pose[index]);
    this.missing.disabled = !missing.length;
    this.missing.replaceChildren(make("option", { value: "" }, missing.length ? "Add a joint…" : "No joint is missing"),
      ...missing.map(([name, index]) => make("option", { value: index }, spell(name))));
  }

  async savePose() {
    const { photo } = this;
    photo.pose = this.skeleton.pose.map((joint) => joint && [...joint]);
    this.showJoint();
    await this.save(photo, () => this.api.call("PATCH", `/photos/${photo.id}`, { json: { pose: photo.pose } }));
  }

  saveLabels() {
    this.photo.labels = Uint8Array.from(this.painter.labels);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), SAVE_AFTER);
    this.unsaved = true;
  }

  // Save what was painted; whoever uses the photo waits for it.
  async flush() {
    clearTimeout(this.timer);
    const { photo } = this;
    if (this.unsaved) {
      this.unsaved = false;
      await this.save(photo, () => this.api.call("PUT", `/photos/${photo.id}/labels`, { body: photo.labels }));
    }
    await this.saving;
  }

  save(photo, send) {
    this.saving = this.saving.then(async () => {
      if (photo !== this.photo && photo.id === this.photo?.id) return; // it was read anew
      try {
        Object.assign(photo, await send());
        if (photo === this.photo) this.showNotes();
        this.onchange();
      } catch (error) {
        this.say(error.message, true);
      }
    });
    return this.saving;
  }

  reread(json) {
    return this.change("PATCH", "", { json });
  }

  // Have the photo read with something else, unless that is wrong; whoever uses the photo waits for it.
  async change(method, path, content) {
    const { photo } = this;
    this.flush();
    this.saving = this.saving.then(() => this.read(method, `/photos/${photo.id}${path}`, content));
    if (!(await this.saving) && photo === this.photo) this.showNotes();
  }

  async upload(accept) {
    const [file] = await chooseFiles(accept);
    if (!file) return;
    await this.change("PUT", `/annotation?name=${encodeURIComponent(file.name)}`, { body: file });
  }
}
