// Making elements of a page.

// `make("button", { class: "primary", onclick }, "text", child)`; attributes whose value is null are left out.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    const isAria = key.startsWith("aria-"); // whose value is "true" or "false"
    if (value === null || value === undefined || (value === false && !isAria)) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true && !isAria ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function makeSvg(name, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export const byId = (id) => document.getElementById(id);

export const spell = (name) => name.replaceAll("_", " ").replace(/^l /, "left ").replace(/^r /, "right ");

// Buttons of which one is pressed: `choices` are [value, label]; `onchoose(value)`.
export function makeChoice(label, choices, chosen, onchoose) {
  const group = make("div", { class: "choice", role: "radiogroup", "aria-label": label });
  const buttons = choices.map(([value, text]) => make("button", { type: "button", role: "radio", onclick: () => set(value) }, text));
  function set(value, quiet = false) {
    choices.forEach(([other], index) => {
      buttons[index].setAttribute("aria-checked", other === value);
      buttons[index].tabIndex = other === value ? 0 : -1;
    });
    if (!quiet) onchoose(value);
  }
  group.addEventListener("keydown", (event) => moveFocus(event, buttons));
  group.append(...buttons);
  set(chosen, true);
  return Object.assign(group, { set });
}

// What a button is to do once, until it is done: not again meanwhile, nor by the second click of a double one.
export function once(act) {
  return async ({ currentTarget: button, detail: clicks }) => {
    if (clicks > 1 || button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      await act();
    } finally {
      button.ariaBusy = "false";
    }
  };
}

// Arrow keys move between `buttons` and press them.
export function moveFocus(event, buttons) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const at = buttons.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = buttons[(at + step + buttons.length) % buttons.length];
  next.focus();
  next.click();
}

export function chooseFiles(accept, multiple = false) {
  return new Promise((resolve) => {
    const input = make("input", { type: "file", accept, multiple, hidden: true });
    input.addEventListener("change", () => resolve([...input.files]));
    input.addEventListener("cancel", () => resolve([]));
    document.body.append(input);
    input.click();
    setTimeout(() => input.remove(), 60_000);
  });
}
