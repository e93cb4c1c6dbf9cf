// A parsing map to look at and to paint: one label a pixel, drawn over the photo in the palette's colors.

import { make } from "./dom.js";

const MOST_UNDONE = 40;

export class Painter extends EventTarget {
  // Events: "change" after a stroke, a filling, or what was undone.

  constructor(info, { before = false } = {}) {
    super();
    // With `before`, what is as it was is drawn faintly, so that one sees what has changed.
    Object.assign(this, { info, before: null, showsChange: before, label: 3, brush: 24, tool: "brush", undone: [], enabled: true });
    this.canvas = make("canvas", { class: "map", tabindex: -1 });
    this.canvas.setAttribute("aria-label", "Parsing map. Arrow keys move the brush, the space bar paints.");
    this.canvas.setAttribute("role", "img");
    this.cursor = make("div", { class: "brush", hidden: true });
    this.context = this.canvas.getContext("2d");
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.point(this.locate(event)));
    this.canvas.addEventListener("pointerleave", () => (this.cursor.hidden = true));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("blur", () => (this.cursor.hidden = true));
  }

  show(labels, [width, height], before = null) {
    Object.assign(this, { labels: Uint8Array.from(labels), base: Uint8Array.from(labels), before: before && Uint8Array.from(before), width, height, undone: [] });
    this.spot = [width / 2, height / 2];
    Object.assign(this.canvas, { width, height });
    this.draw([0, 0, width, height]);
  }

  // Another map beneath what was painted, which stays, as do the steps that can be undone.
  lay(base, before) {
    const [old, { width }] = [this.base, this];
    const over = (label, at) => (label === old[at] ? base[at] : label);
    for (const step of this.undone) {
      const [left, top] = step.box;
      step.rows = step.rows.map((row, y) => row.map((label, x) => over(label, (top + y) * width + left + x)));
    }
    this.whole = this.whole?.map(over);
    Object.assign(this, { labels: this.labels.map(over), base: Uint8Array.from(base), before: Uint8Array.from(before) });
    this.draw([0, 0, width, this.height]);
  }

  enable(enabled) {
    this.enabled = enabled;
    this.canvas.classList.toggle("fixed", !enabled);
    this.canvas.tabIndex = enabled ? 0 : -1;
  }

  draw([left, top, right, bottom]) {
    const [width, height] = [right - left, bottom - top];
    if (width < 1 || height < 1) return;
    const image = this.context.createImageData(width, height);
    for (let y = top, to = 0; y < bottom; y++) {
      for (let x = left, at = y * this.width + left; x < right; x++, at++, to += 4) {
        const label = this.labels[at];
        const changed = this.showsChange && this.before && this.before[at] !== label;
        image.data.set(this.info.palette[label], to);
        image.data[to + 3] = changed ? 255 : label === 0 ? 0 : this.showsChange ? 70 : 255;
      }
    }
    this.context.putImageData(image, left, top);
  }

  // Whether something was painted.
  get changed() {
    return this.labels.some((label, at) => label !== this.base[at]);
  }

  locate(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height];
  }

  // Show the brush at a place of the map.
  point([x, y]) {
    if (!this.enabled) return;
    this.spot = [x, y];
    const scale = this.canvas.clientWidth / this.width;
    const size = this.tool === "brush" ? this.brush * scale : 10;
    this.cursor.hidden = false;
    Object.assign(this.cursor.style, { width: `${size}px`, height: `${size}px`, left: `${x * scale - size / 2}px`, top: `${y * scale - size / 2}px` });
  }

  begin(event) {
    if (!this.enabled || event.button) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    let last = this.locate(event);
    if (this.tool === "fill") return this.fill(last);
    this.startStroke();
    this.stroke(last, last);
    const move = (event) => {
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        const next = this.locate(each);
        this.stroke(last, next);
        last = next;
      }
      this.point(last);
    };
    const drop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", drop);
      this.endStroke();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  }

  press(event) {
    const step = event.shiftKey ? 16 : 4;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] || [0, 0];
    if (!this.enabled || (!dx && !dy && event.key !== " ")) return;
    event.preventDefault();
    if (event.key !== " ") return this.point([clamp(this.spot[0] + dx, this.width), clamp(this.spot[1] + dy, this.height)]);
    if (this.tool === "fill") return this.fill(this.spot);
    this.startStroke();
    this.stroke(this.spot, this.spot);
    this.endStroke();
  }

  startStroke() {
    this.whole = Uint8Array.from(this.labels);
    this.dirty = [this.width, this.height, 0, 0];
  }

  stroke([x1, y1], [x2, y2]) {
    const radius = this.brush / 2;
    const box = [
      Math.max(0, Math.floor(Math.min(x1, x2) - radius)), Math.max(0, Math.floor(Math.min(y1, y2) - radius)),
      Math.min(this.width, Math.ceil(Math.max(x1, x2) + radius)), Math.min(this.height, Math.ceil(Math.max(y1, y2) + radius)),
    ];
    const [dx, dy] = [x2 - x1, y2 - y1];
    const length = dx * dx + dy * dy || 1;
    for (let y = box[1]; y < box[3]; y++) {
      for (let x = box[0]; x < box[2]; x++) {
        const [px, py] = [x + 0.5 - x1, y + 0.5 - y1];
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
        if (Math.hypot(px - along * dx, py - along * dy) <= radius) this.labels[y * this.width + x] = this.label;
      }
    }
    this.dirty = [Math.min(this.dirty[0], box[0]), Math.min(this.dirty[1], box[1]), Math.max(this.dirty[2], box[2]), Math.max(this.dirty[3], box[3])];
    this.draw(box);
  }

  endStroke() {
    this.remember(this.dirty, this.whole);
    this.whole = null;
    this.dispatchEvent(new CustomEvent("change"));
  }

  // Give a label to all that is connected to a place and has the label that is there.
  fill([x, y]) {
    const start = Math.floor(clamp(y, this.height)) * this.width + Math.floor(clamp(x, this.width));
    const old = this.labels[start];
    if (old === this.label) return;
    this.remember([0, 0, this.width, this.height]);
    const stack = [start];
    this.labels[start] = this.label;
    while (stack.length) {
      const at = stack.pop();
      const column = at % this.width;
      for (const next of [column > 0 ? at - 1 : -1, column < this.width - 1 ? at + 1 : -1, at - this.width, at + this.width]) {
        if (next < 0 || next >= this.labels.length || this.labels[next] !== old) continue;
        this.labels[next] = this.label;
        stack.push(next);
      }
    }
    this.draw([0, 0, this.width, this.height]);
    this.dispatchEvent(new CustomEvent("change"));
  }

  remember(box, labels = this.labels) {
    const [left, top, right, bottom] = box;
    const rows = [];
    for (let y = top; y < bottom; y++) rows.push(labels.slice(y * this.width + left, y * this.width + right));
    this.undone.push({ box, rows });
    if (this.undone.length > MOST_UNDONE) this.undone.shift();
  }

  undo() {
    const last = this.undone.pop();
    if (!last) return;
    last.rows.forEach((row, index) => this.labels.set(row, (last.box[1] + index) * this.width + last.box[0]));
    this.draw(last.box);
    this.dispatchEvent(new CustomEvent("change"));
  }
}

