/** The next version as JSON: checked on the server while it is typed, stored in this browser until it is added. */

import { api, reason } from "../common/api";
import { ask } from "../common/dialog";
import { fill, h } from "../common/dom";
import { FormPreview } from "./preview";
import type { Checked, Kind, Overview } from "./types";

const CHECK_MS = 400;

interface StoredDraft {
  base: string;
  text: string;
}

function storedDraft(kind: Kind): StoredDraft | null {
  try {
    return JSON.parse(localStorage.getItem(`fontanelle.${kind}-edit`) ?? "null") as StoredDraft | null;
  } catch {
    return null;
  }
}

export class VersionEditor {
  readonly element: HTMLElement;
  readonly preview = new FormPreview();
  private readonly text: HTMLTextAreaElement;
  private readonly result = h("div", { class: "stack", role: "status", "data-judged": "" });
  private readonly add: HTMLButtonElement;
  private base = "";
  private timer = 0;

  constructor(
    private readonly kind: Kind,
    private readonly added: (overview: Overview) => void,
  ) {
    const id = `${kind}-json`;
    this.text = h("textarea", {
      class: "field code",
      id,
      rows: kind === "schema" ? 26 : 12,
      spellcheck: "false",
      wrap: "off",
    });
    this.add = h(
      "button",
      { class: "btn btn-primary", type: "button", disabled: true, onclick: () => void this.save() },
      "Add this version",
    );
    const back = h(
      "button",
      { class: "btn btn-quiet", type: "button", onclick: () => this.discardDraft() },
      "Back to the version",
    );
    this.element = h(
      "div",
      { class: "stack" },
      h("label", { class: "label", for: id }, kind === "schema" ? "JSON Schema of the findings" : "Definition"),
      this.text,
      this.result,
      h("p", { class: "line" }, this.add, back),
    );
    this.text.addEventListener("input", () => {
      localStorage.setItem(`fontanelle.${kind}-edit`, JSON.stringify({ base: this.base, text: this.text.value }));
      window.clearTimeout(this.timer);
      this.add.disabled = true;
      this.timer = window.setTimeout(() => void this.check(), CHECK_MS);
    });
  }

  private original: unknown = {};

  /** Begin with a version, or with the draft of it that this browser holds. */
  begin(base: string, document: unknown, anew: boolean): void {
    const before = anew ? null : storedDraft(this.kind);
    this.original = document;
    this.base = before?.base ?? base;
    this.text.value = before?.text ?? JSON.stringify(document, null, 1);
    void this.check();
  }

  private discardDraft(): void {
    localStorage.removeItem(`fontanelle.${this.kind}-edit`);
    this.begin(this.base, this.original, true);
  }

  private parsed(): unknown {
    return JSON.parse(this.text.value);
  }

  private showResult(...content: (HTMLElement | string)[]): void {
    fill(this.result, ...content);
  }

  private async check(): Promise<void> {
    let document: unknown;
    try {
      document = this.parsed();
    } catch (error) {
      return this.showResult(
        h("p", { class: "message" }, `This is no JSON yet: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
    try {
      const {
        messages,
        name,
        document: whole,
      } = await api.post<Checked>("/api/v1/label-schemas/check/", { kind: this.kind, base: this.base, document });
      const wrong = Object.entries(messages).map(([part, sentences]) =>
        h("p", { class: "message" }, h("b", {}, part), ` ${sentences.join(" ")}`),
      );
      this.add.disabled = wrong.length > 0;
      this.add.textContent = `Add as ${name}`;
      if (whole) this.preview.draw(whole);
      if (wrong.length) this.showResult(...wrong);
      else
        this.showResult(
          h(
            "p",
            { class: "small dim" },
            `Fine. It would be ${name}, grown from ${this.base}; it counts once you put it in force.`,
          ),
        );
    } catch (error) {
      this.showResult(h("p", { class: "message" }, reason(error)));
    }
  }

  private async save(): Promise<void> {
    const { confirmed, reason: why } = await ask({
      title: "Add this version?",
      body: [h("p", {}, "It is never changed afterwards. Reads that were made with other versions keep theirs.")],
      confirm: "Add",
      reasonLabel: "What is new",
    });
    if (!confirmed) return;
    try {
      const overview = await api.post<Overview & { name: string }>("/api/v1/label-schemas/", {
        kind: this.kind,
        base: this.base,
        document: this.parsed(),
        reason: why,
      });
      localStorage.removeItem(`fontanelle.${this.kind}-edit`);
      this.added(overview);
      this.showResult(h("p", { class: "small ok" }, `${overview.name} was added. It is not in force yet.`));
    } catch (error) {
      this.showResult(h("p", { class: "message" }, reason(error)));
    }
  }
}
