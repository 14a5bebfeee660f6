/** A new label queue: which studies, who reads them, and how; with a preview of what it would hold. */

import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { byId, cap, fill, h, icon } from "../common/dom";
import { bind } from "../common/keys";
import { card, errorMessage } from "../common/parts";
import { queueForm, sourceFields } from "./fields";
import { decode, queueRequest } from "./form-data";
import { planView, refusedTable } from "./preview";
import { type Choices, type Plan, QUEUES, type Source } from "./types";

const PREVIEW_MS = 350;
const STORED_FORM = "fontanelle.new-queue";

interface Refusal {
  code?: string;
  refused?: Plan["refused"];
  refused_total?: number;
}

class Page {
  private readonly form: HTMLFormElement;
  private readonly side = h("div", { class: "stack-4", "aria-live": "polite" }, h("p", { class: "dim" }, "Looking"));
  private readonly problem = h("div", {});
  private timer = 0;
  private request = 0;

  constructor(private readonly choices: Choices) {
    this.form = queueForm(choices, (file) => void this.readFile(file));
    this.form.addEventListener("input", () => this.changed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.create();
    });
    const create = h(
      "button",
      { class: "btn btn-primary btn-wide", type: "submit", form: this.form.id },
      "Make the queue ",
      h("span", { class: "line" }, cap("Ctrl"), cap("Enter")),
    );
    fill(
      byId("main"),
      h(
        "div",
        { class: "page-head" },
        h("a", { href: "/label/queues/", class: "dim" }, "Label queues"),
        h("h1", { class: "h1" }, "New queue"),
      ),
      this.problem,
      h(
        "div",
        { class: "main-side" },
        this.form,
        h(
          "div",
          { class: "side-col sticky" },
          card({ title: "What it will hold" }, h("div", { class: "body stack-4" }, this.side, create)),
        ),
      ),
    );
    byId("main").removeAttribute("aria-busy");
    this.restoreForm();
    this.drawSource();
    void this.updatePreview();
    this.form.querySelector<HTMLInputElement>("#name")?.focus();
  }

  private get source(): Source {
    return queueRequest(new FormData(this.form)).source;
  }

  private drawSource(): void {
    const { source } = this;
    for (const part of this.form.querySelectorAll<HTMLElement>("[data-source]"))
      part.hidden = !part.dataset["source"]?.split(" ").includes(source);
    sourceFields(this.form, source, this.choices);
  }

  private changed(): void {
    this.storeForm();
    this.drawSource();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.updatePreview(), PREVIEW_MS);
  }

  /** Store the form for this tab, so that it survives a reload and a lost sign-in. */
  private storeForm(): void {
    const entries = [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
    sessionStorage.setItem(STORED_FORM, JSON.stringify(entries));
  }

  private restoreForm(): void {
    const entries = JSON.parse(sessionStorage.getItem(STORED_FORM) ?? "null") as [string, string][] | null;
    if (!entries) return;
    for (const field of this.form.elements) {
      if (
        !(
          field instanceof HTMLInputElement ||
          field instanceof HTMLSelectElement ||
          field instanceof HTMLTextAreaElement
        ) ||
        !field.name
      )
        continue;
      const values = entries.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio"))
        field.checked = values.includes(field.value);
      else if (values[0] !== undefined) field.value = values[0];
    }
  }

  private async readFile(file: File): Promise<void> {
    const text = decode(await file.arrayBuffer());
    if (text === null) {
      this.showProblem(
        `${file.name} is not UTF-8 text, so nothing was taken from it. Save it as UTF-8 and choose it again.`,
      );
      return;
    }
    byId<HTMLTextAreaElement>("uids").value = text;
    this.showProblem("");
    this.changed();
  }

  private async updatePreview(): Promise<void> {
    const request = ++this.request;
    const body = queueRequest(new FormData(this.form));
    if (body.source === "list" && !body.uids?.trim()) return this.showMessage("Paste or choose a list of studies.");
    if (body.source === "strategy" && !body.count)
      return this.showMessage("Say how many studies the strategy is to choose.");
    try {
      const plan = await api.post<Plan>(`${QUEUES}preview/`, { ...body, name: body.name || "New queue" });
      if (request !== this.request) return;
      fill(this.side, ...planView(plan, body));
    } catch (error) {
      if (request === this.request && !(error instanceof ApiError && error.signedOut))
        this.showMessage(reason(error), true, (error as ApiError).body as Refusal | null);
    }
  }

  private showMessage(text: string, wrong = false, refusal: Refusal | null = null): void {
    const lines = refusal?.refused
      ? refusedTable({ refused: refusal.refused, refused_total: refusal.refused_total ?? 0 }, false)
      : [];
    fill(this.side, h("p", { class: wrong ? "message" : "dim" }, wrong ? icon("bad") : null, text), ...lines);
  }

  private showProblem(text: string): void {
    fill(this.problem, text ? errorMessage(text) : null);
  }

  async create(): Promise<void> {
    const leaveOut = document.querySelector<HTMLInputElement>("#leave-out")?.checked ?? false;
    const button = byId("main").querySelector<HTMLButtonElement>("button[type=submit]");
    button?.setAttribute("aria-disabled", "true");
    try {
      const created = await api.post<{ url: string; studies: number }>(QUEUES, {
        ...queueRequest(new FormData(this.form)),
        leave_out: leaveOut,
      });
      sessionStorage.removeItem(STORED_FORM);
      polite(`The queue was made, with ${created.studies} studies`);
      location.assign(created.url);
    } catch (error) {
      button?.removeAttribute("aria-disabled");
      if (error instanceof ApiError && error.signedOut) return;
      const refused = (error as ApiError & { body: Refusal }).body?.code === "refused";
      this.showProblem(`${refused ? "" : "No queue was made. "}${reason(error)}`);
      this.form.querySelector<HTMLElement>(`[name="${Object.keys((error as ApiError).body ?? {})[0] ?? ""}"]`)?.focus();
    }
  }
}

export async function startNew(): Promise<void> {
  try {
    const page = new Page(await api.get<Choices>(`${QUEUES}choices/`));
    bind({
      key: "Ctrl+Enter",
      label: "Make the queue",
      group: "New queue",
      inFields: true,
      overControls: true,
      run: () => void page.create(),
    });
    bind({
      key: "Escape",
      label: "All queues",
      group: "New queue",
      run: (event) =>
        event.target instanceof HTMLElement && event.target.matches("input, textarea, select")
          ? event.target.blur()
          : location.assign("/label/queues/"),
    });
  } catch (error) {
    fill(byId("main"), errorMessage(`The form could not be opened. ${reason(error)}`));
  }
}
