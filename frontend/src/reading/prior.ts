/** The infant's earlier studies: a line for each, and on demand the latest one's pictures. */

import { api, reason } from "../common/api";
import { fill, h } from "../common/dom";
import { count, day } from "../common/format";
import { hang } from "../viewer/hanging";
import { type Clip, type Prior, type Study, frameUrl } from "../viewer/types";

function picture(clip: Clip, prior: Prior): HTMLElement {
  const middle = Math.ceil(clip.frames / 2);
  const words = `Prior, ${count(prior.days_before ?? 0, "day")} before: ${clip.label}`;
  return h(
    "figure",
    { class: "prior" },
    h("figcaption", {}, h("b", {}, "Prior"), ` · ${prior.days_before ?? "?"} d before · ${clip.label}`),
    h("img", { src: frameUrl(clip, middle), alt: `${words}, frame ${middle}` }),
  );
}

function line(prior: Prior): HTMLElement {
  return h(
    "tr",
    {},
    h("td", { class: "num" }, prior.days_before === null ? "–" : `−${prior.days_before} d`),
    h("td", {}, day(prior.acquired_at) ?? "no date"),
    h("td", {}, h("a", { href: prior.url, target: "_blank", rel: "opener" }, prior.summary || "open")),
  );
}

export class Priors {
  private shown = false;
  private readonly pictures = h("div", { class: "prior-pictures" });

  constructor(
    slot: HTMLElement,
    private readonly priors: readonly Prior[],
  ) {
    if (!priors.length) return;
    const table = h("table", { class: "table" }, h("caption", { class: "vh" }, "Earlier studies"), h("tbody", {}, ...priors.slice(0, 4).map(line)));
    fill(slot, this.pictures, h("div", { class: "serial" }, h("h2", { class: "h3" }, `${count(priors.length, "earlier study", "earlier studies")} of this infant`), table));
    slot.hidden = false;
  }

  async toggle(): Promise<void> {
    const latest = this.priors[0];
    this.shown = !this.shown && latest !== undefined;
    if (!this.shown || !latest) return fill(this.pictures);
    fill(this.pictures, h("p", { class: "small dim" }, "Loading the prior"));
    try {
      const study = await api.get<Study>(`/api/v1/studies/${latest.study_uid}/`);
      const clips = hang(study.clips, 2).filter((clip) => clip !== null);
      fill(this.pictures, ...clips.map((clip) => picture(clip, latest)));
    } catch (error) {
      fill(this.pictures, h("p", { class: "small dim" }, reason(error)));
    }
  }
}
