/** Building elements by hand: text is always a text node, so nothing that came from a server is ever parsed as HTML. */

export type Child = Node | string | number | null | undefined | false | Child[];
type Listener = (event: Event) => void;
export type Props = Record<string, string | number | boolean | null | undefined | Listener>;

const SVG = "http://www.w3.org/2000/svg";

function append(parent: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.append(child);
    else if (child !== null && child !== undefined && child !== false) parent.append(String(child));
  }
}

function assign(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** An HTML element. Attributes go by their HTML names, listeners as `onclick: (event) => …`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, props);
  append(element, children);
  return element;
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  assign(element, props);
  append(element, children);
  return element;
}

/** Put these children in place of whatever the element held. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Show a toggle button as on or off. */
export function setPressed(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("on", on);
}

/** Choose in a menu. Only where it changes: some screen readers follow each choice, wherever the focus is. */
export function pick(select: HTMLSelectElement, value: string): void {
  if (select.value !== value) select.value = value;
}

/** The element with this id, which the template promises. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** What a template passed with `json_script`, or the fallback where it passed nothing. */
export function scriptData<T>(id: string, fallback: T): T {
  const text = document.getElementById(id)?.textContent;
  // Django writes "" for a variable that the view did not set.
  return text ? (JSON.parse(text) as T | "" | null) || fallback : fallback;
}

export interface Person {
  username: string;
  display: string;
  role: "radiologist" | "annotator" | "adjudicator" | "admin";
  role_label: string;
}

/** Who is signed in, null on the pages that need nobody. */
export function person(): Person | null {
  return scriptData<Person | null>("person", null);
}

/** The page's configuration. */
export function pageConfig<T>(fallback: T): T {
  return scriptData<T>("page", fallback);
}

const ICONS = {
  suspected: ["0 0 12 12", "M6 .8 11.6 11H.4Z"],
  none: ["0 0 12 12", "M1.4 6a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0-9.2 0Z"],
  struck: ["0 0 12 12", "M2 10 10 2"],
  dots: ["0 0 12 12", "M2 6h.01M6 6h.01M10 6h.01"],
  ok: ["0 0 12 12", "M1.5 6.5 4.5 9.5 10.5 2.5"],
  bad: ["0 0 12 12", "M2 2 10 10M10 2 2 10"],
  warn: ["0 0 12 12", "M6 1v6.5M6 10v.6"],
  play: ["0 0 16 16", "M4 2.5v11l9-5.5z"],
  info: ["0 0 16 16", "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13ZM8 7v4.5M8 4.3v.9"],
  unequal: ["0 0 12 12", "M1 4.2h10M1 8h10M9 .8 3 11.4"],
} as const;

export type IconName = keyof typeof ICONS;

/** A decorative sign; the word that it stands beside carries the meaning. */
export function icon(name: IconName): SVGSVGElement {
  const [viewBox, path] = ICONS[name];
  const drawing = s("svg", { viewBox, "aria-hidden": "true", class: `i-${name}` }, s("path", { d: path }));
  if (name === "struck")
    drawing.prepend(s("rect", { x: 1.2, y: 1.2, width: 9.6, height: 9.6, "stroke-dasharray": "2.4 2.4" }));
  return drawing;
}

/** A key cap; words ("Enter") are set in small capitals. */
export function cap(label: string): HTMLElement {
  return h("kbd", { class: label.length > 1 ? "word" : null }, label);
}

/** An en dash that screen readers read as "unknown". */
export function unknown(word = "unknown"): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(h("span", { "aria-hidden": "true" }, "–"), h("span", { class: "vh" }, word));
  return fragment;
}

/** The text, or "unknown" where there is none. */
export function known(text: string | null | undefined): Node {
  return text ? document.createTextNode(text) : unknown();
}

export function reducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
