/** A new suspected study, announced in the corner until it is opened or dismissed. */

import { cap, h, icon } from "../common/dom";
import { ordinal, probability, weeks } from "../common/format";
import type { Change } from "./changes";

const MOST = 3;

export class Toasts {
  private readonly shown: { uid: string; element: HTMLElement }[] = [];

  constructor(
    private readonly slot: HTMLElement,
    private readonly go: (uid: string) => void,
  ) {}

  get size(): number {
    return this.shown.length;
  }

  add(change: Change, showProbability: boolean): void {
    this.dismiss(change.row.study_uid);
    const { row, place } = change;
    const facts = [
      weeks(row.gestational_age_days),
      row.day_of_life === null ? null : `day ${row.day_of_life}`,
      showProbability ? probability(row.probability) : null,
      ordinal(place),
    ];
    const element = h(
      "div",
      { class: "toast" },
      h(
        "div",
        {},
        h("span", { class: "flag sus" }, icon("suspected"), `Suspected, ${row.patient_id}`),
        h("p", { class: "small dim" }, facts.filter(Boolean).join(" · ")),
      ),
      h("button", { class: "btn", type: "button", onclick: () => this.follow(row.study_uid) }, "Go ", cap("G")),
      h(
        "button",
        { class: "btn btn-quiet", type: "button", onclick: () => this.dismiss(row.study_uid) },
        cap("Esc"),
        h("span", { class: "vh" }, ` dismiss ${row.patient_id}`),
      ),
    );
    this.shown.unshift({ uid: row.study_uid, element });
    this.slot.prepend(element);
    for (const old of this.shown.splice(MOST)) old.element.remove();
  }

  /** Go to the newest, or to the given one. */
  follow(uid = this.shown[0]?.uid): void {
    if (!uid) return;
    this.dismiss(uid);
    this.go(uid);
  }

  /** Dismiss the newest, or the given one; false where there is none. */
  dismiss(uid = this.shown[0]?.uid): boolean {
    const index = this.shown.findIndex((toast) => toast.uid === uid);
    if (index < 0) return false;
    for (const toast of this.shown.splice(index, 1)) toast.element.remove();
    return true;
  }

  /** Dismiss the toasts of studies that no longer wait. */
  keepOnly(uids: ReadonlySet<string>): void {
    for (const { uid } of [...this.shown]) if (!uids.has(uid)) this.dismiss(uid);
  }
}
