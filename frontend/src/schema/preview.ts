/** The form of a version as readers will see it. Clicks change it; nothing of it is stored. */

import { fill, h } from "../common/dom";
import { type Action, blankForm, History, summary } from "../reading/answer/findings";
import { LabelSchema, registerSchema, type SchemaDocument } from "../reading/answer/schema";
import { ReadForm } from "../reading/form/form";

const nothing = () => undefined;
let serial = 0;

export class FormPreview {
  readonly element = h("div", { class: "form-preview", "data-preview": "" });

  draw(document: SchemaDocument): void {
    serial += 1;
    // Each draft gets a name of its own: a version that is registered under a name never changes.
    const schema = registerSchema({ name: `preview-${serial}`, document });
    const history = new History(blankForm(true, new LabelSchema(schema.name, document)));
    const summaryText = h("p", { class: "small dim", "data-said": "" });
    const show = () => {
      form.draw(history.form, history.undoable);
      summaryText.textContent = summary(history.form)
        .map(([name, word]) => `${name} ${word}`)
        .join(" · ");
      form.setWarning(
        ...schema.questions(history.form.findings).map((question) => h("p", { class: "warn small" }, question)),
      );
    };
    const act = (action: Action) => {
      history.apply(action);
      show();
    };
    const undo = () => {
      history.undo();
      show();
    };
    const host = {
      act,
      commit: nothing,
      undo,
      skip: null,
      keyframe: nothing,
      goTo: nothing,
      openClip: nothing,
      goToDrawing: nothing,
      drawings: nothing,
      release: nothing,
    };
    const form = new ReadForm("room", schema, [], [], host);
    form.setStatus("A preview: nothing is kept of what you press here");
    fill(this.element, form.element, summaryText);
    show();
  }
}
