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
  private home: { element: HTMLElement; before: Comment }[] = [];
  private readonly themes = new MutationObserver(() => this.drawTheme());
  private readonly onLeave = () => this.close();

  constructor(
    /** Something moved: what hangs must be fitted again. */
    private readonly moved: () => void,
  ) {
    window.addEventListener("pagehide", this.onLeave);
  }

  get isOpen(): boolean {
    return this.popup !== null && !this.popup.closed;
  }

  /** Move these there, or bring back what is there. */
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
    this.furnish(popup, title);
    for (const element of elements) this.move(element, popup.document);
    popup.addEventListener("pagehide", () => this.back());
    polite(`${title} in the second window`);
    this.moved();
  }

  close(): void {
    const { popup } = this;
    this.back();
    popup?.close();
  }

  end(): void {
    this.close();
    window.removeEventListener("pagehide", this.onLeave);
  }

  private furnish(popup: Window, title: string): void {
    const there = popup.document;
    there.documentElement.lang = "en";
    this.drawTheme();
    // Styles come from our own files; a style sheet of this document does not count in another one.
    const sheets = [...document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")].map((link) =>
      h("link", { rel: "stylesheet", href: link.href }),
    );
    there.head.replaceChildren(...sheets.map((link) => there.adoptNode(link)));
    there.title = `${title} · Fontanelle · research use only`;
    there.body.className = "second";
    const heading = h("h1", { class: "vh" }, `${title}, second window`);
    there.body.replaceChildren(
      there.adoptNode(h("main", {}, heading, h("p", { class: "ruo small" }, "Research use only"))),
    );
    this.themes.disconnect();
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    listen(there);
  }

  private move(element: HTMLElement, there: Document): void {
    const before = document.createComment("in the second window");
    element.before(before);
    this.home.push({ element, before });
    there.querySelector("main")?.append(there.adoptNode(element));
  }

  private drawTheme(): void {
    if (this.popup)
      this.popup.document.documentElement.dataset["theme"] = document.documentElement.dataset["theme"] ?? "dark";
  }

  private back(): void {
    this.themes.disconnect();
    for (const { element, before } of this.home) {
      if (before.isConnected) before.replaceWith(document.adoptNode(element));
      before.remove();
    }
    const any = this.home.length > 0;
    this.home = [];
    this.popup = null;
    if (any) this.moved();
  }
}
