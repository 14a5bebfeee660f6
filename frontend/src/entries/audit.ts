import "../common/frame";
import { bind } from "../common/keys";

const GROUP = "Audit";
const older = document.getElementById("older");
const form = document.getElementById("filters");
bind({ key: "/", label: "Filter", group: GROUP, run: () => form?.querySelector<HTMLInputElement>("input")?.select() });
if (older) bind({ key: "n", label: "Older", group: GROUP, run: () => older.click() });
// Empty fields stay out of the address, which people send each other.
form?.addEventListener("formdata", (event) => {
  const { formData } = event as FormDataEvent;
  for (const [name, value] of [...formData.entries()]) if (value === "") formData.delete(name);
});
