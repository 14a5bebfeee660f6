/** Banners above the page: what happened, what was kept, what to do. One per name; showing it again replaces it. */

import { assertive, polite } from "./announce";
import { type Child, h, icon } from "./dom";

export interface Banner {
  name: string;
  title: string;
  detail?: string;
  error?: boolean;
  actions?: Child[];
}

export function showBanner({ name, title, detail, error = false, actions = [] }: Banner): void {
  const slot = document.getElementById("banners");
  if (!slot) return;
  const before = slot.querySelector(`[data-banner="${name}"]`);
  const fresh = h(
    "div",
    { class: error ? "banner err" : "banner", "data-banner": name },
    icon("info"),
    h("div", {}, h("p", { class: "strong" }, title), detail ? h("p", { class: "small dim" }, detail) : null),
    h("div", { class: "right line" }, ...actions),
  );
  if (before?.textContent === fresh.textContent) return;
  if (before) before.replaceWith(fresh);
  else slot.append(fresh);
  (error ? assertive : polite)(detail ? `${title} ${detail}` : title);
}

export function hideBanner(name: string): void {
  document.querySelector(`#banners [data-banner="${name}"]`)?.remove();
}
