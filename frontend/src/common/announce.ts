/** Announcements to screen readers: polite, or assertive where waiting would harm. */

const waiting = new Map<string, string[]>();
/** Announcements are removed after this time, or a dialog that closes would have them read again. */
const KEPT_MS = 4000;

function say(region: string, text: string): void {
  if (!text) return;
  const queue = waiting.get(region);
  if (queue) {
    if (!queue.includes(text)) queue.push(text);
    return;
  }
  waiting.set(region, [text]);
  const element = document.getElementById(region);
  if (element) element.textContent = "";
  // A region that is emptied and filled in one go is often read as unchanged.
  window.setTimeout(() => {
    const texts = waiting.get(region) ?? [];
    waiting.delete(region);
    const spoken = texts.map((each, at) => (at < texts.length - 1 ? each.replace(/\.$/, "") : each)).join(". ");
    if (!element) return;
    element.textContent = spoken;
    window.setTimeout(() => {
      if (element.textContent === spoken) element.textContent = "";
    }, KEPT_MS);
  }, 60);
}

export function polite(text: string): void {
  say("say-polite", text);
}

export function assertive(text: string): void {
  say("say-assertive", text);
}
