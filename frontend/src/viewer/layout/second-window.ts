/**
 * A second window for a second monitor: the film, or the prior, moves there and comes back when it closes. The elements
 * themselves move, so nothing is loaded twice and every key and click does what it did.
 */

import { polite } from "../../common/announce";
import { showBanner } from "../../common/banner";
import { h } from "../../common/dom";
import { listen } from "../../common/keys";

const FEATURES = "popup,width=960,height=900";

export class SecondWindow {
  private popup: Window | null = null;
  private movedElements: { element: HTMLElement; before: Comment }[] = [];
  private readonly themes = new MutationObserver(() => this.drawTheme());
  private readonly onLeave = () => this.close();

  constructor(
    /** Something moved: what hangs must be fitted again. */
    private readonly moved: () => void,
    /** The reader came to that window, or left it. */
    private readonly focusMoved: () => void,
  ) {
    window.addEventListener("pagehide", this.onLeave);
  }

  get hasFocus(): boolean {
    return this.isOpen && Boolean(this.popup?.document.hasFocus());
  }

  get isOpen(): boolean {
    return this.popup !== null && !this.popup.closed;
  }

  /** Move these elements there, or bring back those that are there. */
  toggle(title: string, elements: readonly HTMLElement[]): void {
    if (this.isOpen) return this.close();
    const popup = window.open("", "fontanelle-second", FEATURES);
    if (!popup) {
      showBanner({
        name: "second",
        title: "The browser did not allow a second window.",
        detail: "Allow pop-up windows for this address and try again. Nothing was moved.",
      });
      return;
    }
    this.popup = popup;
    this.prepareWindow(popup, title);
    for (const element of elements) this.move(element, popup.document);
    popup.addEventListener("pagehide", () => this.returnElements());
    for (const name of ["focus", "blur"]) popup.addEventListener(name, this.focusMoved);
    polite(`${title} in the second window`);
    this.moved();
  }

  close(): void {
    const { popup } = this;
    this.returnElements();
    popup?.close();
  }

  dispose(): void {
    this.close();
    window.removeEventListener("pagehide", this.onLeave);
  }

  private prepareWindow(popup: Window, title: string): void {
    const target = popup.document;
    target.documentElement.lang = "en";
    this.drawTheme();
    // Styles come from our own files; a style sheet of this document does not count in another one.
    const sheets = [...document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")].map((link) =>
      h("link", { rel: "stylesheet", href: link.href }),
    );
    target.head.replaceChildren(...sheets.map((link) => target.adoptNode(link)));
    target.title = `${title} · Fontanelle · research use only`;
    target.body.className = "second";
    const heading = h("h1", { class: "vh" }, `${title}, second window`);
    target.body.replaceChildren(
      target.adoptNode(h("main", {}, heading, h("p", { class: "ruo small" }, "Research use only"))),
    );
    this.themes.disconnect();
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    listen(target);
  }

  private move(element: HTMLElement, target: Document): void {
    const before = document.createComment("in the second window");
    element.before(before);
    this.movedElements.push({ element, before });
    target.querySelector("main")?.append(target.adoptNode(element));
  }

  private drawTheme(): void {
    if (this.popup)
      this.popup.document.documentElement.dataset["theme"] = document.documentElement.dataset["theme"] ?? "dark";
  }

  private returnElements(): void {
    this.themes.disconnect();
    for (const { element, before } of this.movedElements) {
      if (before.isConnected) before.replaceWith(document.adoptNode(element));
      before.remove();
    }
    const hadElements = this.movedElements.length > 0;
    this.movedElements = [];
    this.popup = null;
    if (hadElements) this.moved();
  }
}
