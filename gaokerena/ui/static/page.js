// What the page does in the browser: language and direction, cards that grow, the verdict form.
// Python sends each card's parts (cards.value); this file puts them into a frame that never changes.
window.gaokerena = (() => {
  const settings = window.gaokerenaSettings;
  const root = document.documentElement;
  const KEY = "gaokerena-language";

  // -- language ---------------------------------------------------------------------------------------------------

  function remembered() {
    const asked = new URLSearchParams(location.search).get("lang");
    if (asked in settings.titles) return asked;
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is off in some embedded frames
    }
  }

  function setLanguage(language) {
    root.lang = language;
    root.dir = language === "fa" ? "rtl" : "ltr";
    document.title = settings.titles[language];
    try {
      localStorage.setItem(KEY, language);
    } catch {
      /* as above */
    }
  }

  setLanguage(remembered() in settings.titles ? remembered() : settings.language);

  function header(element, trigger) {
    document.title = settings.titles[root.lang];
    element.querySelector(".language").addEventListener("click", () => {
      setLanguage(root.lang === "fa" ? "en" : "fa");
      trigger("change", { language: root.lang });
    });
    element.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("answers").focus();
    });
    if (root.lang !== settings.language) trigger("change", { language: root.lang });
  }

  // -- small regions ----------------------------------------------------------------------------------------------

  function region(element, name) {
    if (name === "status") {
      element.setAttribute("role", "status");
      element.setAttribute("aria-live", "polite");
      element.classList.add("vh");
    }
    if (name === "notice") tieToQuestion(element);
  }

  /** A refusal belongs to the question box: it is read with it, and the box is marked. */
  function tieToQuestion(element) {
    element.setAttribute("role", "alert");
    new MutationObserver(() => {
      const box = document.querySelector("#question textarea");
      if (!box) return;
      box.setAttribute("aria-describedby", "notice");
      box.setAttribute("aria-invalid", element.textContent.trim() ? "true" : "false");
      if (element.textContent.trim()) element.scrollIntoView({ block: "nearest" });
    }).observe(element, { childList: true, subtree: true, characterData: true });
  }

  function chips(element, trigger) {
    for (const button of element.querySelectorAll("[data-index]")) {
      button.addEventListener("click", () => trigger("select", { index: Number(button.dataset.index) }));
    }
  }

  // -- one answer's card ------------------------------------------------------------------------------------------

  function put(node, html) {
    if (node.shown === html) return;
    node.shown = html;
    node.innerHTML = html;
  }

  /** Blocks of HTML into `holder`; only those that changed are touched, so a long answer stays cheap. */
  function fill(holder, blocks) {
    const shown = (holder.shown ??= []);
    blocks.forEach((html, place) => {
      if (shown[place] === html) return;
      const node = document.createElement("div");
      node.innerHTML = html;
      const old = holder.children[place];
      if (old) old.replaceWith(node);
      else holder.append(node);
    });
    while (holder.children.length > blocks.length) holder.lastElementChild.remove();
    holder.shown = [...blocks];
  }

  function card(element, props, trigger, watch) {
    const find = (selector) => element.querySelector(selector);
    const article = find(".card");
    const toggle = find(".thoughts-toggle");
    const stop = find(".card-stop");
    let newest = 0;

    function update() {
      const value = props.value;
      if (!value || (value.at ?? 0) < newest) return;
      newest = value.at ?? 0;
      const hadFocus = document.activeElement === stop;
      article.dataset.phase = value.phase;
      article.toggleAttribute("data-known", Boolean(value.who));
      article.setAttribute("aria-busy", value.phase === "busy" ? "true" : "false");
      put(find(".card-status"), value.status);
      put(find(".card-who"), value.who);
      put(find(".meta"), value.meta);
      put(find(".card-error"), value.error);
      put(find(".card-chose"), value.chose);
      fill(find(".thoughts-blocks"), value.thoughts);
      fill(find(".answer-blocks"), value.answer);
      article.toggleAttribute("data-said", Boolean(value.copy));
      if (hadFocus && value.phase !== "busy") toggle.focus();
    }

    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-expanded") !== "true";
      toggle.setAttribute("aria-expanded", String(open));
      find(".thoughts-body").hidden = !open;
    });
    stop.addEventListener("click", () => trigger("stop"));
    find(".card-copy").addEventListener("click", async () => {
      await copy(props.value.copy);
      article.classList.add("copied");
      setTimeout(() => article.classList.remove("copied"), 2000);
    });
    watch("value", update);
    update();
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const box = Object.assign(document.createElement("textarea"), { value: text }); // plain http has no clipboard
      const focused = document.activeElement;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
      focused?.focus();
    }
  }

  // -- the verdict ------------------------------------------------------------------------------------------------

  function verdict(element, props, trigger, watch) {
    const form = element.querySelector("form");
    const first = form.querySelector(".choose-first");
    let comparison = "";
    let newest = 0;

    function update() {
      const value = props.value;
      if (!value || (value.at ?? 0) < newest) return;
      newest = value.at ?? 0;
      if (value.comparison !== comparison) {
        comparison = value.comparison;
        form.reset();
        first.hidden = true;
        showAnswers();
      }
      form.dataset.phase = value.phase;
      for (const part of form.querySelectorAll("fieldset, button")) part.disabled = value.phase === "closed";
      for (const choice of form.elements.choice) choice.disabled = !(value.choices ?? []).includes(choice.value);
      const silent = form.querySelector(".verdict-silent");
      put(silent, value.silent ?? "");
      silent.hidden = !value.silent;
      put(form.querySelector(".verdict-message"), value.message);
      put(form.querySelector(".said"), value.error);
    }

    form.addEventListener("change", () => (first.hidden = true));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const data = new FormData(form);
      if (!data.get("choice")) {
        first.hidden = false;
        form.querySelector("input[name=choice]:enabled").focus();
        return;
      }
      trigger("submit", {
        comparison,
        choice: data.get("choice"),
        strength: Number(data.get("strength")),
        reasons: data.getAll("reasons"),
      });
    });
    watch("value", update);
    update();
  }

  function showAnswers() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const place = document.getElementById("flag");
    place?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  // The second press of a double click asks nothing again, however late a busy server would hear of it.
  const ASKING = "#ask, #follow, #again";
  window.addEventListener(
    "click",
    (event) => {
      if (event.detail > 1 && event.target.closest?.(ASKING)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    { capture: true },
  );

  return { header, region, chips, card, verdict };
})();
