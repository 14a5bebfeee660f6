/** Versions of the label schema and of "positive": which are in force, the next one with a preview, and the history. */

import { polite } from "../common/announce";
import { api, reason } from "../common/api";
import { ask } from "../common/dialog";
import { byId, fill, h, pageConfig } from "../common/dom";
import { when } from "../common/format";
import { scrollRegion } from "../common/parts";
import { VersionEditor } from "./editor";
import type { Kind, Overview, Version } from "./types";

class SchemaPage {
  private readonly inForce = h("div", { class: "body stack" });
  private readonly history = h("div", { class: "body" });
  private readonly lists: Record<Kind, HTMLElement> = {
    schema: h("div", { class: "body" }),
    definition: h("div", { class: "body" }),
  };
  private readonly editors: Record<Kind, VersionEditor>;

  constructor(private overview: Overview) {
    const added = (next: Overview) => this.show(next);
    this.editors = { schema: new VersionEditor("schema", added), definition: new VersionEditor("definition", added) };
  }

  start(): void {
    const { schema, definition } = this.editors;
    fill(
      byId("schema"),
      h("div", { class: "columns" }, card("In force", this.inForce), card("Since when", this.history)),
      card("Versions of the schema", this.lists.schema),
      card(
        "The next version of the schema",
        h(
          "div",
          { class: "body columns wide-left" },
          schema.element,
          h(
            "section",
            { "aria-label": "Preview of the form", class: "stack" },
            h("h3", { class: "h3" }, "As readers see it"),
            schema.preview.element,
          ),
        ),
      ),
      h(
        "div",
        { class: "columns" },
        card("Versions of “positive”", this.lists.definition),
        card("The next version of “positive”", h("div", { class: "body" }, definition.element)),
      ),
    );
    this.show(this.overview);
    this.edit("schema", this.overview.in_force.schema, false);
    this.edit("definition", this.overview.in_force.definition, false);
    byId("main").removeAttribute("aria-busy");
  }

  private show(overview: Overview): void {
    this.overview = overview;
    this.showChoice();
    fill(this.lists.schema, this.table("schema", overview.schemas));
    fill(this.lists.definition, this.table("definition", overview.definitions));
    const rows = overview.history.map((row) =>
      h(
        "tr",
        {},
        h("td", { class: "nowrap" }, when(row.since) ?? ""),
        h("td", {}, row.schema),
        h("td", {}, row.definition),
        h("td", {}, row.by),
        h("td", { class: "wrap" }, row.reason),
      ),
    );
    fill(this.history, table("Each change", ["Since", "Schema", "Positive", "By", "Why"], rows));
  }

  private showChoice(): void {
    const { in_force: now, schemas, definitions } = this.overview;
    const select = (id: string, versions: readonly Version<unknown>[], chosen: string) => {
      const element = h(
        "select",
        { id },
        ...versions.map(({ name }) => h("option", { value: name, selected: name === chosen }, name)),
      );
      return element;
    };
    const schema = select("choose-schema", schemas, now.schema);
    const definition = select("choose-definition", definitions, now.definition);
    const button = h(
      "button",
      { class: "btn btn-primary", type: "button", onclick: () => void this.choose(schema.value, definition.value) },
      "Put in force",
    );
    const problem = h("p", { class: "message", hidden: true, id: "choice-said" });
    fill(
      this.inForce,
      h(
        "div",
        { class: "form-row" },
        h("label", { class: "label", for: "choose-schema" }, "Schema"),
        h("span", { class: "field" }, schema),
      ),
      h(
        "div",
        { class: "form-row" },
        h("label", { class: "label", for: "choose-definition" }, "Positive"),
        h("span", { class: "field" }, definition),
      ),
      h(
        "p",
        { class: "small dim" },
        "New reads are made with these. Reads that are open are told, and keep what they have; " +
          "reference labels follow the definition at once.",
      ),
      problem,
      h("p", {}, button),
    );
  }

  private async choose(schema: string, definition: string): Promise<void> {
    const { confirmed, reason: why } = await ask({
      title: `Put ${schema} and ${definition} in force?`,
      body: [h("p", {}, "From now on every read is made with them. Readers in the middle of one are told.")],
      confirm: "Put in force",
      reasonLabel: "Why",
    });
    if (!confirmed) return;
    try {
      this.show(await api.post<Overview>("/api/v1/label-schemas/in-force/", { schema, definition, reason: why }));
      polite(`${schema} and ${definition} are in force`);
    } catch (error) {
      const problem = byId("choice-said");
      problem.hidden = false;
      problem.textContent = reason(error);
    }
  }

  private table(kind: Kind, versions: readonly Version<{ title: string }>[]): HTMLElement {
    const now = this.overview.in_force[kind];
    const rows = versions.map(({ name, document, made_at, made_by, reason: why, reads }) => {
      const edit = h(
        "button",
        { class: "link small", type: "button", onclick: () => this.edit(kind, name, true) },
        "edit a copy",
      );
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, name, name === now ? [" ", h("span", { class: "badge" }, "in force")] : null),
        h("td", {}, document.title),
        h("td", { class: "num" }, reads),
        h("td", {}, made_by),
        h("td", { class: "nowrap" }, when(made_at) ?? ""),
        h("td", { class: "wrap" }, why),
        h("td", {}, edit),
      );
    });
    return table(`All, ${kind}`, ["Version", "Title", "Reads", "By", "Made", "What is new", "Begin with it"], rows);
  }

  private edit(kind: Kind, name: string, anew: boolean): void {
    const versions: readonly Version<unknown>[] = kind === "schema" ? this.overview.schemas : this.overview.definitions;
    const version = versions.find((version) => version.name === name);
    if (version) this.editors[kind].begin(name, version.document, anew);
    if (anew) this.editors[kind].element.scrollIntoView({ block: "center" });
  }
}

function card(title: string, body: HTMLElement): HTMLElement {
  return h("section", { class: "card", "aria-label": title }, h("header", {}, h("h2", { class: "h2" }, title)), body);
}

function table(title: string, heads: string[], rows: HTMLElement[]): HTMLElement {
  return scrollRegion(
    "scroll-box",
    title,
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, ...rows),
    ),
  );
}

export function start(): void {
  new SchemaPage(
    pageConfig<Overview>({ in_force: { schema: "", definition: "" }, schemas: [], definitions: [], history: [] }),
  ).start();
}
