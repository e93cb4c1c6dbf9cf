// A skeleton to look at and to drag: joints are circles of an SVG, in pixels of the photo.

import { makeSvg, spell } from "./dom.js";

// On which joint each hangs, when bones keep their length.
const PARENTS = [1, null, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15];

export function drawSkeleton(info, pose, size, unit) {
  const svg = makeSvg("svg", { viewBox: `0 0 ${size[0]} ${size[1]}`, "aria-hidden": "true" });
  for (const [index, [from, to]] of info.bones.entries()) {
    if (!pose[from] || !pose[to]) continue;
    const [[x1, y1], [x2, y2]] = [pose[from], pose[to]];
    svg.append(makeSvg("line", { x1, y1, x2, y2, stroke: `rgb(${info.bone_colors[index]})`, "stroke-width": unit, "stroke-linecap": "round" }));
  }
  return svg;
}

// The same, fitted around the pose.
export function drawPoseTile(info, pose) {
  const known = pose.filter(Boolean);
  const [xs, ys] = [known.map((joint) => joint[0]), known.map((joint) => joint[1])];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const side = Math.max(width, height, 1) * 1.16;
  const moved = pose.map((joint) => joint && [joint[0] - left + (side - width) / 2, joint[1] - top + (side - height) / 2]);
  return drawSkeleton(info, moved, [side, side], side / 30);
}

export class Skeleton extends EventTarget {
  // Events: "change" after a joint has moved, "select".

  constructor(info, { keepLengths = false } = {}) {
    super();
    Object.assign(this, { info, keepLengths, pose: [], size: [1, 1], undone: [], selected: null, enabled: true });
    this.svg = makeSvg("svg", { class: "skeleton", role: "group", "aria-label": "Joints of the pose" });
    this.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.svg.addEventListener("keydown", (event) => this.press(event));
  }

  show(pose, size) {
    this.pose = pose.map((joint) => joint && [...joint]);
    this.size = size;
    this.undone = [];
    this.selected = null;
    this.draw();
  }

  enable(enabled) {
    this.enabled = enabled;
    this.svg.classList.toggle("fixed", !enabled);
    this.draw();
  }

  draw() {
    const focused = this.svg.contains(document.activeElement);
    const unit = Math.max(...this.size) / 128;
    this.svg.setAttribute("viewBox", `0 0 ${this.size[0]} ${this.size[1]}`);
    this.svg.replaceChildren(...drawSkeleton(this.info, this.pose, this.size, unit * 1.1).childNodes);
    for (const [index, joint] of this.pose.entries()) {
      if (!joint) continue;
      const group = makeSvg("g", {
        "data-joint": index, class: index === this.selected ? "joint selected" : "joint",
        role: "button", tabindex: this.enabled ? 0 : -1,
        "aria-label": `${spell(this.info.joints[index])}, x ${Math.round(joint[0])}, y ${Math.round(joint[1])}; arrow keys move it`,
      });
      const bone = this.info.bones.findIndex(([, to]) => to === index);
      const color = bone < 0 ? "rgb(170,90,235)" : `rgb(${this.info.bone_colors[bone]})`;
      const isHead = index === 0 || index > 13;
      group.append(
        makeSvg("circle", { cx: joint[0], cy: joint[1], r: unit * (isHead ? 2.2 : 4), class: "reach" }),
        makeSvg("circle", { cx: joint[0], cy: joint[1], r: unit * (isHead ? 0.9 : 1.5), fill: color, stroke: "white", "stroke-width": unit * 0.35 }),
      );
      const title = makeSvg("title");
      title.textContent = spell(this.info.joints[index]);
      group.append(title);
      this.svg.append(group);
    }
    if (focused && this.selected !== null) this.find(this.selected)?.focus();
  }

  find(index) {
    return this.svg.querySelector(`[data-joint="${index}"]`);
  }

  locate(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }

  remember() {
    this.undone.push(this.pose.map((joint) => joint && [...joint]));
    if (this.undone.length > 100) this.undone.shift();
  }

  select(index) {
    this.selected = index;
    this.dispatchEvent(new CustomEvent("select"));
  }

