/** What happened, told to screen readers: politely, or at once where waiting would harm. */

const waiting = new Map<string, string[]>();

function say(region: string, text: string): void {
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
    if (element) element.textContent = texts.join(". ");
  }, 60);
}

export function polite(text: string): void {
  say("say-polite", text);
}

export function assertive(text: string): void {
  say("say-assertive", text);
}
