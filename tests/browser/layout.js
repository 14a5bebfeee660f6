// Text that lies over other text, and text that is cut off without dots: what a person would see of the page as it is now.
() => {
  const room = (element) => {
    let box = { l: 0, t: 0, r: innerWidth, b: innerHeight };
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.overflowX === "visible" && style.overflowY === "visible" && style.clip === "auto") continue;
      const seen = each.getBoundingClientRect();
      box = { l: Math.max(box.l, seen.left), t: Math.max(box.t, seen.top), r: Math.min(box.r, seen.right), b: Math.min(box.b, seen.bottom) };
    }
    return box;
  };
  const dotted = (element) => element !== null && (getComputedStyle(element).textOverflow === "ellipsis" || dotted(element.parentElement));
  const pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, option, noscript") || !element.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = room(element);
    for (const line of range.getClientRects()) {
      const seen = { l: Math.max(line.left, box.l), t: Math.max(line.top, box.t), r: Math.min(line.right, box.r), b: Math.min(line.bottom, box.b) };
      const cut = (line.right > box.r + 1 || line.left < box.l - 1) && !dotted(element);
      if (seen.r - seen.l > 2 && seen.b - seen.t > 2) pieces.push({ ...seen, text: text.slice(0, 40), element, cut });
    }
  }
  const over = (a, b) => Math.min(a.r, b.r) - Math.max(a.l, b.l) > 2 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 4 && !a.element.contains(b.element) && !b.element.contains(a.element);
  const lying = pieces.flatMap((a, at) => pieces.slice(at + 1).filter((b) => over(a, b)).map((b) => `${a.text} over ${b.text}`));
  return [...lying, ...pieces.filter(({ cut }) => cut).map(({ text }) => `${text} is cut off`)];
}
