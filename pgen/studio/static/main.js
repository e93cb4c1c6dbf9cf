// The page: starts everything, and says what goes wrong.

import { Api } from "./api.js";
import { Clothes } from "./clothes.js";
import { byId, make, moveFocus } from "./dom.js";
import { Edits } from "./edits.js";
import { Gallery } from "./gallery.js";
import { People } from "./person.js";
import { Poses } from "./poses.js";

function say(text, isError = false) {
  const close = make("button", { type: "button", class: "close", "aria-label": "Dismiss", onclick: () => message.remove() }, "×");
  const message = make("p", { class: isError ? "error" : "warning" }, text, close);
  for (const other of byId("messages").children) if (other.textContent === message.textContent) other.remove();
  byId("messages").append(message);
  if (byId("messages").children.length > 4) byId("messages").firstChild.remove();
}

function showModel(model) {
  const texts = {
    loading: "Loading the networks… you can begin already.",
    ready: `Ready on ${model.device}; ${model.origin}`,
    failed: model.error,
  };
  byId("model").textContent = texts[model.state];
  byId("model").dataset.state = model.state;
}

function connectTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => moveFocus(event, tabs));
  }
}

async function start() {
  history.replaceState(null, "", "/"); // the key has done its work
  connectTabs();
  const api = new Api();
  api.addEventListener("model", (event) => showModel(event.detail));
  api.addEventListener("lost", () => showModel({ state: "failed", error: "The studio does not answer; was it ended?" }));
  showModel((await api.start()).model);
  const people = new People(api, say);
  new Poses(api, people, say);
  new Clothes(api, people, say);
  new Edits(api, people, say);
  new Gallery(api, people, say);
  await people.reopen(api.info.photos);
  // Leaving loses what is not downloaded; loading the page anew does not.
  addEventListener("beforeunload", (event) => document.querySelector(".result") && event.preventDefault());
  document.body.dataset.ready = "yes";
}

start().catch((error) => say(error.message, true));
