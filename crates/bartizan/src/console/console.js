// Keeps the numbers of a page up to date. Texts stay texts and paths stay paths: nothing here makes markup.
"use strict";
const page = document.querySelector("[data-events]");
if (page !== null) {
  const state = page.querySelector("[data-live-state]");
  const put = (values, name, set) => {
    for (const node of page.querySelectorAll(`[${name}]`)) {
      const value = values[node.getAttribute(name)];
      if (value !== undefined) set(node, value);
    }
  };
  const events = new EventSource(page.dataset.events);
  events.onopen = () => state.classList.add("on");
  events.onerror = () => state.classList.remove("on");
  events.addEventListener("numbers", (event) => {
    const values = JSON.parse(event.data);
    put(values, "data-live", (node, value) => { node.textContent = value; });
    put(values, "data-live-d", (node, value) => node.setAttribute("d", value));
    put(values, "data-live-label", (node, value) => node.setAttribute("aria-label", value));
  });
  events.addEventListener("changed", () => location.reload());
}
