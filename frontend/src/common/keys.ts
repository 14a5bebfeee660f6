/**
 * The keyboard: one registry per page. The key bar and the `?` dialog are drawn from it.
 */

import { cap, fill, h } from "./dom";
import { capNames, isChanged, keysOf } from "./keymap";

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

const LETTERS_OFF = "fontanelle.letters-off";

const bindings: Binding[] = [];

export type KeyPress = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey"> &
  Partial<Pick<KeyboardEvent, "getModifierState">>;

/** A character that stands in the place of another: a letter of another alphabet, or a digit that would need Shift. */
function isReadByPlace(event: KeyPress): boolean {
  if (event.key.length !== 1) return false;
  if (/^Key[A-Z]$/.test(event.code)) return event.key.charCodeAt(0) > 0x7f;
  // With Shift or AltGr the key means the character that it gives: "#", "§", "[".
  const plain = !event.shiftKey && !event.altKey && !event.getModifierState?.("AltGraph");
  return plain && /^Digit\d$/.test(event.code);
}

/** The name of a key press, as bindings write it. */
export function nameOf(event: KeyPress): string {
  let key = event.key === " " ? "Space" : event.key;
  if (isReadByPlace(event)) key = event.code.slice(-1);
  if (key.length === 1) key = key.toLowerCase();
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  // Shift is part of a character ("?"); it is named only where it changes a key that prints nothing.
  const shift = event.shiftKey && (key.length > 1 || control) ? "Shift+" : "";
  return control + alt + shift + key;
}

const TYPING = new Set([
  "text",
  "search",
  "number",
  "password",
  "email",
  "date",
  "tel",
  "url",
  "datetime-local",
  "time",
]);

export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && TYPING.has(target.type);
}

/** What a key does, except in a slider or a menu, whose own arrows, Home and End keep their meaning. */
export function exceptInControls(run: () => void): (event: KeyboardEvent) => unknown {
  return ({ target }) =>
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? false : void run();
}

function isControl(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("button, a[href], summary, input[type=checkbox], input[type=radio]") !== null
  );
}

export function lettersOff(): boolean {
  return localStorage.getItem(LETTERS_OFF) === "1";
}

export function setLettersOff(off: boolean): void {
  localStorage.setItem(LETTERS_OFF, off ? "1" : "0");
}

function isAllowed(binding: Binding, name: string, target: EventTarget | null): boolean {
  if (isField(target) && !binding.inFields && name !== "Escape") return false;
  if ((name === "Enter" || name === "Space") && isControl(target) && !binding.overControls) return false;
  if (name.length === 1 && name !== "?" && lettersOff()) return false;
  return binding.when?.() ?? true;
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog:modal")) return;
  const name = nameOf(event);
  const match = bindings.findLast(
    (binding) => keysOf(binding).includes(name) && isAllowed(binding, name, event.target),
  );
  if (!match) return;
  if (match.run(event) !== false) event.preventDefault();
}

/** Bind a key; a later binding of the same key goes before an earlier one. Returns the function that removes it. */
export function bind(binding: Binding): () => void {
  bindings.push(binding);
  renderKeybar();
  return () => {
    bindings.splice(bindings.indexOf(binding), 1);
    renderKeybar();
  };
}

export function capsOf(binding: Binding): string[] {
  return binding.caps && !isChanged(binding) ? [...binding.caps] : capNames(keysOf(binding)[0] ?? "");
}

let drawPending = false;
let drawnSignature = "";

/** Draw the key bar, once for any number of bindings made in one go; a key that means nothing just now is left out. */
export function renderKeybar(): void {
  if (drawPending) return;
  drawPending = true;
  queueMicrotask(() => {
    drawPending = false;
    const bar = document.getElementById("keys");
    if (!bar) return;
    const shown = bindings.filter((binding) => binding.bar !== false && (binding.when?.() ?? true));
    const signature = shown.map((binding) => binding.label + capsOf(binding).join("")).join();
    if (signature === drawnSignature) return;
    drawnSignature = signature;
    fill(bar, ...shown.map((binding) => h("span", {}, ...capsOf(binding).map(cap), binding.label)));
  });
}

/** Every binding of this page, in the order in which they were made. */
export function allBindings(): readonly Binding[] {
  return bindings;
}

/** Keys pressed in this document count: the page's own, and a second window's. */
export function listen(where: Document): void {
  where.addEventListener("keydown", pressed);
}

let started = false;

/** Listen; every page does this once, through its frame. */
export function startKeys(): void {
  if (started) return;
  started = true;
  listen(document);
  // What a key or click has changed may give other keys a meaning, or take it.
  for (const event of ["keyup", "click", "focusin"]) document.addEventListener(event, renderKeybar);
}
