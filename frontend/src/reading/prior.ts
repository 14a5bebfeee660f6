/** The infant's earlier studies: a line for each, which hangs it beneath. */

import { fill, h } from "../common/dom";
import { count, day } from "../common/format";
import type { Prior, Study } from "../viewer/types";
import type { Viewer } from "../viewer/viewer";

const SHOWN = 4;

function line(prior: Prior, show: () => void): HTMLElement {
  const name = prior.summary || "an earlier study";
  return h(
    "tr",
    {},
    h("td", { class: "num" }, prior.days_before === null ? "–" : `−${prior.days_before} d`),
    h("td", {}, day(prior.acquired_at) ?? "no date"),
    h("td", {}, h("button", { class: "link small", type: "button", onclick: show }, `Hang ${name} beneath`)),
    h("td", {}, h("a", { href: prior.url, target: "_blank", rel: "opener" }, "open")),
  );
}

export function showPriors(viewer: Viewer, { priors }: Study): void {
  if (!priors.length) return;
  const rows = priors.slice(0, SHOWN).map((prior) => line(prior, () => void viewer.togglePrior(prior)));
  const table = h("table", { class: "table" }, h("caption", { class: "vh" }, "Earlier studies"), h("tbody", {}, ...rows));
  fill(viewer.lower, h("div", { class: "serial" }, h("h2", { class: "h3" }, `${count(priors.length, "earlier study", "earlier studies")} of this infant`), table));
  viewer.lower.hidden = false;
}
