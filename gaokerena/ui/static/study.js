// The study's tab: one form a comparison, a draft of it in this browser, and the server's answers put into a still frame.
// Each event carries a number that its answer names; everything the server needs to know goes with every event.
const SIDES = ["right", "left"];
const SCALES = ["correctness", "safety", "completeness", "clarity"];
const REPLY_WITHIN = 20_000;
const LONGEST_PAUSE = 300; // seconds; who does nothing for longer is not reading
const find = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];
const root = find(".study");
const form = find(".study-form");
const door = find(".study-door");
const now = { code: "", item: "", study: props.value.study, sides: {}, given: null };
let asked = Date.now();
let waiting = null;
let spent = 0;
let active = 0;

// -- what is kept in this browser -------------------------------------------------------------------------------------

function store(kind, key, value) {
  try {
    if (value === undefined) return JSON.parse(kind.getItem(key));
    if (value === null) kind.removeItem(key);
    else kind.setItem(key, JSON.stringify(value));
  } catch {
    /* storage is off in some embedded frames */
  }
  return null;
}

const codeKey = () => `gaokerena-study-code:${now.study}`;
const draftKey = (item) => `gaokerena-study:${now.study}:${now.code}:${item}`;

function fields() {
  const data = new FormData(form);
  const kept = { seconds: spent };
  for (const name of new Set(data.keys())) {
    kept[name] = name.startsWith("faults-") ? data.getAll(name) : data.get(name);
  }
  return kept;
}

/** What a form says, however its values are written. */
function said(form) {
  const entries = Object.entries(form).filter(([name, value]) => !["at", "seconds"].includes(name) && value?.length !== 0);
  const plain = entries.map(([name, value]) => [name, [value === true ? "on" : value].flat().map(String).sort()]);
  return JSON.stringify(plain.filter(([, value]) => !["null", "false"].includes(value[0])).sort());
}

/** A draft names the verdict it began from, and is none where it says the same. */
function keepDraft() {
  if (!now.item || root.dataset.phase !== "item") return;
  const kept = { ...fields(), at: now.given?.at ?? null };
  store(localStorage, draftKey(now.item), now.given && said(kept) === said(now.given) ? null : kept);
}

/** The draft of an item, unless a verdict was stored since it began: in another browser, or by an answer that was lost. */
function draft(item, given) {
  const kept = store(localStorage, draftKey(item));
  if (!kept || (kept.at ?? null) === (given?.at ?? null)) return kept;
  return store(localStorage, draftKey(item), null);
}

function fillForm(kept) {
  form.reset();
  form.elements.corrected.value = kept?.corrected ?? "";
  for (const input of all(".study-form input")) {
    const value = kept?.[input.name];
    if (input.name === "personal_data") input.checked = Boolean(value);
    else if (input.type === "checkbox") input.checked = (value ?? []).includes(input.value);
    else input.checked = value !== undefined && value !== null && String(value) === input.value;
  }
}

// -- time spent: while the page is seen and something is done ----------------------------------------------------------

function count() {
  const moment = performance.now();
  if (active) spent += Math.min((moment - active) / 1000, LONGEST_PAUSE);
  active = document.hidden || root.dataset.phase !== "item" ? 0 : moment;
}

for (const name of ["pointerdown", "pointermove", "keydown", "scroll", "wheel"]) {
  window.addEventListener(name, () => performance.now() - active > 1000 && count(), { passive: true, capture: true });
}
document.addEventListener("visibilitychange", () => (count(), keepDraft()));
window.addEventListener("pagehide", () => (count(), keepDraft()));

// -- asking the server -------------------------------------------------------------------------------------------------

function send(message) {
  if (waiting) return;
  const code = now.code || door.querySelector("input").value;
  asked += 1;
  waiting = { reply: asked, timer: setTimeout(unanswered, REPLY_WITHIN) };
  busy(true);
  for (const region of [".study-message", ".study-error"]) put(find(region), ""); // the same words again are news again
  trigger("submit", { code, item: now.item, ...message, reply: asked });
}

function unanswered() {
  waiting = null;
  busy(false);
  put(find(".study-error"), find("template.study-no-reply").innerHTML);
}

function busy(is) {
  root.setAttribute("aria-busy", String(is));
  for (const button of all(".primary, .study-back")) button.disabled = is;
}

function put(node, html) {
  if (node.shown === html) return;
  node.shown = html;
  node.innerHTML = html;
}

// -- showing what it said ----------------------------------------------------------------------------------------------

