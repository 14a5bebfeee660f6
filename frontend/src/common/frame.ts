/** What every page has: the styles, the keys, the theme, the sign-out form's warning. Entries import it first. */

import "../../styles/app.css";
import { polite } from "./announce";
import { startLive } from "./events";
import { allBindings, bind, startKeys } from "./keys";
import { openKeys } from "./keys-dialog";

const YEAR_S = 365 * 24 * 3600;

function switchTheme(): void {
  const light = document.documentElement.dataset["theme"] !== "light";
  const theme = light ? "light" : "dark";
  document.documentElement.dataset["theme"] = theme;
  // A cookie, because the server writes the theme into the page: nothing flashes before the script runs.
  // biome-ignore lint/suspicious/noDocumentCookie: older browsers and pages without TLS have no Cookie Store.
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
  showTheme();
  polite(`${theme} theme`);
}

function showTheme(): void {
  const button = document.getElementById("theme");
  const light = document.documentElement.dataset["theme"] === "light";
  button?.setAttribute("aria-pressed", String(light));
}

function showKeys(): void {
  openKeys(allBindings());
}

document.getElementById("theme")?.addEventListener("click", switchTheme);
showTheme();
startKeys();
bind({ key: "?", label: "Keys", group: "Everywhere", run: showKeys, bar: false });
document.getElementById("show-keys")?.addEventListener("click", showKeys);
startLive();