const clamp = (value, side) => Math.min(Math.max(value, 0), side - 1);

// The tools for it: ten colors, brush or filling, the brush's size, undo.
export function makePaintTools(painter, makeChoice) {
  const { info } = painter;
  const colors = make("div", { class: "colors", role: "radiogroup", "aria-label": "Label to paint with" });
  const swatches = info.labels.map((name, label) => {
    const swatch = make("button", { type: "button", role: "radio", title: spellLabel(name), "aria-label": spellLabel(name), onclick: () => choose(label) }, make("span", {}, spellLabel(name)));
    swatch.style.setProperty("--color", `rgb(${info.palette[label]})`);
    return swatch;
  });
  function choose(label) {
    painter.label = label;
    swatches.forEach((swatch, other) => swatch.setAttribute("aria-checked", other === label));
  }
  colors.append(...swatches);
  choose(painter.label);
  const size = make("input", { type: "range", min: 4, max: 120, value: painter.brush, "aria-label": "Size of the brush", oninput: () => (painter.brush = Number(size.value)) });
  return make("div", { class: "tools" }, colors,
    make("div", { class: "row" },
      makeChoice("Tool", [["brush", "Brush"], ["fill", "Fill"]], "brush", (tool) => (painter.tool = tool)),
      make("label", { class: "inline" }, "Size ", size),
      make("button", { type: "button", onclick: () => painter.undo() }, "Undo")));
}

const spellLabel = (name) => ({ l_arm: "left arm", r_arm: "right arm", l_leg: "left leg", r_leg: "right leg", upper: "top" })[name] || name;
