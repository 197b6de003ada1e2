// What looks.py asks of a page: each function returns the first ten things that are wrong.
const looks = {
  spilling: () => {
    const width = document.documentElement.clientWidth, found = [];
    if (document.documentElement.scrollWidth > width) found.push(`scrolls: ${document.documentElement.scrollWidth} px`);
    for (const each of document.querySelectorAll("main *")) {
      const box = each.getBoundingClientRect();
      const seen = box.width > 1 && box.height > 1 && getComputedStyle(each).visibility !== "hidden";
      if (seen && (box.right > width + 1 || box.left < -1) && !each.closest(".visually-hidden, .sb-scrolls"))
        found.push(`${each.tagName} .${each.className.baseVal ?? each.className}: ${Math.round(box.left)}..${Math.round(box.right)}`);
    }
    return found.slice(0, 10);
  },

  overlapping: () => {
    const boxes = [], walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, parent = node.parentElement;
      if (!node.textContent.trim() || parent.closest(".visually-hidden, .sb-scrolls, option, script, title")) continue;
      if (!parent.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects())
        if (box.width > 1 && box.height > 1) boxes.push({node, box, what: node.textContent.trim().slice(0, 40)});
    }
    for (const control of document.querySelectorAll("main button, main a.sb-btn, main input, main select"))
      if (control.checkVisibility()) boxes.push({node: control, box: control.getBoundingClientRect(), what: control.outerHTML.slice(0, 60)});
    const found = [];
    boxes.sort((a, b) => a.box.top - b.box.top);
    for (let i = 0; i < boxes.length; i++)
      for (let j = i + 1; j < boxes.length && boxes[j].box.top < boxes[i].box.bottom - 2; j++) {
        const [a, b] = [boxes[i], boxes[j]];
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (wide > 2 && high > 3 && !a.node.contains(b.node) && !b.node.contains(a.node))
          found.push(`"${a.what}" and "${b.what}"`);
      }
    return found.slice(0, 10);
  },
};
