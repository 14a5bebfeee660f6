/** The keyboard: one registry per page. It draws the key bar and the `?` dialog from what is bound, so they never lie. */

import { cap, fill, h } from "./dom";

export interface Binding {
  /** `event.key` names; letters in lower case; "Space"; "Ctrl+z", "Shift+Tab". The first one is shown. */
  key: string | readonly string[];
  label: string;
  group: string;
  run: (event: KeyboardEvent) => unknown;
  /** Only while this holds. */
  when?: () => boolean;
  /** Also while typing in a field. */
  inFields?: boolean;
  /** Also when a button or link has the focus, whose own Enter or Space this would take away. */
  overControls?: boolean;
  /** Key caps to show instead of the first key. */
  caps?: readonly string[];
  /** Leave it out of the key bar; `?` shows it all the same. */
  bar?: boolean;
}

const NAMES: Record<string, string> = {
  " ": "Space", Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", PageUp: "PgUp", PageDown: "PgDn",
};
const OFF = "fontanelle.letters-off";

const bindings: Binding[] = [];

/** The name of a key press, as bindings write it. A non-Latin layout is read by the place of the key. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  let key = event.key === " " ? "Space" : event.key;
  if (key.length === 1 && key.charCodeAt(0) > 0x7f && /^(Key[A-Z]|Digit\d)$/.test(event.code)) key = event.code.slice(-1);
  if (key.length === 1) key = key.toLowerCase();
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  // Shift is part of a character ("?"); it is named only where it changes a key that prints nothing.
  const shift = event.shiftKey && (key.length > 1 || control) ? "Shift+" : "";
  return control + alt + shift + key;
}

const TYPING = new Set(["text", "search", "number", "password", "email", "date", "tel", "url", "datetime-local", "time"]);

export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && TYPING.has(target.type);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a[href], summary, input[type=checkbox], input[type=radio]") !== null;
}

function keysOf(binding: Binding): readonly string[] {
  return typeof binding.key === "string" ? [binding.key] : binding.key;
}

export function lettersOff(): boolean {
  return localStorage.getItem(OFF) === "1";
}

function allowed(binding: Binding, name: string, target: EventTarget | null): boolean {
  if (isField(target) && !binding.inFields && name !== "Escape") return false;
  if ((name === "Enter" || name === "Space") && isControl(target) && !binding.overControls) return false;
  if (name.length === 1 && name !== "?" && lettersOff()) return false;
  return binding.when?.() ?? true;
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog:modal")) return;
  const name = nameOf(event);
  const match = bindings.findLast((binding) => keysOf(binding).includes(name) && allowed(binding, name, event.target));
  if (!match) return;
  if (match.run(event) !== false) event.preventDefault();
}

/** Give a key its meaning; a later binding of the same key goes before an earlier one. Returns what takes it away. */
export function bind(binding: Binding): () => void {
  bindings.push(binding);
  renderKeybar();
  return () => {
    bindings.splice(bindings.indexOf(binding), 1);
    renderKeybar();
  };
}

export function capsOf(binding: Binding): string[] {
  if (binding.caps) return [...binding.caps];
  const [first = ""] = keysOf(binding);
  return first.split("+").map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

let drawing = false;
let drawn = "";

/** Draw the key bar, once for any number of bindings made in one go; a key that means nothing just now is left out. */
export function renderKeybar(): void {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const bar = document.getElementById("keys");
    if (!bar) return;
    const shown = bindings.filter((binding) => binding.bar !== false && (binding.when?.() ?? true));
    const signature = shown.map((binding) => binding.label + String(binding.key)).join();
    if (signature === drawn) return;
    drawn = signature;
    fill(bar, ...shown.map((binding) => h("span", {}, ...capsOf(binding).map(cap), binding.label)));
  });
}

function groups(): Map<string, Binding[]> {
  const found = new Map<string, Binding[]>();
  for (const binding of bindings) found.set(binding.group, [...(found.get(binding.group) ?? []), binding]);
  return found;
}

function keyTable(name: string, members: Binding[]): HTMLElement {
  const rows = members.map((binding) => [
    h("dt", {}, ...capsOf(binding).map(cap)),
    h("dd", {}, binding.label),
  ]);
  return h("section", {}, h("h3", { class: "h3" }, name), h("dl", { class: "keylist" }, ...rows));
}

function lettersSwitch(): HTMLElement {
  const box = h("input", { type: "checkbox", checked: !lettersOff() });
  box.addEventListener("change", () => localStorage.setItem(OFF, box.checked ? "0" : "1"));
  return h("label", { class: "check" }, box, "Single letters and digits act as keys (off: buttons, Enter, Space and arrows still do)");
}

/** Show every key of this page. */
export function showKeys(): void {
  if (document.querySelector("dialog:modal")) return;
  const sections = [...groups()].map(([name, members]) => keyTable(name, members));
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "keys-title" },
    h("h2", { class: "h2", id: "keys-title" }, "Keys"),
    h("div", { class: "keygroups" }, ...sections),
    lettersSwitch(),
    h("div", { class: "line" }, h("button", { class: "btn right", type: "button", autofocus: true, onclick: () => dialog.close() }, "Close ", cap("Esc"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

let started = false;

/** Listen; every page does this once, through its frame. */
export function startKeys(): void {
  if (started) return;
  started = true;
  document.addEventListener("keydown", pressed);
  // What a key or click has changed may give other keys a meaning, or take it.
  for (const event of ["keyup", "click", "focusin"]) document.addEventListener(event, renderKeybar);
  bind({ key: "?", label: "Keys", group: "Everywhere", run: showKeys, bar: false });
  document.getElementById("show-keys")?.addEventListener("click", showKeys);
}
