// Model text as DOM, by hand: text nodes only, never markup. Marks known: bold, code, headings, lists, fences.
//   shown(marked) gives a fragment with Markdown rendered, plain(marked) one without
// Left-to-right runs (marked.ltr, from the sender) stand in <bdi>. Bidi overrides, control characters and lone
// surrogates stay in the text, each in an isolate of its own that names it, so they neither act nor hide.
const doctorText = (() => {
  const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
  const INLINE = /`([^`\n]{1,300})`|\*\*(?=\S)([^\n]{1,300}?)(?<=\S)\*\*/g;
  const HEADING = /^ {0,3}#{1,6}[ \t]+/;
  const ITEM = /^([ \t]*)([-*+•–]|[0-9۰-۹٠-٩]{1,3}[.)])[ \t]+(?=\S)/;
  const FENCE = /^ {0,3}```/;

  function add(parent, name, className) {
    const element = document.createElement(name);
    if (className) element.className = className;
    parent.append(element);
    return element;
  }

  function characters(parent, text) {
    let last = 0;
    for (const found of text.matchAll(CONTROL)) {
      parent.append(text.slice(last, found.index));
      const control = add(parent, 'bdi', 'control');
      control.dataset.code = 'U+' + found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
      control.textContent = found[0];
      last = found.index + 1;
    }
    parent.append(text.slice(last));
  }

  function writer(marked) {
    let next = 0; // text is written from start to end, so the runs are walked once
    return (parent, from, to) => {
      while (from < to) {
        while (next < marked.ltr.length && marked.ltr[next][1] <= from) next += 1;
        const [start, end] = marked.ltr[next] ?? [to, to];
        const inside = start <= from;
        const until = Math.min(to, inside ? end : start);
        const place = inside ? add(parent, 'bdi') : parent;
        if (inside) place.dir = 'ltr';
        characters(place, marked.text.slice(from, until));
        from = until;
      }
    };
  }

  function directed(element, text) {
    element.dir = RTL.test(text) || !/[A-Za-z]/.test(text) ? 'rtl' : 'ltr';
    return element;
  }

  function inline(write, parent, text, from, to) {
    let last = from;
    for (const found of text.slice(from, to).matchAll(INLINE)) {
      const start = from + found.index;
      write(parent, last, start);
      const width = found[1] === undefined ? 2 : 1;
      const element = add(parent, width === 1 ? 'code' : 'strong');
      if (width === 1) element.dir = 'ltr';
      last = start + found[0].length;
      write(element, start + width, last - width);
    }
    write(parent, last, to);
  }

  function* lines(text) {
    for (let start = 0; start <= text.length; ) {
      const end = (text.indexOf('\n', start) + 1 || text.length + 1) - 1;
      yield { start, end, line: text.slice(start, end) };
      start = end + 1;
    }
  }

  function kind(all, place, open) {
    const { line } = all[place];
    if (!line.trim()) return 'blank';
    if (FENCE.test(line) && place < open) return 'fence';
    if (HEADING.test(line)) return 'heading';
    return ITEM.test(line) ? 'item' : 'paragraph';
  }

  function item(write, list, text, { start, end, line }) {
    const [mark, indent, sign] = ITEM.exec(line);
    const element = directed(add(list, 'li'), line);
    element.style.setProperty('--depth', Math.min(4, Math.floor(indent.replaceAll('\t', '  ').length / 2)));
    add(element, 'span', 'mark').textContent = /[-*+–]/.test(sign) ? '•' : sign;
    inline(write, add(element, 'div'), text, start + mark.length, end);
  }

  function shown(marked) {
    const { text } = marked;
    const write = writer(marked);
    const fragment = document.createDocumentFragment();
    const all = [...lines(text)];
    const open = all.findLastIndex(({ line }) => FENCE.test(line)); // a fence below this one is closed by it
    for (let place = 0; place < all.length; ) {
      const what = kind(all, place, open);
      let stop = place + 1;
      if (what === 'fence') {
        while (!FENCE.test(all[stop].line)) stop += 1;
        const code = add(add(fragment, 'pre'), 'code');
        code.parentNode.dir = 'ltr';
        if (stop > place + 1) write(code, all[place + 1].start, all[stop - 1].end);
        stop += 1;
      } else if (what === 'item') {
        while (stop < all.length && kind(all, stop, open) === 'item') stop += 1;
        const list = add(fragment, 'ul');
        for (const line of all.slice(place, stop)) item(write, list, text, line);
      } else if (what === 'heading') {
        const { start, end, line } = all[place];
        inline(write, directed(add(fragment, 'h4'), line), text, start + HEADING.exec(line)[0].length, end);
      } else if (what === 'paragraph') {
        while (stop < all.length && kind(all, stop, open) === 'paragraph') stop += 1;
        const [start, end] = [all[place].start, all[stop - 1].end];
        inline(write, directed(add(fragment, 'p'), text.slice(start, end)), text, start, end);
      }
      place = stop;
    }
    return fragment;
  }

  function plain(marked) {
    const fragment = document.createDocumentFragment();
    writer(marked)(directed(add(fragment, 'p'), marked.text), 0, marked.text.length);
    return fragment;
  }

  return { add, plain, shown };
})();
