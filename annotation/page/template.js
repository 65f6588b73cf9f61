// Builds the doctor's page from the record: question, options, two cards. The record is base64 of UTF-8 JSON.
const doctorPage = (() => {
  const { add, plain, shown } = doctorText;
  const DIGITS = '۰۱۲۳۴۵۶۷۸۹';
  const LETTERS = ['الف', 'ب', 'ج', 'د'];
  const NOTHING = 'این پاسخ نتیجه‌گیری جداگانه‌ای ندارد؛ همهٔ آن در زنجیرهٔ فکر است.';
  const UNREADABLE = 'این مورد خوانده نشد. آن را رد کنید (Discard) و به برگزارکننده خبر دهید.';
  const host = document.getElementById('doctor');
  const root = host.attachShadow({ mode: 'open' }); // Argilla copies its own style sheets into the frame

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
  }

  function fillCard(card, side) {
    const thoughts = card.querySelector('details');
    const thought = side.steps.length > 0 || side.introduction.text !== '';
    const conclusion = card.querySelector('.conclusion');
    if (side.conclusion.text) conclusion.append(shown(side.conclusion));
    else add(conclusion, 'p', 'nothing').textContent = NOTHING;
    card.querySelector('.introduction').append(shown(side.introduction));
    side.steps.forEach((step, place) => addStep(card.querySelector('.steps'), step, persian(place + 1)));
    card.querySelector('.count').textContent = side.steps.length ? `(${persian(side.steps.length)} گام)` : '';
    thoughts.hidden = !thought;
    thoughts.open = thought && !side.conclusion.text;
    card.querySelector('.none').hidden = thought;
  }

  function addStep(steps, step, number) {
    const element = add(steps, 'li');
    add(element, 'span', 'number').textContent = number;
    add(element, 'div').append(shown(step));
    const own = element.querySelector('.mark'); // the text's own number, where it is the same
    if (own && own.textContent.replace(/[.)]/, '') === number) own.hidden = true;
  }

  try {
    fill(decoded());
  } catch (error) {
    console.error('annotation: this record cannot be shown', error);
    root.textContent = UNREADABLE;
  }
  return { DIGITS, host, root };
})();