function heard() {
  const value = props.value;
  if (!value?.reply || value.reply !== waiting?.reply) return;
  clearTimeout(waiting.timer);
  waiting = null;
  busy(false);
  put(find(".study-error"), value.error);
  if (value.phase === "same") {
    if (root.dataset.phase === "code") store(sessionStorage, codeKey(), null);
    find(".study-error").scrollIntoView({ block: "nearest" });
    return;
  }
  if (value.stored) store(localStorage, draftKey(value.stored), null);
  now.code = value.code;
  store(sessionStorage, codeKey(), now.code);
  find(".study-who").textContent = now.code;
  put(find(".study-message"), value.message);
  put(find(".study-progress"), value.progress);
  Object.assign(find("progress"), { max: value.total, value: value.done });
  for (const back of all(".study-back")) back.hidden = value.done === 0;
  root.dataset.phase = value.phase;
  if (value.phase === "item") show(value);
  else now.item = "";
  begin(value.phase === "item" ? find(".study-question") : find("#study-title"));
}

function show(value) {
  now.item = value.item;
  now.sides = value.sides;
  put(find(".study-question"), value.question);
  find(".study-again").hidden = !value.given;
  for (const side of SIDES) {
    const [card, said] = [find(`.card[data-side="${side}"]`), value.sides[side]];
    put(card.querySelector(".answer-blocks"), said.answer.map((block) => `<div>${block}</div>`).join(""));
    put(card.querySelector(".thoughts-blocks"), said.thoughts.map((block) => `<div>${block}</div>`).join(""));
    put(card.querySelector(".meta"), said.meta);
    put(find(`.study-steps[data-side="${side}"]`), said.steps);
    open(card.querySelector(".thoughts-toggle"), false);
  }
  now.given = value.given;
  const kept = draft(now.item, value.given) ?? value.given;
  fillForm(kept);
  spent = kept?.seconds ?? 0;
  active = 0;
  count();
}

/** To the top of the new item, with the focus there, so that Tab goes on to its cards and a reader hears it. */
function begin(place) {
  place.focus({ preventScroll: true });
  root.scrollIntoView({ block: "start" });
}

function open(toggle, is) {
  toggle.setAttribute("aria-expanded", String(is));
  document.getElementById(toggle.getAttribute("aria-controls")).hidden = !is;
}

// -- what the doctor does ----------------------------------------------------------------------------------------------

function given() {
  const kept = fields();
  const verdict = {
    grade: kept.grade === "cannot_judge" ? null : (kept.grade ?? null),
    cannot_judge: kept.grade === "cannot_judge",
    personal_data: Boolean(kept.personal_data),
    confidence: kept.confidence ?? null,
    corrected: kept.corrected,
  };
  for (const side of SIDES) {
    const scales = SCALES.filter((scale) => kept[`${scale}-${side}`]).map((scale) => [scale, kept[`${scale}-${side}`]]);
    verdict[side] = {
      scales: Object.fromEntries(scales),
      faults: kept[`faults-${side}`] ?? [],
      step: kept[`step-${side}`] ?? null,
    };
  }
  return verdict;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  count();
  keepDraft();
  send({ do: "submit", given: given(), seconds: spent });
});
form.addEventListener("input", keepDraft);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
door.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  now.code = "";
  send({ do: "enter", item: "" });
});
for (const toggle of all(".thoughts-toggle")) {
  toggle.addEventListener("click", () => open(toggle, toggle.getAttribute("aria-expanded") !== "true"));
}
for (const back of all(".study-back")) {
  back.addEventListener("click", () => (count(), keepDraft(), send({ do: "back" })));
}
for (const take of all(".study-take")) {
  take.addEventListener("click", () => {
    const box = form.elements.corrected;
    box.value = [box.value.trim(), now.sides[take.dataset.side]?.text].filter(Boolean).join("\n\n");
    keepDraft();
    box.focus();
  });
}
find(".study-leave").addEventListener("click", () => {
  count();
  keepDraft();
  if (waiting) clearTimeout(waiting.timer);
  waiting = null; // what was asked is stored all the same; its reply is for nobody now
  busy(false);
  store(sessionStorage, codeKey(), null);
  Object.assign(now, { code: "", item: "", sides: {}, given: null });
  root.dataset.phase = "code";
  put(find(".study-error"), "");
  door.reset();
  door.querySelector("input").focus();
});

put(
  find(".study-guidelines .blocks"),
  (props.value.guidelines ?? []).map((block) => `<div>${block}</div>`).join(""),
);
find(".study-guidelines").hidden = !props.value.guidelines?.length;
watch("value", heard);
now.code = store(sessionStorage, codeKey()) ?? "";
if (now.code) send({ do: "enter", item: "" });
