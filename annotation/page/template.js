// Builds the doctor's page from the record, and joins its frame to Argilla's page: height, theme, keys, direction.
// Argilla sizes the frame once and leaves the keyboard no way into it, so the frame does both for itself. What it
// puts into Argilla's page goes away with it.
(() => {
  const { add, plain, shown } = doctorText;
  const DIGITS = '۰۱۲۳۴۵۶۷۸۹';
  const LETTERS = ['الف', 'ب', 'ج', 'د'];
  const SIDE_KEYS = { BracketLeft: 'left', BracketRight: 'right' };
  const frame = window.frameElement;
  const outer = window.parent.document;
  const host = document.getElementById('doctor');
  const root = host.attachShadow({ mode: 'open' });
  const gone = new AbortController();
  let asking = null; // where in Argilla's form the doctor was

  const persian = (number) => String(number).replace(/[0-9]/g, (digit) => DIGITS[digit]);

  function decoded() {
    const bytes = Uint8Array.from(atob(record.fields.comparison.b64), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  function fill(given) {
    root.append(document.getElementById('doctor-page').content.cloneNode(true));
    root.querySelector('.asked').append(plain(given.question));
    const options = root.querySelector('.options');
    given.options.forEach((option, place) => {
      const element = add(options, 'li');
      add(element, 'span', 'letter').textContent = LETTERS[place] + ')';
      add(element, 'div').append(plain(option));
    });
    for (const card of root.querySelectorAll('.card')) fillCard(card, given.sides[card.dataset.side]);
    root.querySelector('.skip').addEventListener('click', backToForm);
  }

  function fillCard(card, side) {
    const steps = card.querySelector('.steps');
    const thoughts = card.querySelector('details');
    const thought = side.steps.length > 0 || side.introduction.text !== '';
    card.querySelector('.conclusion').append(side.conclusion.text ? shown(side.conclusion) : nothing());
    card.querySelector('.introduction').append(shown(side.introduction));
    side.steps.forEach((step, place) => {
      const element = add(steps, 'li');
      add(element, 'span', 'number').textContent = persian(place + 1);
      add(element, 'div').append(shown(step));
      const own = element.querySelector('.mark'); // the text's own number, where it is the same
      if (own && own.textContent.replace(/[.)]/, '') === persian(place + 1)) own.hidden = true;
    });
    card.querySelector('.count').textContent = side.steps.length ? `(${persian(side.steps.length)} گام)` : '';
    thoughts.hidden = !thought;
    thoughts.open = thought && !side.conclusion.text;
    card.querySelector('.none').hidden = thought;
  }

  function nothing() {
    const element = document.createElement('p');
    element.className = 'nothing';
    element.textContent = 'این پاسخ نتیجه‌گیری جداگانه‌ای ندارد؛ همهٔ آن در زنجیرهٔ فکر است.';
    return element;
  }

  function fit() {
    frame.style.height = Math.ceil(host.getBoundingClientRect().height) + 'px';
  }

  function follow(attribute) {
    host.dataset.theme = outer.documentElement.getAttribute(attribute) ?? 'light';
  }

  function backToForm() {
    const form = outer.querySelector('.questions-form');
    const place = asking?.isConnected ? asking : form?.querySelector('input, [tabindex="0"]');
    frame.blur();
    window.parent.focus();
    place?.focus();
    return place;
  }

  function toggle(side) {
    const thoughts = root.querySelector(`.card[data-side="${side}"] details`);
    if (thoughts.hidden) return;
    if (!frame.matches(':focus')) asking = outer.activeElement;
    thoughts.open = !thoughts.open;
    window.focus();
    thoughts.querySelector('summary').focus();
    thoughts.scrollIntoView({ block: 'nearest' });
  }

  const typing = (target) => target.isContentEditable || target.matches?.('textarea, input:not([type="checkbox"])');

  function press(target, key) {
    target.dispatchEvent(new window.parent.KeyboardEvent('keydown', { key, code: 'Digit' + key, bubbles: true, cancelable: true }));
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const digit = DIGITS.indexOf(event.key) >= 0 ? DIGITS.indexOf(event.key) : event.key;
    const inside = event.view === window;
    if (SIDE_KEYS[event.code]) toggle(SIDE_KEYS[event.code]);
    else if (inside && event.key === 'Escape') backToForm();
    else if (/^[0-9]/.test(digit) && (inside || digit !== event.key)) press(inside ? backToForm() : event.target, String(digit));
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function dress() {
    const style = outer.createElement('style');
    style.textContent = ['doctor-font', 'doctor-outer'].map((id) => document.getElementById(id).textContent).join('');
    outer.head.append(style);
    window.addEventListener('pagehide', () => { gone.abort(); style.remove(); });
  }

  function join() {
    dress();
    new ResizeObserver(fit).observe(host);
    new MutationObserver(() => follow('data-theme')).observe(outer.documentElement, { attributeFilter: ['data-theme'] });
    follow('data-theme');
    outer.addEventListener('keydown', onKey, { capture: true, signal: gone.signal });
    document.addEventListener('keydown', onKey, { capture: true });
  }

  try {
    fill(decoded());
  } catch (error) {
    console.error('annotation: this record cannot be shown', error);
    root.textContent = 'این مورد خوانده نشد. آن را رد کنید (Discard) و به برگزارکننده خبر دهید.';
  }
  join();
})();
