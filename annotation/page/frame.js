// Joins the frame to Argilla's page: height, theme, keys, direction. Argilla sizes the frame once, leaves the keyboard no
// way into it, takes ASCII digits only, does not scroll to the question it asks, and pastes what the doctor wrote into
// this page as script; each is mended here. What is put into Argilla's page goes away with the frame.
(() => {
  const { DIGITS, host, root } = doctorPage;
  const SIDE_KEYS = { BracketLeft: 'left', BracketRight: 'right' };
  const frame = window.frameElement;
  const outer = window.parent.document;
  const gone = new AbortController();
  let asking = null; // where in Argilla's form the doctor was

  function fit() {
    frame.style.height = Math.ceil(host.getBoundingClientRect().height) + 'px';
  }

  function follow() {
    host.dataset.theme = outer.documentElement.getAttribute('data-theme') ?? 'light';
  }

  function backToForm() {
    const form = outer.querySelector('.questions-form');
    const place = asking?.isConnected ? asking : form?.querySelector('input, [tabindex="0"]');
    window.parent.focus();
    place?.focus();
    return place;
  }

  function toggle(side) {
    const thoughts = root.querySelector(`.card[data-side="${side}"] details`);
    if (!thoughts || thoughts.hidden) return;
    if (outer.activeElement !== frame) asking = outer.activeElement;
    thoughts.open = !thoughts.open;
    window.focus();
    thoughts.querySelector('summary').focus();
    thoughts.scrollIntoView({ block: 'nearest' });
  }

  const writing = (target) => target.isContentEditable || target.matches?.('textarea, input:not([type="checkbox"])');

  function press(target, key) {
    const event = { key, code: 'Digit' + key, bubbles: true, cancelable: true };
    target?.dispatchEvent(new window.parent.KeyboardEvent('keydown', event));
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
    const inside = event.view === window;
    const persian = event.key.length === 1 && DIGITS.includes(event.key);
    const digit = persian ? String(DIGITS.indexOf(event.key)) : event.key;
    if (SIDE_KEYS[event.code]) toggle(SIDE_KEYS[event.code]);
    else if (inside && event.key === 'Escape') backToForm();
    else if (/^[0-9]/.test(digit) && (inside || persian)) press(inside ? backToForm() : event.target, digit);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // A corrected answer comes back in the record's script when the doctor opens it again: a word joiner behind each «<»
  // and dollar sign that could begin something there, in the whole text, for a deletion can bring two signs together as
  // well. The caret moves along by itself. annotation/page/answers.py takes the joiners out.
  function onWritten(event) {
    const box = event.target;
    if (!box.isContentEditable || event.isComposing) return;
    const nodes = outer.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    let changed = false;
    let last = null; // a sign at the end of one piece of text may stand before the beginning of the next
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      if (last && /^[A-Za-z/!?\u0024&`']/.test(node.data)) { last.appendData('\u2060'); changed = true; }
      const places = [...node.data.matchAll(/[<\u0024](?=[A-Za-z/!?\u0024&`'])/g)].map((found) => found.index + 1);
      for (const place of places.reverse()) { node.insertData(place, '\u2060'); changed = true; }
      if (node.data) last = /[<\u0024]/.test(node.data.at(-1)) ? node : null;
    }
    if (changed && event.type !== 'input') box.dispatchEvent(new window.parent.InputEvent('input', { bubbles: true }));
  }

  function onFocus(event) { // Argilla moves the focus to the next question, but not the view
    event.target.closest('.questions > *')?.scrollIntoView({ block: 'nearest' });
  }

  function dress() {
    const style = outer.createElement('style');
    style.textContent = ['doctor-font', 'doctor-outer'].map((id) => document.getElementById(id).textContent).join('');
    outer.head.append(style);
    window.addEventListener('pagehide', () => { gone.abort(); style.remove(); });
  }

  dress();
  follow();
  new ResizeObserver(fit).observe(host);
  new MutationObserver(follow).observe(outer.documentElement, { attributeFilter: ['data-theme'] });
  outer.addEventListener('keydown', onKey, { capture: true, signal: gone.signal });
  outer.addEventListener('focusin', onFocus, { signal: gone.signal });
  for (const kind of ['input', 'compositionend']) outer.addEventListener(kind, onWritten, { capture: true, signal: gone.signal });
  document.addEventListener('keydown', onKey, { capture: true });
  root.querySelector('.skip')?.addEventListener('click', backToForm);
})();
