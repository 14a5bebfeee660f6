/** The discussion of an item: readers appear as numbers, and remarks are never removed. */

import { polite } from "../../common/announce";
import { api, reason } from "../../common/api";
import { fill, h, icon } from "../../common/dom";
import { subscribe } from "../../common/events";
import { when } from "../../common/format";
import type { Discussion, Remark } from "../types";

export class DiscussionPanel {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "thread" });
  private readonly problem = h("div", { role: "status" });
  private readonly text = h("textarea", {
    class: "field",
    rows: 2,
    maxlength: 2000,
    "aria-label": "Say something to those who take part",
    placeholder: "Say something to those who take part",
  });
  private readonly unsubscribe: () => void;

  constructor(private readonly url: string) {
    const send = h("button", { class: "btn", type: "button", onclick: () => void this.send() }, "Send");
    this.element = h(
      "section",
      { class: "stack", "aria-label": "Discussion" },
      h("h3", { class: "h3 line" }, "Discussion ", h("kbd", {}, "/")),
      this.list,
      this.text,
      h("div", { class: "line" }, send, this.problem),
    );
    // Typing here must not reach the form around it, whose draft it is not part of.
    for (const type of ["input", "change"]) this.text.addEventListener(type, (event) => event.stopPropagation());
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      void this.send();
    });
    this.unsubscribe = subscribe(["remark"], () => void this.load());
  }

  show(remarks: readonly Remark[]): void {
    const item = (remark: Remark) =>
      h(
        "li",
        {},
        h("span", { class: "strong" }, remark.mine ? "You" : remark.author),
        h("span", { class: "small dim" }, ` ${when(remark.at) ?? ""}`),
        h("p", {}, remark.text),
      );
    fill(
      this.list,
      ...(remarks.length ? remarks.map(item) : [h("li", { class: "small dim" }, "Nobody has said anything yet.")]),
    );
  }

  focus(): void {
    this.text.focus();
    this.text.scrollIntoView({ block: "nearest" });
  }

  showProblem(text: string): void {
    fill(this.problem, h("span", { class: "bad" }, icon("bad"), text));
  }

  /** Returns whether this person may take part. */
  async load(): Promise<boolean> {
    try {
      this.show((await api.get<Discussion>(this.url)).remarks);
      return true;
    } catch {
      return false;
    }
  }

  private async send(): Promise<void> {
    const text = this.text.value.trim();
    if (!text) return;
    try {
      const { remarks } = await api.post<Discussion>(this.url, { text });
      this.text.value = "";
      fill(this.problem);
      this.show(remarks);
      polite("Sent");
    } catch (error) {
      this.showProblem(`It was not sent, and stays here. ${reason(error)}`);
    }
  }

  close(): void {
    this.unsubscribe();
  }
}