  grab(event) {
    const group = event.target.closest("[data-joint]");
    if (!this.enabled || !group || event.button) return;
    event.preventDefault();
    const index = Number(group.dataset.joint);
    this.remember();
    this.select(index);
    this.draw();
    this.find(index).focus({ preventScroll: true });
    const start = this.locate(event);
    const offset = [this.pose[index][0] - start[0], this.pose[index][1] - start[1]];
    let moved = false;
    const move = (event) => {
      const [x, y] = this.locate(event);
      moved = true;
      this.move(index, [x + offset[0], y + offset[1]]);
    };
    const drop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", drop);
      if (moved) this.dispatchEvent(new CustomEvent("change"));
      else this.undone.pop();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  }

  move(index, [x, y]) {
    const [from, parent] = [this.pose[index], this.keepLengths ? this.pose[PARENTS[index]] : null];
    if (!this.keepLengths) {
      this.pose[index] = [clamp(x, this.size[0]), clamp(y, this.size[1])];
    } else if (!parent) {
      this.apply(this.pose.keys(), (joint) => [joint[0] + x - from[0], joint[1] + y - from[1]]);
    } else {
      const turn = Math.atan2(y - parent[1], x - parent[0]) - Math.atan2(from[1] - parent[1], from[0] - parent[0]);
      const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
      this.apply(this.branch(index), ([jx, jy]) => [
        parent[0] + (jx - parent[0]) * cos - (jy - parent[1]) * sin,
        parent[1] + (jx - parent[0]) * sin + (jy - parent[1]) * cos,
      ]);
    }
    this.draw();
  }

  apply(joints, change) {
    for (const joint of joints) if (this.pose[joint]) this.pose[joint] = change(this.pose[joint]);
  }

  branch(index) {
    return [...PARENTS.keys()].filter((joint) => {
      while (joint !== null && joint !== index) joint = PARENTS[joint];
      return joint === index;
    });
  }

  press(event) {
    const group = event.target.closest("[data-joint]");
    if (!this.enabled || !group) return;
    const index = Number(group.dataset.joint);
    const step = (event.shiftKey ? 10 : 1) * Math.max(1, Math.max(...this.size) / 256);
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] || [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") {
      this.select(index);
      this.remove();
    } else if (dx || dy) {
      this.remember();
      this.select(index);
      this.move(index, [this.pose[index][0] + dx, this.pose[index][1] + dy]);
      this.dispatchEvent(new CustomEvent("change"));
    } else return;
    event.preventDefault();
  }

  // Take out the joint that is selected.
  remove() {
    if (this.selected === null || !this.pose[this.selected]) return;
    this.remember();
    this.pose[this.selected] = null;
    this.finish(null);
  }

  // Put a joint that is missing where it is likely to be.
  add(index) {
    this.remember();
    const parent = this.pose[PARENTS[index] ?? 0];
    const twin = this.pose[this.info.flip_joints[index]];
    const [width, height] = this.size;
    const guess = parent ? [parent[0] + width * 0.03, parent[1] + height * 0.05] : twin ? [twin[0] + width * 0.05, twin[1]] : [width / 2, height / 2];
    this.pose[index] = [clamp(guess[0], width), clamp(guess[1], height)];
    this.finish(index);
    this.find(index).focus({ preventScroll: true });
  }

  // Left becomes right; `turn` also mirrors the picture.
  swap(turn = false) {
    this.remember();
    const mirrored = this.info.flip_joints.map((other) => this.pose[other]);
    const middle = this.size[0] - 1;
    this.pose = turn ? mirrored.map((joint) => joint && [middle - joint[0], joint[1]]) : mirrored;
    this.finish(null);
  }

  undo() {
    if (!this.undone.length) return;
    this.pose = this.undone.pop();
    this.finish(null);
  }

  finish(selected) {
    this.selected = selected;
    this.draw();
    this.dispatchEvent(new CustomEvent("select"));
    this.dispatchEvent(new CustomEvent("change"));
  }
}

const clamp = (value, side) => Math.min(Math.max(value, 0), side - 1);
