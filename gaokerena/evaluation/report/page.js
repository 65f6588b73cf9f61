// The language of the page: of its address (#en), else what was chosen last, else Persian. Folded tables open for print.
(() => {
  const page = document.documentElement;
  const remembered = () => { try { return localStorage.getItem("gaokerena-report"); } catch { return null; } };
  const use = (language) => {
    page.lang = language;
    page.dir = language === "fa" ? "rtl" : "ltr";
    try { localStorage.setItem("gaokerena-report", language); } catch { /* a file opened from disk may have no store */ }
  };
  const named = () => (location.hash.match(/(?:^#|-)(fa|en)$/) || [])[1];
  use(named() || remembered() || "fa");
  addEventListener("hashchange", () => named() && use(named()));
  addEventListener("click", (event) => {
    const button = event.target.closest("button[data-language]");
    if (!button) return;
    use(button.dataset.language);
    history.replaceState(null, "", `#${button.dataset.language}`);
    document.querySelector(`.language[lang="${button.dataset.language}"] button`).focus();
  });
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
})();
