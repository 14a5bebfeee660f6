/** A dialog to set the view of a clip: one key for each view and plane. */

import { cap, h } from "../../common/dom";
import { nameOf } from "../../common/keys";
import type { Clip, View } from "../types";

export interface ViewChoice {
  view: View;
  plane: string;
}

interface Option extends ViewChoice {
  key: string;
  name: string;
}

const OPTIONS: readonly [string, readonly Option[]][] = [
  [
    "Coronal",
    [
      { key: "c", view: "coronal", plane: "", name: "Sweep, or plane not named" },
      { key: "1", view: "coronal", plane: "frontal", name: "Frontal horns" },
      { key: "2", view: "coronal", plane: "third_ventricle", name: "Foramen of Monro, third ventricle" },
      { key: "3", view: "coronal", plane: "body", name: "Bodies" },
      { key: "4", view: "coronal", plane: "trigone", name: "Trigone" },
      { key: "5", view: "coronal", plane: "occipital", name: "Occipital" },
    ],
  ],
  [
    "Sagittal",
    [
      { key: "s", view: "sagittal", plane: "", name: "Sweep, or plane not named" },
      { key: "6", view: "sagittal", plane: "midline", name: "Midline" },
      { key: "7", view: "sagittal", plane: "right", name: "Right parasagittal" },
      { key: "8", view: "sagittal", plane: "left", name: "Left parasagittal" },
    ],
  ],
  [
    "Mastoid",
    [
      { key: "m", view: "mastoid", plane: "", name: "Side not named" },
      { key: "9", view: "mastoid", plane: "right", name: "Right" },
      { key: "0", view: "mastoid", plane: "left", name: "Left" },
    ],
  ],
  ["Other", [{ key: "o", view: "other", plane: "", name: "Other view" }]],
];

/** Show the dialog; null where nothing was chosen. */
export function askView(clip: Clip): Promise<ViewChoice | null> {
  let chosen: ViewChoice | null = null;
  const button = (option: Option) => {
    const on = option.view === clip.view && option.plane === clip.plane;
    return h(
      "button",
      {
        class: on ? "btn btn-quiet on" : "btn btn-quiet",
        type: "button",
        "aria-pressed": String(on),
        autofocus: on,
        onclick: () => choose(option),
      },
      cap(option.key.toUpperCase()),
      option.name,
    );
  };
  const groups = OPTIONS.map(([name, options]) =>
    h("section", { class: "stack" }, h("h3", { class: "h3" }, name), ...options.map(button)),
  );
  const source =
    clip.view_source === "person" ? "It was set by a person." : "It is suggested from what the device wrote.";
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "view-title" },
    h("h2", { class: "h2", id: "view-title" }, `Which view is clip ${clip.number}, ${clip.label}?`),
    h("p", { class: "small dim" }, source),
    h("div", { class: "viewpick" }, ...groups),
    h(
      "div",
      { class: "line" },
      h("button", { class: "btn right", type: "button", onclick: () => dialog.close() }, "Leave it ", cap("Esc")),
    ),
  );
  function choose({ view, plane }: ViewChoice): void {
    chosen = { view, plane };
    dialog.close();
  }
  dialog.addEventListener("keydown", (event) => {
    const option = OPTIONS.flatMap(([, options]) => options).find(({ key }) => key === nameOf(event));
    if (!option) return;
    event.preventDefault();
    choose(option);
  });
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(chosen);
    });
  });
}
