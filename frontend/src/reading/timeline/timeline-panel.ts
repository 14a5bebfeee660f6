/**
 * The timeline's panel below the pictures: put away for more room, or enlarged over the stage.
 * It changes size only when the reader asks for it, so that the pictures do not move.
 */

import { polite } from "../../common/announce";
import { cap, h } from "../../common/dom";
import { keyCap } from "../../common/keymap";
import type { Binding } from "../../common/keys";
import type { Viewer } from "../../viewer/viewer";

const AWAY = "fontanelle.timeline-away";
const group = "Viewer";

export class TimelinePanel {
  /** Where the timeline is drawn. */
  readonly box = h("div", { class: "timeline-box" });
  private readonly putAwayButton = h("button", {
    class: "btn btn-quiet",
    type: "button",
    onclick: () => this.putAway(!this.away),
  });
  private readonly dialog: HTMLDialogElement;

  constructor(private readonly viewer: Pick<Viewer, "lower" | "focus">) {
    const enlarge = h(
      "button",
      { class: "btn btn-quiet", type: "button", onclick: (event) => this.open((event as MouseEvent).detail > 0) },
      "Enlarge ",
      keyCap(group, "F4"),
    );
    const close = h(
      "button",
      { class: "btn right", type: "button", autofocus: true, onclick: () => this.dialog.close() },
      "Close ",
      cap("Esc"),
    );
    this.dialog = h(
      "dialog",
      { class: "dialog timeline", "aria-label": "Timeline" },
      h("div", { class: "line" }, close),
    );
    // A button in the table shows a prior beneath the dialog, which closes.
    this.dialog.addEventListener(
      "click",
      ({ target }) => target instanceof Element && target.closest(".timeline-box button") && this.dialog.close(),
    );
    viewer.lower.replaceChildren(this.box, h("div", { class: "timeline-tools" }, enlarge, this.putAwayButton));
    viewer.lower.hidden = false;
    this.draw();
  }

  keys(): Binding[] {
    return [
      { key: "F4", label: "Timeline, enlarged", group, bar: false, run: () => this.open(false) },
      {
        key: "Shift+F4",
        label: "Timeline: put away, bring back",
        group,
        bar: false,
        run: () => this.putAway(!this.away),
      },
    ];
  }

  /** Its chart, table and measures at full size, whatever the screen. */
  open(byMouse: boolean): void {
    if (this.dialog.open) return;
    const before = byMouse ? null : document.activeElement;
    this.dialog.prepend(this.box);
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.dialog.addEventListener(
      "close",
      () => {
        this.viewer.lower.prepend(this.box);
        this.dialog.remove();
        if (before instanceof HTMLElement && before !== document.body) before.focus({ preventScroll: true });
        else this.viewer.focus();
      },
      { once: true },
    );
  }

  close(): void {
    if (this.dialog.open) this.dialog.close();
  }

  private get away(): boolean {
    return localStorage.getItem(AWAY) === "1";
  }

  private putAway(away: boolean): void {
    localStorage.setItem(AWAY, away ? "1" : "0");
    this.draw();
    polite(away ? "Timeline put away" : "Timeline beneath the pictures");
  }

  private draw(): void {
    this.viewer.lower.classList.toggle("away", this.away);
    this.putAwayButton.replaceChildren(this.away ? "Bring back " : "Put away ", keyCap(group, "Shift+F4"));
  }
}
