/** The `?` dialog: every key of this page, changed with one press, exported and loaded as a file. */

import { reason } from "./api";
import { cap, fill, h } from "./dom";
import {
  bindingId,
  bindingWithKey,
  isChanged,
  isShortcutKey,
  type Keymap,
  keymap,
  parseKeymap,
  saveKeymap,
} from "./keymap";
import { type Binding, capsOf, lettersOff, nameOf, renderKeybar, setLettersOff } from "./keys";

class KeysDialog {
  private readonly dialog: HTMLDialogElement;
  private readonly groups = h("div", { class: "keygroups" });
  private readonly status = h("p", { class: "small", role: "status" });
  private changing: Binding | null = null;

  constructor(private readonly bindings: readonly Binding[]) {
    const file = h("input", {
      type: "file",
      accept: "application/json",
      class: "vh",
      "aria-label": "Load keys from a file",
    });
    file.addEventListener("change", () => void this.load(file));
    const action = (words: string, run: () => void) =>
      h("button", { class: "btn", type: "button", onclick: run }, words);
    this.dialog = h(
      "dialog",
      { class: "dialog wide", "aria-labelledby": "keys-title" },
      h("h2", { class: "h2", id: "keys-title", tabindex: -1, autofocus: true }, "Keys"),
      h("p", { class: "small dim" }, "Press Change, then the new key. Keys are kept with your account."),
      this.groups,
      this.status,
      lettersSwitch(),
      h(
        "div",
        { class: "line" },
        action("Download", () => this.download()),
        action("Load", () => file.click()),
        file,
        action("Defaults", () => void this.saveKeys({}, "The defaults are back.")),
        h("button", { class: "btn right", type: "button", onclick: () => this.dialog.close() }, "Close ", cap("Esc")),
      ),
    );
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.dialog.addEventListener("cancel", (event) => {
      if (!this.changing) return;
      event.preventDefault();
      this.change(null);
    });
    this.dialog.addEventListener("close", () => this.dialog.remove());
    this.draw();
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  private draw(): void {
    const groups = new Map<string, Binding[]>();
    for (const binding of this.bindings) groups.set(binding.group, [...(groups.get(binding.group) ?? []), binding]);
    fill(
      this.groups,
      ...[...groups].map(([name, members]) =>
        h(
          "section",
          {},
          h("h3", { class: "h3" }, name),
          h("dl", { class: "keylist" }, ...members.map((binding) => this.row(binding))),
        ),
      ),
    );
  }

  private row(binding: Binding): HTMLElement[] {
    const waiting = this.changing === binding;
    const caps = waiting ? [h("span", { class: "small" }, "press a key")] : capsOf(binding).map(cap);
    const words = waiting ? "Esc leaves it" : isChanged(binding) ? "Changed" : "Change";
    const change = h(
      "button",
      {
        class: "link small",
        type: "button",
        "aria-label": `${words} the key for: ${binding.label}`,
        onclick: () => this.change(binding),
      },
      words,
    );
    return [h("dt", {}, ...caps), h("dd", { class: "line" }, binding.label, h("span", { class: "right" }, change))];
  }

  private change(binding: Binding | null): void {
    const before = this.changing;
    this.changing = binding;
    this.draw();
    const at = this.bindings.indexOf((binding ?? before) as Binding);
    if (at >= 0) this.groups.querySelectorAll<HTMLElement>("dd button")[this.orderOf(at)]?.focus();
  }

  /** Rows are drawn group by group. */
  private orderOf(at: number): number {
    const groups = [...new Set(this.bindings.map(({ group }) => group))];
    const inOrder = groups.flatMap((group) => this.bindings.filter((binding) => binding.group === group));
    return inOrder.indexOf(this.bindings[at] as Binding);
  }

  private pressed(event: KeyboardEvent): void {
    const binding = this.changing;
    if (!binding || !isShortcutKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.change(null);
    const key = nameOf(event);
    const taken = bindingWithKey(this.bindings, binding, key);
    if (taken) {
      fill(
        this.status,
        h("span", { class: "warn" }, `That key is taken: ${taken.group}, ${taken.label}. Nothing was changed.`),
      );
      return;
    }
    this.change(null);
    void this.saveKeys({ ...keymap(), [bindingId(binding)]: key }, `${binding.label} has a new key.`);
  }

  private async saveKeys(next: Keymap, words: string): Promise<void> {
    try {
      await saveKeymap(next);
      fill(this.status, words);
    } catch (error) {
      fill(this.status, `The keys are as they were. ${reason(error)}`);
    }
    this.draw();
    renderKeybar();
  }

  private download(): void {
    const every = this.bindings.map((binding) => ({
      what: binding.label,
      group: binding.group,
      keys: capsOf(binding),
    }));
    const url = URL.createObjectURL(
      new Blob([JSON.stringify({ keys: keymap(), every }, null, 1)], { type: "application/json" }),
    );
    h("a", { href: url, download: "fontanelle-keys.json" }).click();
    URL.revokeObjectURL(url);
  }

  private async load(file: HTMLInputElement): Promise<void> {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    try {
      await this.saveKeys(parseKeymap(await chosen.text()), "The keys of the file count now.");
    } catch {
      fill(this.status, "That file holds no keys. Nothing was changed.");
    }
  }
}

function lettersSwitch(): HTMLElement {
  const box = h("input", { type: "checkbox", checked: !lettersOff() });
  box.addEventListener("change", () => setLettersOff(!box.checked));
  return h(
    "label",
    { class: "check" },
    box,
    "Single letters and digits act as keys (off: buttons, Enter, Space and arrows still do)",
  );
}

/** Show every key of this page. */
export function openKeys(bindings: readonly Binding[]): void {
  if (!document.querySelector("dialog:modal")) new KeysDialog(bindings);
}
